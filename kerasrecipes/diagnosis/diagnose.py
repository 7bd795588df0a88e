"""The diagnosis of a training from its curves."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from kerasrecipes._checks import check_choice, check_int, check_number, fail
from kerasrecipes._export import export
from kerasrecipes.diagnosis._rule import NotJudgedError, Rule, Verdict
from kerasrecipes.diagnosis.result import Diagnosis, Finding
from kerasrecipes.diagnosis.rules import (
    clipped_gradients,
    dead_units,
    divergence,
    gap_too_large,
    gap_too_small,
    no_validation,
    noisy_validation,
    overfitting,
    plateau_without_decay,
    rate_too_high,
    rate_too_low,
    stopped_too_early,
    trained_too_long,
    underfitting,
    unstable_seeds,
    vanishing_gradients,
    zig_zag,
)
from kerasrecipes.diagnosis.run_record import RunRecord, record

# A rule comes after those that it names in `unless`.
RULES: tuple[Rule, ...] = (
    divergence.RULE,
    no_validation.RULE,
    zig_zag.RULE,
    rate_too_high.RULE,
    rate_too_low.RULE,
    stopped_too_early.RULE,
    trained_too_long.RULE,
    underfitting.RULE,
    overfitting.RULE,
    gap_too_large.RULE,
    gap_too_small.RULE,
    plateau_without_decay.RULE,
    clipped_gradients.RULE,
    vanishing_gradients.RULE,
    dead_units.RULE,
    noisy_validation.RULE,
    unstable_seeds.RULE,
)


@export("diagnosis", saved=False)
def diagnose(
    runs: Any,
    *,
    best_epoch: int | None = None,
    epochs: int | None = None,
    batch_size: int | None = None,
    validation_rows: int | None = None,
    guess_loss: float | None = None,
    rules: Sequence[str] | None = None,
) -> Diagnosis:
    """Tells from its curves what is wrong with a training, and what to do about it.

    Rules of practice are held against the curves: divergence; no validation rows; zig-zag; a rate
    that is too high or too low; stopped too early, trained too long; underfitting, overfitting
    (and when it began); a gap that is too large or too small; a plateau without decay; gradients
    of which most are clipped; gradients that vanish or explode, and dead units, where monitors
    have logged them; a validation set too noisy to tell epochs apart; and, over several runs,
    results that hang on the seed. Each finding has the numbers it goes by, the id of the practice
    and a remedy. A rule that lacks something says so instead of passing.

    Needs no Keras and no data: a run of `kerasrecipes train` knows all of the arguments below.

    Args:
        runs: A Keras `History`, a dict of curves, a run folder, the result of `runs.train`, or a
            file of `HistoryFile` (also that of a run that is not over); or a list of these, which
            are compared if they differ by the seed alone.
        best_epoch: Epoch whose weights the model has, counted from 1, int >= 1. Defaults to None,
            as the run, or `callbacks.EarlyStopping` in a `History`, has it; else the last.
        epochs: Most epochs that the training could have had, int >= 1. Defaults to None.
        batch_size: Rows of a batch, int >= 1. Defaults to None.
        validation_rows: Rows that were validated on, int >= 1, for standard errors. Defaults to
            None.
        guess_loss: Loss of a guess that ignores the inputs; `targets` have it as
            `random_guess_loss`. Defaults to None, as the run or the model of the history has it.
        rules: Names of the rules to apply. Defaults to None, all.

    Returns:
        A `Diagnosis`, which prints as text.

    Raises: InputError for anything that is no run, and for a folder without a complete one.

    Example:
    >>> falling = [2.0 * 0.8**epoch for epoch in range(20)]
    >>> rising = [max(loss, 0.4) + 0.02 * epoch for epoch, loss in enumerate(falling)]
    >>> found = diagnose({"loss": falling, "val_loss": rising}, guess_loss=2.3)
    >>> print(found["overfitting"])
    warning  Overfitting (S5), from epoch 8
      From epoch 8 to epoch 20 the validation loss rises from 0.58 to 0.76, 8 % of all there was to
      lose, while the training loss falls from 0.419 to 0.036.
      -> Keep the weights of the best epoch: `callbacks.EarlyStopping` brings them back. What helps:
         more data or augmentation, dropout 0.2 to 0.5, weight decay, a smaller model.
    """
    known: dict[str, Any] = {
        "best_epoch": best_epoch,
        "epochs": epochs,
        "batch_size": batch_size,
        "validation_rows": validation_rows,
    }
    known = {n: check_int(n, value, low=1) for n, value in known.items() if value is not None}
    if guess_loss is not None:
        known["guess_loss"] = check_number("guess_loss", guess_loss)
    chosen = _chosen(rules)
    records = _named([record(each, **known) for each in _listed(runs)])
    findings, unknown = [], {}
    for run in records:
        found, reasons = _judge(run, chosen)
        findings += sorted(found, key=lambda finding: finding.severity == "note")
        unknown[run.name] = reasons
    if len(records) > 1:
        findings += _compare(records, chosen, unknown)
    single = tuple(rule.name for rule in chosen if not rule.several)
    return Diagnosis(tuple(records), tuple(findings), unknown, single)


def _chosen(names: Sequence[str] | None) -> list[Rule]:
    known = {rule.name: rule for rule in RULES}
    if isinstance(names, str):
        fail("rules", "a list of names", names)
    for name in names or ():
        check_choice("rules", name, known)
    return [rule for rule in RULES if names is None or rule.name in names]


def _listed(runs: Any) -> list[Any]:
    listed = list(runs) if isinstance(runs, (list, tuple)) else [runs]
    if not listed:
        fail("runs", "at least one run", runs)
    return listed


def _named(records: list[RunRecord]) -> list[RunRecord]:
    """Gives runs of one name a number."""
    names = [run.name for run in records]
    return [
        dataclasses.replace(run, name=f"{run.name} {names[: i + 1].count(run.name)}")
        if names.count(run.name) > 1
        else run
        for i, run in enumerate(records)
    ]


def _judge(run: RunRecord, rules: Sequence[Rule]) -> tuple[list[Finding], dict[str, str]]:
    findings: list[Finding] = []
    unknown: dict[str, str] = {}
    for rule in rules:
        found = [finding.rule for finding in findings]
        if rule.several or any(cause in found for cause in rule.unless):
            continue
        if "divergence" in found:
            unknown[rule.name] = "the training diverged"
            continue
        try:
            verdict = rule.judge(run)
        except NotJudgedError as reason:
            unknown[rule.name] = str(reason)
            continue
        if verdict is not None:
            findings.append(_finding(rule, verdict, run.name))
    return findings, unknown


def _compare(
    records: Sequence[RunRecord], rules: Sequence[Rule], unknown: dict[str, dict[str, str]]
) -> list[Finding]:
    findings = []
    for rule in rules:
        if not rule.several:
            continue
        try:
            verdict = rule.judge(records)
        except NotJudgedError as reason:
            unknown.setdefault("", {})[rule.name] = str(reason)
            continue
        if verdict is not None:
            findings.append(_finding(rule, verdict, ""))
    return findings


def _finding(rule: Rule, verdict: Verdict, run: str) -> Finding:
    return Finding(
        rule=rule.name,
        title=rule.title,
        practice=rule.practice,
        run=run,
        evidence=verdict.evidence,
        remedy=verdict.remedy,
        numbers=dict(verdict.numbers),
        epoch=verdict.epoch,
        severity="note" if verdict.harmless else "warning",
    )
