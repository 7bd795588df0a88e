"""What a search's trials warn of: one rule a function, a sentence with numbers and the remedy."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kerasrecipes.tuning._axes import active, axes, is_range, varying
from kerasrecipes.tuning._importance import Importance
from kerasrecipes.tuning._selection import TOP, final, is_completed, within
from kerasrecipes.tuning.trial_record import TrialRecord

_EDGE = 0.05
_MATTERS = 0.01
_TRIALS_PER_AXIS = 3
_LINE = 160


@dataclass(frozen=True)
class Evidence:
    """What the rules look at.

    Attributes:
        records: All trials.
        order: Completed trials, best mean first.
        best: The chosen trial, or None if all failed.
        declared: KerasTuner's hyperparameters.
        error: Standard error of the best mean, or None if unknown.
        importance: Shares of the variance.
    """

    records: Sequence[TrialRecord]
    order: Sequence[TrialRecord]
    best: TrialRecord | None
    declared: Sequence[Any]
    error: float | None
    importance: Importance

    @property
    def ends(self) -> tuple[TrialRecord, ...]:
        """Completed trials that no other continues, best mean first."""
        return final(self.order)


def advice(found: Evidence) -> tuple[str, ...]:
    """Returns the warnings, the gravest first."""
    rules: list[Callable[[Evidence], list[str]]] = [_failed]
    if found.best is not None:
        rules += [_cut, _noise, _too_few, _edges, _last_epoch, _importance]
    return tuple(sentence for rule in rules for sentence in rule(found))


def failures(records: Sequence[TrialRecord]) -> list[tuple[str, int]]:
    """Returns what the failed trials said, the commonest first, with how many said it."""
    said = [
        _first_line(each) for each in records if each.status != "pruned" and not is_completed(each)
    ]
    return Counter(said).most_common()


def _first_line(record: TrialRecord) -> str:
    if not record.message:
        return f"score {record.score}"
    line = record.message.strip().splitlines()[0]
    return line.rstrip(".") if len(line) <= _LINE else f"{line[: _LINE - 1]}…"


def _failed(found: Evidence) -> list[str]:
    messages = failures(found.records)
    if not messages:
        return []
    failed = sum(count for _, count in messages)
    message, count = messages[0]
    total = len(found.records)
    often = f", {count} of them" if len(messages) > 1 else ""
    return [
        f"{failed} of {total} trials ({_percent(failed / total)}) failed{often} with: {message}. "
        f"Mend the cause, or take the values that bring it about out of the space{_common(found)}."
    ]


def _common(found: Evidence) -> str:
    """Returns the choice that all failed trials have and that no completed one has."""
    bad = [each for each in found.records if each.status != "pruned" and not is_completed(each)]
    for axis in axes(found.declared):
        taken = {repr(each.values.get(axis.name)) for each in bad}
        good = {repr(each.values.get(axis.name)) for each in found.order}
        if axis.choices and len(bad) > 1 and len(taken) == 1 and not taken & good:
            return f": all of them have {axis.name} = {taken.pop()}, and no other trial has"
    return ""


def _cut(found: Evidence) -> list[str]:
    """Says which scores are of trials that had to end too early."""
    cut = [each for each in found.order if each.message]
    if not cut:
        return []
    trials = "trial" if len(cut) == 1 else "trials"
    return [
        f"{len(cut)} {trials} had to end early: {cut[0].message}, and none was completed by then. "
        "What would have come of them is unknown. Search again with more seconds or fewer epochs."
    ]


def _noise(found: Evidence) -> list[str]:
    """Says how many trials are as good as the best, as far as anybody can tell."""
    if len(found.ends) < 2:
        return []
    best, runs = found.ends[0], len(found.ends[0].scores)
    remedy = "more folds or repeats" if runs > 1 else "folds=5 or repeats=3"
    if found.error is None:
        return [
            "Each trial was scored by one run, and nothing tells how much of its score is chance: "
            f"the first of {len(found.ends)} may be luck. Search with {remedy}."
        ]
    others = len(within(found.ends, found.error)) - 1
    if not others:
        return []
    trials = "trial is" if others == 1 else "trials are"
    return [
        f"{others} other {trials} within one standard error ({found.error:.2g}) of the best mean, "
        f"{best.score:.4g}: which of them is the best is chance. Search again with {remedy} to "
        "tell them apart, or be content with the smallest."
    ]


def _too_few(found: Evidence) -> list[str]:
    """Says so with fewer trials per dimension than Bayesian search begins with (3 each)."""
    names = varying(found.declared)
    active_names = [sum(name in each.values for name in names) for each in found.ends]
    count = round(float(np.mean(active_names)))
    needed = _TRIALS_PER_AXIS * count
    if len(found.ends) >= needed:
        return []
    least = list(found.importance.shares)[-2:]
    which = f", first of all {' and '.join(least)}, which matter least," if least else ""
    trials = "trial is" if len(found.ends) == 1 else "trials are"
    return [
        f"{len(found.ends)} completed {trials} few for {count} hyperparameters, which is how "
        f"many a trial has: {_TRIALS_PER_AXIS} for each make {needed}. Run more trials, or fix "
        f"some hyperparameters{which} with `space.fix`."
    ]


def _edges(found: Evidence) -> list[str]:
    """Says where the best value is at an end of its range.

    One trial in a tenth of all is near an end by chance, so it counts only where the other good
    trials lean there too, and the hyperparameter is known to matter or nothing is known of it.
    """
    sentences = []
    for axis in axes(found.declared):
        sentence = _edge(found, axis.name)
        if sentence:
            sentences.append(sentence)
    return sentences


def _edge(found: Evidence, name: str) -> str:
    shares = found.importance.shares
    if found.best is None or shares and shares.get(name, 0.0) < _MATTERS:
        return ""
    hyperparameter = active(found.declared, name, found.best.values)
    scale = None if hyperparameter is None else _scale(hyperparameter)
    if scale is None:
        return ""
    value = found.best.values[name]
    place = scale(value)
    at_top = place >= 1 - _EDGE
    if not at_top and place > _EDGE:
        return ""
    top = found.ends[: max(3, len(found.ends) // 10)]
    leaning = [
        scale(each.values[name])
        for each in top
        if active(found.declared, name, each.values) is hyperparameter
    ]
    middle = float(np.median(leaning)) if leaning else place
    if not (middle >= 0.75 if at_top else middle <= 0.25):
        return ""
    return _widen(hyperparameter, value, at_top)


def _scale(hyperparameter: Any) -> Callable[[float], float] | None:
    """Returns what maps a value to its place in [0, 1], or None for what has no order."""
    if is_range(hyperparameter):
        low, high = hyperparameter.min_value, hyperparameter.max_value
        if low >= high:
            return None
        if hyperparameter.sampling == "log":
            return lambda value: math.log(value / low) / math.log(high / low)
        return lambda value: (value - low) / (high - low)
    options = sorted(hyperparameter.values) if _is_ordered(hyperparameter) else []
    if len(options) < 3:
        return None
    return lambda value: options.index(value) / (len(options) - 1)


def _is_ordered(hyperparameter: Any) -> bool:
    return getattr(hyperparameter, "ordered", False)


def _widen(hyperparameter: Any, value: float, at_top: bool) -> str:
    name, end = hyperparameter.name, "upper" if at_top else "lower"
    if is_range(hyperparameter):
        low, high = hyperparameter.min_value, hyperparameter.max_value
        wider = _wider(hyperparameter, at_top)
        if wider is None:
            return ""
        log = ", log scale" if hyperparameter.sampling == "log" else ""
        near = "at" if value in (low, high) else f"within {_percent(_EDGE)} of"
        where = f"{near} the {end} end of its range [{low:g}, {high:g}]{log}"
        new = (low, wider) if at_top else (wider, high)
        remedy = f"space.range({name}=({new[0]:g}, {new[1]:g}))"
    else:
        options = sorted(hyperparameter.values)
        wider = _next(options if at_top else options[::-1])
        if wider <= 0 <= min(options):
            return ""
        where = f"the {'largest' if at_top else 'smallest'} of {_list(options)}"
        remedy = f"space.choices({name}=({_list(sorted([*options, wider]))}))"
    return (
        f"The best {name}, {value:.4g}, is {where}, and other good trials lean there too. Widen "
        f"it: `{remedy}`."
    )


def _wider(hyperparameter: Any, at_top: bool) -> float | None:
    """Returns a new end of a range: a decade or half the range further, or None if none can be."""
    low, high, step = hyperparameter.min_value, hyperparameter.max_value, hyperparameter.step
    if hyperparameter.sampling == "log":
        factor = min(10.0, math.sqrt(high / low))
        factor = step ** max(int(math.log(factor, step)), 1) if step else factor
        new = high * factor if at_top else low / factor
    elif at_top:
        new = high + (high - low) / 2
        if low >= 0 and high < 1:  # a rate or a share, which ends before 1
            new = min(new, (high + 1) / 2)
    else:
        new = low - (high - low) / 2
        new = max(new, low / 2) if low >= 0 else new
    new = math.ceil(new) if isinstance(low, int) else float(f"{new:.2g}")
    return None if new == (high if at_top else low) else new


def _next(options: Sequence[float]) -> float:
    """Returns what follows in a row of numbers, by its last ratio or else difference."""
    before, last = options[-2:]
    if options[0] * last > 0 and math.isclose(last / before, before / options[-3]):
        return last * last / before
    return last + (last - before)


def _list(options: Sequence[Any]) -> str:
    return ", ".join(f"{each:g}" for each in options)


def _last_epoch(found: Evidence) -> list[str]:
    """Says so when the good trials were still getting better as they ended."""
    ends = [
        (epoch, len(curve))
        for each in found.ends[:TOP]
        for epoch, curve in zip(each.epochs, each.curves, strict=False)
        if len(curve) > 1
    ]
    last = [length for epoch, length in ends if epoch == length]
    if len(ends) < 3 or 2 * len(last) < len(ends):
        return []
    trials = min(TOP, len(found.ends))
    return [
        f"In {len(last)} of the {len(ends)} runs of the {trials} best trials the best epoch was "
        f"the last one, at most {max(last)}: they were still getting better. Train longer, with "
        f"epochs={2 * max(last)} or more."
    ]


def _importance(found: Evidence) -> list[str]:
    reason, explained = found.importance.reason, found.importance.explained
    if reason:
        return [f"The importance of the hyperparameters is unknown: {reason}."]
    if explained is not None and explained < 0.2:
        return [
            "The importance of the hyperparameters is little more than a guess: the forest behind "
            f"it explains {_percent(explained)} of the variance of trials that it has not seen. "
            "Run more trials."
        ]
    return []


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
