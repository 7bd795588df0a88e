"""The training step of one model as a pure function, whose settings are tensors."""

import contextlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from kerasrecipes._find import find
from kerasrecipes.layers.hash_dropout import HashDropout
from kerasrecipes.optimizers.clipping import Clipping, safe_norm
from kerasrecipes.targets.smoothed_crossentropy import SmoothedCrossentropy
from kerasrecipes.tuning._plain_loss import PlainLoss

_DROPOUT = (keras.layers.Dropout, keras.layers.AlphaDropout)
_ALPHA = -1.6732632423543772848170429916717 * 1.0507009873554804934193349852946
_FACTORS = ("l1", "l2")

Settings = Mapping[str, Any]


class MemberGraph:
    """What a recipe model computes, with its weights and settings as arguments.

    The settings of a member, by name: "dropout", shape (dropout layers,); "penalties", shape
    (regularizers, 2), the factors of L1 and L2; "smoothing"; and "clip", the largest global norm of
    the gradients.

    Args:
        model: A compiled recipe model, the pattern of all members.
        names: The metrics that are evaluated besides the loss; None for all.
    """

    def __init__(self, model: Any, names: Collection[str] | None = None) -> None:
        self.model = model
        self.dropouts = dropouts_of(model)
        self.regularizers = regularizers_of(model)
        target = model.target
        known = [] if target is None else [*target.metrics(), PlainLoss(target)]
        self.metrics = [each for each in known if names is None or each.name in names]

    def gradients(
        self,
        settings: Settings,
        weights: Sequence[Any],
        states: Sequence[Any],
        x: Any,
        y: Any,
        sample_weight: Any = None,
    ) -> tuple[list[Any], list[Any], Any]:
        """Returns the clipped gradients, the new other variables, and the loss of a batch."""
        weights = list(weights)
        with self._set(settings), tf.GradientTape() as tape:
            tape.watch(weights)
            outputs, states, penalties = self._call(weights, states, x, training=True)
            loss = self._loss(y, outputs, sample_weight, penalties)
        found = tape.gradient(loss, weights, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        norm = safe_norm(found)
        by_norm = Clipping(global_clipnorm="auto")
        clipped, _ = by_norm(found, weights, norm=norm, threshold=settings["clip"])
        return clipped, states, loss

    def metric_states(self, x: Any, y: Any) -> list[list[Any]]:
        """Returns the empty states of the metrics, which see some rows to create them."""
        outputs = self.model(x, training=False)
        for metric in self.metrics:
            metric.update_state(y, outputs)
            metric.reset_state()
        return [[ops.convert_to_tensor(v) for v in metric.variables] for metric in self.metrics]

    def evaluated(
        self,
        settings: Settings,
        weights: Sequence[Any],
        states: Sequence[Any],
        metric_states: Sequence[Sequence[Any]],
        x: Any,
        y: Any,
        sample_weight: Any = None,
    ) -> tuple[Any, list[Any]]:
        """Returns the loss of a batch in inference, and the metrics' states after it."""
        with self._set(settings):
            outputs, _, penalties = self._call(list(weights), states, x, training=False)
            loss = self._loss(y, outputs, sample_weight, penalties)
        after = [
            list(metric.stateless_update_state(list(state), y, outputs))
            for metric, state in zip(self.metrics, metric_states, strict=True)
        ]
        return loss, after

    def results(self, metric_states: Sequence[Sequence[Any]]) -> dict[str, Any]:
        """Returns the metrics by name."""
        pairs = zip(self.metrics, metric_states, strict=True)
        return {metric.name: metric.stateless_result(list(state)) for metric, state in pairs}

    def _call(
        self, weights: Sequence[Any], states: Sequence[Any], x: Any, *, training: bool
    ) -> tuple[Any, list[Any], list[Any]]:
        states = list(states)
        return self.model.stateless_call(weights, states, x, training=training, return_losses=True)

    def _loss(self, y: Any, outputs: Any, sample_weight: Any, penalties: Sequence[Any]) -> Any:
        return sum(penalties, self.model.loss(y, outputs, sample_weight))

    @contextlib.contextmanager
    def _set(self, settings: Settings) -> Iterator[None]:
        """Gives the layers, regularizers and the loss tensors for a while, in place of numbers."""
        with contextlib.ExitStack() as stack:
            for index, layer in enumerate(self.dropouts):
                rate = settings["dropout"][index]
                stack.enter_context(_replaced(layer, "call", _dropping(layer, rate)))
            for index, regularizer in enumerate(self.regularizers):
                for place, name in enumerate(_FACTORS):
                    if hasattr(regularizer, name):
                        factor = settings["penalties"][index, place]
                        stack.enter_context(_replaced(regularizer, name, factor))
            if isinstance(self.model.loss, SmoothedCrossentropy):
                amount = settings["smoothing"]
                stack.enter_context(_replaced(self.model.loss, "label_smoothing", amount))
            yield


def dropouts_of(model: keras.Model) -> list[Any]:
    """Returns the dropout layers of a model."""
    return [layer for layer in find(model, _DROPOUT) if layer.rate > 0]


def regularizers_of(model: keras.Model) -> list[Any]:
    """Returns the regularizers of the weights, each once."""
    found: list[Any] = []
    for variable in model.trainable_variables:
        regularizer = variable.regularizer
        if regularizer is not None and not any(regularizer is each for each in found):
            found.append(regularizer)
    return found


def settings_of(model: Any) -> dict[str, Any]:
    """Returns the settings of a compiled recipe model, as numbers."""
    clip = model.optimizer.clipping.global_clipnorm
    penalties = [
        [float(getattr(each, name, 0.0)) for name in _FACTORS] for each in regularizers_of(model)
    ]
    return {
        "dropout": [float(layer.rate) for layer in dropouts_of(model)] or [0.0],
        "penalties": penalties or [[0.0, 0.0]],
        "smoothing": float(getattr(model.loss, "label_smoothing", 0.0)),
        "clip": float("inf") if clip is None else float(clip),
    }


@contextlib.contextmanager
def _replaced(thing: Any, name: str, value: Any) -> Iterator[None]:
    before = vars(thing).get(name)
    setattr(thing, name, value)
    try:
        yield
    finally:
        if before is None:
            delattr(thing, name)
        else:
            setattr(thing, name, before)


def _dropping(layer: Any, rate: Any) -> Any:
    """Returns `call` of a dropout layer with a tensor as its rate, which Keras's cannot take.

    The mask is that of the layer: of the same random numbers.
    """
    drop = _alpha_dropped if isinstance(layer, keras.layers.AlphaDropout) else _dropped

    def call(inputs: Any, training: bool = False) -> Any:
        if not training:
            return inputs
        return drop(inputs, _kept(layer, inputs, rate), tf.cast(rate, inputs.dtype))

    return call


def _kept(layer: Any, inputs: Any, rate: Any) -> Any:
    if isinstance(layer, HashDropout):
        threshold = tf.minimum(tf.round(tf.cast(rate, tf.float64) * 2.0**32), 2.0**32 - 2)
        return layer.hashes(inputs) >= tf.cast(threshold, tf.uint32)
    shape = _noise_shape(layer, inputs)
    uniform = keras.random.uniform(shape, dtype=inputs.dtype, seed=layer.seed_generator)
    return uniform >= tf.cast(rate, inputs.dtype)


def _noise_shape(layer: Any, inputs: Any) -> Any:
    shape = tf.shape(inputs)
    given = layer.noise_shape or [None] * len(inputs.shape)
    return [shape[axis] if size is None else size for axis, size in enumerate(given)]


def _dropped(inputs: Any, kept: Any, rate: Any) -> Any:
    return tf.where(kept, inputs * (1 / (1 - rate)), tf.zeros_like(inputs))


def _alpha_dropped(inputs: Any, kept: Any, rate: Any) -> Any:
    kept = tf.cast(kept, inputs.dtype)
    scale = ((1 - rate) * (1 + rate * _ALPHA**2)) ** -0.5
    return scale * (inputs * kept + _ALPHA * (1 - kept)) - scale * _ALPHA * rate
