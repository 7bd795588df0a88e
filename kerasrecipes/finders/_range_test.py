"""Trains a model at growing rates, many batches in a graph at a time."""

import contextlib
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from kerasrecipes import _keras_internals
from kerasrecipes._checks import InputError, fail
from kerasrecipes._find import find
from kerasrecipes.callbacks._snapshot import Snapshot
from kerasrecipes.callbacks._variables import build_optimizer
from kerasrecipes.callbacks.bind_schedule import BindSchedule

CHUNK = 10
"""Updates between two looks of the host at the losses."""
_ENDLESS = 2**30  # updates; a schedule of a layer stays at its beginning
_OUT_OF_DATA = "Your input ran out of data"


def train_at(
    model: keras.Model,
    rates: np.ndarray,
    data: dict[str, Any],
    is_over: Callable[[np.ndarray], bool],
) -> np.ndarray:
    """Trains by one update at each rate, and brings everything back; returns the losses.

    Args:
        model: A compiled model.
        rates: Rates in their order, (steps,).
        data: Arguments of `fit`.
        is_over: Is shown the losses so far after each chunk; returns whether to end.

    Returns: Loss of the batch of each update, before it, float64, at most (steps,); NaN after
        an update that left a weight NaN or infinite.

    Raises: InputError if a batch with NaN or infinity did that.
    """
    optimizer = _keras_internals.inner_optimizer(model.optimizer)
    snapshot = Snapshot(model)
    try:
        with _keras_internals.strategy_scope(model):
            rate = tf.Variable(
                tf.constant(rates[0], tf.float32),
                trainable=False,
                aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
            )
        with _following(optimizer, rate), warnings.catch_warnings():
            warnings.filterwarnings("ignore", _OUT_OF_DATA)
            steps = _Steps(model, rate, rates, batches_per_update(optimizer), snapshot, is_over)
            model.train_function = steps
            model.steps_per_execution = steps.chunk
            model.fit(**data, verbose=0, callbacks=[_BindLayers()])
    finally:
        snapshot.restore()
    if not len(steps.losses()):
        raise InputError("`data` must have at least one batch for each update. Received: fewer.")
    steps.check_data()
    return steps.losses()


def batches_per_update(optimizer: Any) -> int:
    """Returns over how many batches an optimizer accumulates gradients."""
    own = getattr(optimizer, "accumulation_steps", None)
    return own or getattr(optimizer, "gradient_accumulation_steps", None) or 1


@contextlib.contextmanager
def _following(optimizer: Any, rate: tf.Variable) -> Iterator[None]:
    """Lets an optimizer take its rate from a variable, without schedules, warm-up and hooks.

    A class between the object and its own class replaces the property that all optimizers read
    their rate from, so that nothing of the optimizer itself is touched.
    """
    own = type(optimizer)
    without = {"schedule": None, "decay_schedule": None, "warmup_steps": 0, "hooks": ()}
    before = {name: vars(optimizer)[name] for name in without if name in vars(optimizer)}
    follower = type(own.__name__, (own,), {"learning_rate": property(lambda _: rate.value())})
    object.__setattr__(optimizer, "__class__", follower)
    try:
        for name in before:
            setattr(optimizer, name, without[name])
        yield
    finally:
        object.__setattr__(optimizer, "__class__", own)
        for name, value in before.items():
            setattr(optimizer, name, value)


