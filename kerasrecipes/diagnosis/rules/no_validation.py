"""Nothing is known of rows that were not trained on."""

from kerasrecipes.diagnosis._rule import Rule, Verdict
from kerasrecipes.diagnosis.run_record import RunRecord


def judge(run: RunRecord) -> Verdict | None:
    """Looks for any validation entry."""
    if any(name.startswith("val_") for name in run.history):
        return None
    return Verdict(
        "The history has no entry of validation rows, so it cannot tell learning from memorising.",
        "Set rows aside with `data.split`, and give them to `fit` as `validation_data`.",
        {},
    )


RULE = Rule("no_validation", "No validation rows", "S10", judge)
