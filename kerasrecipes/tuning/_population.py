"""Many models of one structure that train side by side in one graph."""

import dataclasses
import functools
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from kerasrecipes.optimizers.scheduled_rate import number
from kerasrecipes.schedules.duration import FitLength
from kerasrecipes.tuning._member_graph import MemberGraph, settings_of
from kerasrecipes.tuning._stacked_optimizer import FOLLOWING, stacked

_EVALUATION_ROWS = 2048

Data = tuple[Any, ...]


@dataclasses.dataclass(frozen=True)
class Member:
    """A model as a population takes it.

    Attributes:
        weights: Values of its trainable variables.
        states: Values of its other variables, the seeds of its dropout included.
        settings: What the graph takes as tensors, see `MemberGraph`, and "decay".
        rates: Learning rate of each update.
        momenta: Momentum or `beta_1` of each update, None for an optimizer that has neither.
    """

    weights: Sequence[np.ndarray]
    states: Sequence[np.ndarray]
    settings: Mapping[str, Any]
    rates: np.ndarray
    momenta: np.ndarray | None


def member(model: Any, *, updates: int, updates_per_epoch: int) -> Member:
    """Returns a compiled recipe model as a member, for a fit of so many updates."""
    rates, momenta = _rates(model.optimizer, updates, updates_per_epoch)
    return Member(
        weights=[keras.ops.convert_to_numpy(v) for v in model.trainable_variables],
        states=[keras.ops.convert_to_numpy(v) for v in model.non_trainable_variables],
        settings={**settings_of(model), "decay": float(model.optimizer.weight_decay or 0.0)},
        rates=rates,
        momenta=momenta,
    )


def _rates(
    optimizer: Any, updates: int, updates_per_epoch: int
) -> tuple[np.ndarray, np.ndarray | None]:
    own = getattr(optimizer, "beta_1", None) or getattr(optimizer, "momentum", None)
    follows = own and isinstance(optimizer, FOLLOWING)
    momenta = np.full(updates, own, "float32") if follows else None
    schedule = optimizer.schedule
    if schedule is None:
        return np.full(updates, number(optimizer.learning_rate), "float32"), momenta
    steps, fit = tf.range(updates), FitLength(updates, updates_per_epoch)
    scheduled = schedule.momentum_at(steps, fit)
    if follows and scheduled is not None:
        momenta = keras.ops.convert_to_numpy(scheduled)
    return keras.ops.convert_to_numpy(schedule.at(steps, fit)), momenta