class _Steps:
    """Stands for a model's `train_function`: trains on a chunk of batches, or those left.

    Attributes:
        chunk: Batches at a time.
    """

    def __init__(
        self,
        model: keras.Model,
        rate: tf.Variable,
        rates: np.ndarray,
        batches: int,
        snapshot: Snapshot,
        is_over: Callable[[np.ndarray], bool],
    ) -> None:
        self._model = model
        self._rate = rate
        self._batches = batches
        self._snapshot = snapshot
        self._is_over = is_over
        self._rates = tf.constant(np.repeat(rates, batches), tf.float32)
        self._total = len(rates) * batches
        self._record = tf.Variable(tf.zeros([self._total, 3]), trainable=False)
        self._done = tf.Variable(tf.constant(0), trainable=False)
        self._run: Any = None
        self.chunk = CHUNK * batches

    def losses(self) -> np.ndarray:
        """Returns the loss of each update that was made, the mean over its batches.

        A ReLU turns NaN into 0 on a CPU, so weights that are NaN can have a finite loss. What
        follows them is NaN here.
        """
        losses, _, weights = self._outcomes()
        if not weights.all():
            losses[int(np.argmin(weights)) + 1 :] = np.nan
        return losses

    def check_data(self) -> None:
        """Refuses data whose first batch with NaN or infinity broke the training."""
        losses, rows, weights = self._outcomes()
        whole = np.isfinite(losses) & weights
        first = int(np.argmin(rows))
        if rows.all() or not whole[:first].all() or whole[first]:
            return
        fail(
            "data",
            "finite, or rows that the model takes with their gaps",
            f"NaN or infinity in the batch of update {first + 1}, after which the loss or the "
            "weights were not finite",
            "Fill the gaps or remove those rows; `sanity.check` names them.",
        )

    def _outcomes(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Returns of each update its loss, and whether its batches and the weights are finite."""
        updates = int(self._done.numpy()) // self._batches
        found = self._record.numpy()[: updates * self._batches].astype("float64")
        found = found.reshape(updates, self._batches, 3)
        rows, weights = (found[..., 1:].min(axis=1) == 1).T
        return found[..., 0].mean(axis=1), rows, weights

    def __call__(self, iterator: Any) -> dict[str, float]:
        """Trains; raises `StopIteration` if there is no batch left."""
        if self._run is None:
            self._run = self._prepare(iterator)
        done = int(self._done.numpy())
        self._run(iterator, tf.constant(min(self.chunk, self._total - done)))
        now, losses = int(self._done.numpy()), self.losses()
        if now == done:
            raise StopIteration
        if now == self._total or (len(losses) and self._is_over(losses)):
            self._model.stop_training = True
        return {"loss": float(self._record.numpy()[now - 1, 0])}

    def _prepare(self, iterator: Any) -> Callable[..., None]:
        """Traces the training of a chunk, and keeps the variables that this made or uses.

        A trace that builds the optimizer takes twice as long, so it is built before.
        """
        if self._model.built or self._model.run_eagerly:
            build_optimizer(self._model)
            self._snapshot.add(self._model.optimizer.variables)
        if self._model.run_eagerly:
            return self._train
        traced = tf.function(self._train, autograph=False)
        own = {id(each) for each in (self._rate, self._record, self._done)}
        used = traced.get_concrete_function(iterator, tf.TensorSpec([], tf.int32)).variables
        self._snapshot.add(each for each in used if id(each) not in own)
        self._snapshot.add([*self._model.variables, *self._model.optimizer.variables])
        return traced

    def _train(self, iterator: Any, limit: Any) -> None:
        one_batch = self._one_batch()

        def train(batch: Any) -> Any:
            at = self._done.read_value()
            self._rate.assign(tf.gather(self._rates, at))
            outcome = one_batch(batch)
            self._record.scatter_nd_update(tf.reshape(at, [1, 1]), outcome[tf.newaxis])
            self._done.assign_add(1)
            return tf.constant(True)

        def body(index: Any, _: Any) -> Any:
            batch = iterator.get_next_as_optional()
            more = tf.cond(
                batch.has_value(), lambda: train(batch.get_value()), lambda: tf.constant(False)
            )
            return index + 1, more

        tf.while_loop(
            lambda index, more: tf.logical_and(index < limit, more),
            body,
            (tf.constant(0), tf.constant(True)),
        )

    def _one_batch(self) -> Callable[[Any], Any]:
        """Returns what trains on a batch, compiled as `fit` compiles it.

        It returns the loss, and 1 or less for whether the batch, and the weights after it, are
        finite on all replicas.
        """
        model, strategy = self._model, self._model.distribute_strategy

        def step(data: Any) -> Any:
            for metric in model.metrics:
                metric.reset_state()
            logs = model.train_step(data)
            if not isinstance(logs, dict) or "loss" not in logs:
                raise InputError("`model` must have a `train_step` that returns its 'loss'.")
            loss = tf.cast(logs["loss"], tf.float32)
            return tf.stack([loss, _is_finite(data), _is_finite(model.trainable_variables)])

        def one_batch(data: Any) -> Any:
            outcome = strategy.run(step, args=(data,))
            return strategy.reduce(tf.distribute.ReduceOp.MEAN, outcome, axis=None)

        # In a loop, TensorFlow fails on a function of several replicas; they are not compiled.
        if not model.run_eagerly and strategy.num_replicas_in_sync == 1:
            one_batch = tf.function(
                one_batch, autograph=False, reduce_retracing=True, jit_compile=model.jit_compile
            )
        return lambda data: one_batch(keras.tree.map_structure(_without_optionals, data))


def _is_finite(values: Any) -> Any:
    """Returns 1 if all floating-point numbers are finite, else 0."""
    dense = [each for each in keras.tree.flatten(values) if each is not None]
    dense = [getattr(each, "flat_values", getattr(each, "values", each)) for each in dense]
    found = [tf.convert_to_tensor(each) for each in dense]
    whole = [tf.reduce_all(tf.math.is_finite(each)) for each in found if each.dtype.is_floating]
    return tf.cast(tf.reduce_all(whole) if whole else True, tf.float32)


def _without_optionals(leaf: Any) -> Any:
    return None if isinstance(leaf, tf.experimental.Optional) else leaf


class _BindLayers(BindSchedule):
    """Holds schedules of layers that no fit has bound at their beginning; those of rates rest."""

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Binds layers that are not bound."""
        for layer in find(self.model, keras.layers.Layer):
            if hasattr(layer, "bind_fit") and layer.schedule.needs_fit:
                if int(keras.ops.convert_to_numpy(layer.fit_steps)) == 0:
                    layer.bind_fit(epoch=0, steps=_ENDLESS, steps_per_epoch=_ENDLESS)
