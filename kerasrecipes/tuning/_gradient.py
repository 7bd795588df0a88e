"""Searches whose trials adapt their rate and decay while they train."""

import dataclasses
import inspect
import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import keras

from kerasrecipes.callbacks.hypergradient import Hypergradient
from kerasrecipes.tuning._run import Run
from kerasrecipes.tuning.parameters import Fixed
from kerasrecipes.tuning.search_space import SearchSpace
from kerasrecipes.tuning.trial_record import TrialRecord

ADAPTED = ("learning_rate", "weight_decay")


@dataclasses.dataclass(frozen=True)
class Adapting:
    """Makes the callbacks of each run, an own `Hypergradient` first; processes can be given it.

    Attributes:
        options: Arguments of `Hypergradient`.
        callbacks: Makes the user's callbacks, or None.
    """

    options: Mapping[str, Any]
    callbacks: Callable[[], Sequence[keras.callbacks.Callback]] | None

    @classmethod
    def taking(cls, options: dict[str, Any], callbacks: Any) -> Self:
        """Returns one with those options that are arguments of `Hypergradient`, and removes them.

        Raises: InputError for wrong ones, before any trial runs.
        """
        known = inspect.signature(Hypergradient).parameters
        own = {name: options.pop(name) for name in list(options) if name in known}
        Hypergradient(**own)
        return cls(own, callbacks)

    def __call__(self) -> list[keras.callbacks.Callback]:
        """Returns new callbacks."""
        more = [] if self.callbacks is None else self.callbacks()
        return [Hypergradient(**self.options), *more]

    @property
    def fingerprint(self) -> dict[str, Any]:
        """What the scores depend on."""
        return {"method": "gradient", "adapting": dict(self.options)}

    def on_all_rows(self) -> list[keras.callbacks.Callback]:
        """Returns what adapts the rate where there are no rows to adapt the decay by."""
        return [Hypergradient(**{**self.options, "validation_data": None})]


def settled(record: TrialRecord, names: Sequence[str]) -> dict[str, Any]:
    """Returns a trial's arguments, those named with the values that it has come to."""
    found = {name: record.values[name] for name in names if name in record.values}
    return {name: found.get(name, value) for name, value in record.model.items()}


def without_rates(space: SearchSpace) -> SearchSpace:
    """Returns the space in which rates and decays are the first guess, to begin with."""
    searched = {name: space.parameters[name] for name in space.names}
    fixed = {
        name: Fixed(each.default, when=space.conditions(name), argument=each.argument)
        for name, each in searched.items()
        if (each.argument or name) in ADAPTED
    }
    return space.set(**fixed)


def factors(callbacks: Sequence[Any]) -> dict[str, float]:
    """Returns by how much the callbacks of a run have multiplied rate and decay, by name."""
    found = [each for each in callbacks if isinstance(each, Hypergradient)]
    return {
        name: value
        for each in found
        for name, value in zip(ADAPTED, (each.rate_factor, each.decay_factor), strict=True)
    }


def settings(runs: Sequence[Run]) -> dict[str, float]:
    """Returns what the runs have come to at their best epochs, the geometric mean, by name.

    The rate is the one to begin with, as the recipe takes it, before any schedule.
    """
    found = [run for run in runs if run.adapted]
    return {
        name: found[0].model[name] * statistics.geometric_mean(run.adapted[name] for run in found)
        for name in ADAPTED
        if found and isinstance(found[0].model.get(name), float)
    }