class Population:
    """The variables of a number of models, and the graphs that train and evaluate all of them.

    Every place holds one model, or what is left of one that nobody asks for any more. A model can
    come to a place when another has left it; models in one population train on the same rows, in
    batches of the same size, each in its own order. One graph does for any number of them.

    Args:
        model: A compiled recipe model, the pattern of all.
        places: How many train side by side, int >= 1.
        momenta: Whether the members have momenta.
        metrics: Names of those that `evaluate` returns besides the loss; None for all.
    """

    def __init__(
        self,
        model: Any,
        *,
        places: int,
        momenta: bool = False,
        metrics: Collection[str] | None = None,
    ) -> None:
        self.places = places
        self._graph = MemberGraph(model, metrics)
        self._weights = [_stacked_variable(v, places) for v in model.trainable_variables]
        self._states = [_repeated(v, places) for v in model.non_trainable_variables]
        settings = {**settings_of(model), "decay": 0.0}
        self._settings = {n: _repeated(np.float32(v), places) for n, v in settings.items()}
        self._optimizer = stacked(model.optimizer, self._weights)
        own = {id(v) for v in (self._optimizer.iterations, *self._weights)}
        moments = [v for v in self._optimizer.variables if _is_stacked(v, places, own)]
        self._updated = [*self._weights, *moments]
        self._moments = [v.value for v in moments]
        self._fresh_moments = [v.numpy()[0] for v in self._moments]
        self._updates = tf.Variable(tf.zeros([places], tf.int32))
        self._rates = tf.Variable(tf.zeros([places, 1]), shape=[places, None])
        self._momenta = tf.Variable(tf.zeros([places, 1]), shape=[places, None])
        self._has_momenta = momenta
        # Variables, so that no graph depends on how many there are.
        self._active = tf.Variable(tf.zeros([0], tf.int32), shape=[None])
        self._orders = tf.Variable(tf.zeros([0, 0], tf.int64), shape=[None, None])
        self._trained = [v.value for v in self._weights] + self._states
        self._best = [tf.Variable(v) for v in self._trained]
        self._metric_states: list[list[Any]] | None = None
        self._load = _graph(self._load_graph)
        self._keep = _graph(self._keep_graph)
        self._train: Any = None
        self._evaluate: Any = None

    def load(self, place: int, member: Member, state: Sequence[np.ndarray] | None = None) -> None:
        """Puts a model in a place, at its beginning or where `state` says that it is."""
        values = [*member.weights, *member.states]
        fresh = [*values, *self._fresh_moments, np.int32(0), *values]
        settings = {name: np.float32(member.settings[name]) for name in self._settings}
        self._load(tf.constant(place), fresh if state is None else list(state), settings)
        self._rates.assign(_with_row(self._rates, place, member.rates))
        if member.momenta is not None:
            self._momenta.assign(_with_row(self._momenta, place, member.momenta))

    def _load_graph(self, place: Any, values: Sequence[Any], settings: Mapping[str, Any]) -> None:
        for variable, value in zip(self._all(), values, strict=True):
            _set_row(variable, place, value)
        for name, value in settings.items():
            _set_row(self._settings[name], place, value)

    def _all(self) -> list[Any]:
        return [*self._trained, *self._moments, self._updates, *self._best]

    def state(self, place: int) -> list[np.ndarray]:
        """Returns all that `load` needs for the model of a place to go on where it is."""
        return [variable[place].numpy() for variable in self._all()]

    def keep_best(self, improved: Sequence[bool]) -> None:
        """Keeps the present weights of the models whose entry is true."""
        self._keep(tf.constant(list(improved)))

    def _keep_graph(self, improved: Any) -> None:
        for best, now in zip(self._best, self._trained, strict=True):
            mask = tf.reshape(improved, [-1] + [1] * (len(now.shape) - 1))
            best.assign(tf.where(mask, now, best))

    def restore(self, model: Any, place: int) -> None:
        """Sets the variables of a model to the weights that were kept for a place."""
        variables = [*model.trainable_variables, *model.non_trainable_variables]
        for variable, best in zip(variables, self._best, strict=True):
            variable.assign(best[place])

    def train_epoch(
        self, data: Data, orders: Mapping[int, np.ndarray], batch_size: int
    ) -> np.ndarray:
        """Trains models on all rows once; returns the mean loss of each, float32.

        Args:
            data: Inputs and labels, and weights of the rows if there are any.
            orders: Numbers of the rows in the order of each model, by place; others rest.
            batch_size: Rows in a batch; the last one has those that are left.
        """
        self._active.assign(list(orders))
        self._orders.assign(np.stack(list(orders.values())))
        if self._train is None:
            spec = tf.TensorSpec([], tf.int32)
            self._train = _graph(self._train_graph, (_any_rows(data), spec))
        return self._train(data, tf.constant(batch_size)).numpy()

    def _train_graph(self, data: Data, batch_size: Any) -> Any:
        places, orders = tf.convert_to_tensor(self._active), tf.convert_to_tensor(self._orders)
        rows = tf.shape(orders)[1]
        kept = [[v.value for v in self._updated], self._states, [self._updates]]
        begin = tf.nest.map_structure(lambda variable: tf.gather(variable, places), kept)
        settings = self._settings_of(places)
        scheduled = [tf.gather(table, places) for table in (self._rates, self._momenta)]

        def step(start: Any, total: Any, now: Any) -> tuple[Any, Any, Any]:
            end = tf.minimum(start + batch_size, rows)
            batch = tf.nest.map_structure(lambda t: tf.gather(t, orders[:, start:end]), data)
            losses, now = self._step(batch, now, settings, scheduled)
            return end, total + tf.cast(end - start, "float32") * losses, now

        _, total, now = tf.while_loop(
            lambda start, *_: start < rows,
            step,
            (tf.constant(0), tf.zeros(tf.shape(places)), begin),
        )
        for variable, value in zip(tf.nest.flatten(kept), tf.nest.flatten(now), strict=True):
            variable.scatter_nd_update(places[:, None], value)
        return total / tf.cast(rows, "float32")

    def _step(self, batch: Any, now: Any, settings: Any, scheduled: Any) -> tuple[Any, Any]:
        """Returns the losses of a batch, and what an update makes of the models."""
        updated, states, (updates,) = now
        weights = updated[: len(self._weights)]
        gradients, states, losses = tf.vectorized_map(
            lambda one: self._graph.gradients(*one), (settings, weights, states, *batch), warn=False
        )
        at = tf.minimum(updates, tf.shape(scheduled[0])[1] - 1)
        rates, momenta = (tf.gather(table, at, batch_dims=1) for table in scheduled)
        updated = self._optimizer.step(
            gradients,
            list(zip(self._updated, updated, strict=True)),
            rates=rates,
            decays=settings["decay"],
            momenta=momenta if self._has_momenta else None,
            updates=updates,
        )
        return losses, [updated, states, [updates + 1]]

    def _settings_of(self, places: Any) -> dict[str, Any]:
        return {name: tf.gather(value, places) for name, value in self._settings.items()}

    def evaluate(self, data: Data, places: Sequence[int]) -> dict[str, np.ndarray]:
        """Returns "loss" and the metrics by name, an entry for each of some places."""
        if self._metric_states is None:
            some = tf.nest.map_structure(lambda t: t[:1], data)
            self._metric_states = self._graph.metric_states(*some[:2])
        if self._evaluate is None:
            self._evaluate = _graph(self._evaluate_graph, (_any_rows(data),))
        self._active.assign(list(places))
        return {name: value.numpy() for name, value in self._evaluate(data).items()}

    def _evaluate_graph(self, data: Data) -> dict[str, Any]:
        places = tf.convert_to_tensor(self._active)
        rows = tf.shape(tf.nest.flatten(data)[0])[0]

        def step(start: Any, total: Any, states: Any) -> tuple[Any, Any, Any]:
            end = tf.minimum(start + _EVALUATION_ROWS, rows)
            batch = tf.nest.map_structure(lambda t: t[start:end], data)
            losses, states = tf.vectorized_map(
                lambda one: self._graph.evaluated(*one, *batch),
                (*given, states),
                warn=False,
            )
            return end, total + tf.cast(end - start, "float32") * losses, states

        weights = [tf.gather(v.value, places) for v in self._weights]
        given = self._settings_of(places), weights, [tf.gather(v, places) for v in self._states]
        count = tf.shape(places)
        states = tf.nest.map_structure(
            lambda t: tf.repeat(t[None], count, axis=0), self._metric_states
        )
        begin = (tf.constant(0), tf.zeros(count), states)
        _, total, states = tf.while_loop(lambda start, *_: start < rows, step, begin)
        found = tf.vectorized_map(self._graph.results, states, warn=False)
        return {"loss": total / tf.cast(rows, "float32"), **found}


