"""Trains runs of one structure side by side, in graphs that they share."""

import collections
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from kerasrecipes._epoch_order import permutation
from kerasrecipes._find import find
from kerasrecipes.recipes.recipe_model import RecipeModel
from kerasrecipes.targets.smoothed_crossentropy import SmoothedCrossentropy
from kerasrecipes.tuning._fold import Fold
from kerasrecipes.tuning._member_graph import dropouts_of, regularizers_of
from kerasrecipes.tuning._population import Member, Population, member
from kerasrecipes.tuning._run import Run, failure
from kerasrecipes.tuning._stacked_optimizer import STACKABLE

_MOST_POPULATIONS = 8
SETTINGS = (
    "learning_rate",
    "weight_decay",
    "clip_norm",
    "schedule",
    "dropout",
    "l2",
    "label_smoothing",
    "seed",
)
"""Arguments of recipes that change no graph; what they set is a tensor in it."""


def unsupported(model: Any) -> str:
    """Returns why a compiled model cannot share a graph, or ""."""
    optimizer = model.optimizer
    if keras.config.backend() != "tensorflow" or type(model) is not RecipeModel:
        return "it is no recipe model on TensorFlow, or one that computes its loss itself"
    if model.target is None or not isinstance(model.loss, keras.losses.Loss):
        return "its loss is not that of a target"
    if type(optimizer) not in STACKABLE:
        return f"{type(optimizer).__name__} does not treat every weight alike"
    clipping = optimizer.clipping
    if clipping.is_auto or (clipping and clipping.global_clipnorm is None):
        return "only clipping by a given global norm is a number"
    if optimizer.accumulation_steps > 1 or optimizer.use_ema or optimizer.track_updates:
        return "the optimizer keeps sums of its own"
    if optimizer.decay_schedule is not None:
        return "the decay has a schedule"
    if any(v.constraint is not None for v in model.trainable_variables):
        return "its weights have constraints"
    if find(model, (keras.layers.RNN, keras.layers.TextVectorization, keras.layers.Conv2D)):
        return "only dense networks gain by it"
    return ""


def structure(arguments: dict[str, Any], model: Any, member: Member) -> str:
    """Returns a text that two runs have in common if one graph does for both."""
    loss = model.loss.get_config()
    if isinstance(model.loss, SmoothedCrossentropy):
        del loss["label_smoothing"]
    parts = [
        {name: _shape(value) for name, value in arguments.items() if name not in SETTINGS},
        [type(layer).__name__ for layer in dropouts_of(model)],
        [type(each).__name__ for each in regularizers_of(model)],
        [type(model.loss).__name__, loss],
        [type(model.optimizer).__name__, member.momenta is not None],
    ]
    return json.dumps(parts, sort_keys=True, default=repr)


def _shape(value: Any) -> Any:
    """Returns an argument without the momentum, which the graph takes as a tensor."""
    if isinstance(value, dict) and value.get("momentum"):
        return {**value, "momentum": "some"}
    return value


