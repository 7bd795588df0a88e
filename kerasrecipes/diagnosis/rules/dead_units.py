"""Many units let nothing through."""

from kerasrecipes.diagnosis._rule import NotJudgedError, Rule, Verdict, percent
from kerasrecipes.diagnosis.run_record import RunRecord

_MANY = 0.4


def judge(run: RunRecord) -> Verdict | None:
    """Looks at the share of dead units of each layer in the epoch that was kept."""
    found = {n: float(v[run.kept]) for n, v in run.by_layer("dead_fraction").items()}
    if not found:
        raise NotJudgedError("takes `dead_fraction`, which `callbacks.ActivationMonitor` logs")
    dead = {name: share for name, share in found.items() if share > _MANY}
    if not dead:
        return None
    worst = max(dead, key=lambda name: dead[name])
    listed = ", ".join(f"{name} {percent(share)}" for name, share in dead.items())
    evidence = f"In epoch {run.kept + 1} these units give every row the same output: {listed}."
    remedy = (
        "Lower the learning rate, or take an activation with a slope on both sides (leaky ReLU, "
        "ELU, GELU); see that the initializer is that of the activation, and normalise."
    )
    return Verdict(evidence, remedy, {"dead_fraction": dead[worst]}, run.kept + 1)


RULE = Rule("dead_units", "Dead units", "S2", judge)