def _graph(function: Callable[..., Any], signature: Any = None) -> Any:
    """Returns a function that is traced, without warnings that there are many such."""
    return tf.function(functools.partial(function), autograph=False, input_signature=signature)


def _any_rows(data: Data) -> Any:
    """Returns the specification of data like these, of any number of rows, as folds have."""
    return tf.nest.map_structure(lambda t: tf.TensorSpec([None, *t.shape[1:]], t.dtype), data)


def _stacked_variable(variable: Any, places: int) -> keras.Variable:
    value = keras.ops.convert_to_numpy(variable)
    return keras.Variable(np.stack([value] * places), dtype=variable.dtype, name=variable.name)


def _repeated(value: Any, places: int) -> tf.Variable:
    value = tf.convert_to_tensor(value)
    return tf.Variable(tf.repeat(value[None], places, axis=0))


def _is_stacked(variable: Any, places: int, excluded: set[int]) -> bool:
    """Returns whether a variable of the optimizer belongs to the weights, as a moment does."""
    return id(variable) not in excluded and variable.shape[:1] == (places,)


def _set_row(variable: Any, place: Any, value: Any) -> None:
    value = tf.cast(value, variable.dtype)
    variable.scatter_nd_update(tf.reshape(place, [1, 1]), value[None])


def _with_row(table: Any, place: int, row: np.ndarray) -> np.ndarray:
    """Returns a table with another row, made wider if that row is longer."""
    table = table.numpy()
    wide = np.zeros((len(table), max(table.shape[1], len(row))), "float32")
    wide[:, : table.shape[1]] = table
    wide[place] = np.pad(row, (0, wide.shape[1] - len(row)), mode="edge")
    return wide