class GraphRunner:
    """Trains runs in populations, each of one structure; a place that gets free takes the next.

    Args:
        build: Function from the recipe's arguments, the seed and the number of the fold to a
            compiled model.
        monitor: Log entry that is the objective, with its "val_".
        places: How many runs of one structure train side by side.
        other: Runner for models that cannot share a graph.
    """

    def __init__(self, build: Callable[..., Any], monitor: str, *, places: int, other: Any) -> None:
        self._build = build
        self._monitor = monitor.removeprefix("val_")
        self._other = other
        self._places = places
        self._populations: collections.OrderedDict[str, Population] = collections.OrderedDict()

    def train(
        self,
        runs: Sequence[Run],
        fold: Fold,
        *,
        stops: Callable[[Run], str],
        keep_state: bool = False,
    ) -> None:
        """Trains the runs to their end, and sets what they hold.

        Args:
            runs: Runs of one fold.
            fold: Its rows.
            stops: Is asked after each epoch of a run; returns why it ends now, or "".
            keep_state: Whether a run may go on later.
        """
        groups: dict[tuple[str, int], list[tuple[Run, Any, Member]]] = {}
        for run in runs:
            try:
                model = self._build(run.model, run.seed, run.fold)
            except Exception as error:
                run.error = failure(error)
                continue
            if unsupported(model):
                self._other.train([run], fold, stops=stops, keep_state=keep_state)
                continue
            steps = -(-fold.rows // run.batch_size)
            made = member(model, updates=run.epochs * steps, updates_per_epoch=steps)
            key = structure(dict(run.model), model, made), run.batch_size
            groups.setdefault(key, []).append((run, model, made))
        for (pattern, _), queue in groups.items():
            try:
                population = self._population(pattern, queue)
                _Training(population, queue, fold, self._monitor, stops, keep_state).run()
            except Exception as error:
                for run, *_ in queue:
                    run.error = run.error or ("" if run.ending else failure(error))

    def _population(self, pattern: str, queue: Sequence[tuple[Run, Any, Member]]) -> Population:
        """Returns a population for the runs, one that has been traced before if there is."""
        if pattern not in self._populations:
            _, model, made = queue[0]
            places = min(self._places, _most_places(model.count_params()))
            has_momenta = made.momenta is not None
            self._populations[pattern] = Population(
                model, places=places, momenta=has_momenta, metrics=[self._monitor]
            )
        self._populations.move_to_end(pattern)
        if len(self._populations) > _MOST_POPULATIONS:
            self._populations.popitem(last=False)
        return self._populations[pattern]


def _most_places(parameters: int) -> int:
    """Returns beyond how many models of a size more of them side by side gain nothing."""
    return 2 ** max(0, 20 - parameters.bit_length())


class _Training:
    """The training of a queue of runs in one population."""

    def __init__(
        self,
        population: Population,
        queue: Sequence[tuple[Run, Any, Member]],
        fold: Fold,
        monitor: str,
        stops: Callable[[Run], str],
        keep_state: bool,
    ) -> None:
        self._population = population
        self._queue = collections.deque(queue)
        self._fold = fold
        self._monitor = monitor
        self._stops = stops
        self._keep_state = keep_state
        self._at: list[tuple[Run, Any] | None] = [None] * population.places

    def run(self) -> None:
        """Trains until no run is left."""
        train, validation = (
            tuple(map(tf.constant, part)) for part in (self._fold.train, self._fold.validation)
        )
        batch_size = self._queue[0][0].batch_size
        self._fill()
        while any(self._at):
            orders = self._orders()
            self._population.train_epoch(train, orders, batch_size)
            values = self._population.evaluate(validation, list(orders))[self._monitor]
            self._population.keep_best(self._report(dict(zip(orders, values, strict=True))))
            self._end()
            self._fill()

    def _fill(self) -> None:
        for place, taken in enumerate(self._at):
            if taken is None and self._queue:
                run, model, made = self._queue.popleft()
                self._population.load(place, made, run.state)
                self._at[place] = run, model

    def _orders(self) -> dict[int, np.ndarray]:
        """Returns the order of rows for each place that has a run."""
        return {
            place: permutation(self._fold.rows, seed=taken[0].seed, epoch=len(taken[0].curve))
            for place, taken in enumerate(self._at)
            if taken is not None
        }

    def _report(self, values: Mapping[int, float]) -> list[bool]:
        """Tells the runs how the epoch went; returns which of the places are at their best."""
        improved = [False] * len(self._at)
        for place, value in values.items():
            run, _ = self._at[place]  # type: ignore[misc]
            improved[place] = run.report(float(value))
            run.ending = run.ending or self._stops(run)
        return improved

    def _end(self) -> None:
        """Takes the runs that have ended out of their places."""
        for place, taken in enumerate(self._at):
            if taken is None or not taken[0].ending:
                continue
            run, model = taken
            self._population.restore(model, place)
            run.weights = model.get_weights()
            run.state = self._population.state(place) if self._keep_state else None
            self._at[place] = None
