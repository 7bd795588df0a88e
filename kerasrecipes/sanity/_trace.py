"""Which layer was called on what: one forward pass, layer by layer."""

import dataclasses
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from kerasrecipes._find import LINEAR, find
from kerasrecipes._patch import patched_calls
from kerasrecipes.activations.facts import facts

NORMALIZATIONS = (
    keras.layers.BatchNormalization,
    keras.layers.LayerNormalization,
    keras.layers.GroupNormalization,
    keras.layers.RMSNormalization,
)
_TRANSPOSED = (
    keras.layers.Conv1DTranspose,
    keras.layers.Conv2DTranspose,
    keras.layers.Conv3DTranspose,
)
_PASSING = (
    keras.layers.Dropout,
    keras.layers.AlphaDropout,
    keras.layers.GaussianDropout,
    keras.layers.GaussianNoise,
    keras.layers.SpatialDropout1D,
    keras.layers.SpatialDropout2D,
    keras.layers.SpatialDropout3D,
    keras.layers.Flatten,
    keras.layers.Reshape,
    keras.layers.Identity,
)
DROPPING = _PASSING[:3] + _PASSING[4:7]


@dataclasses.dataclass(frozen=True, eq=False)
class Call:
    """One call of a layer that holds no other layers, or is one of Keras's own.

    Attributes:
        place: How many calls came before.
        layer: The layer.
        name: Its path in the model, of a layer without weights its place after one with weights.
        given: What it was given by position.
        inputs: The tensors in it.
        outputs: The tensors it returned.
    """

    place: int
    layer: Any
    name: str
    given: tuple[Any, ...]
    inputs: list[Any]
    outputs: list[Any]


class Trace:
    """The calls of one forward pass in their order."""

    def __init__(self, calls: list[Call], outputs: Any) -> None:
        self.calls = calls
        self.outputs = outputs

    def after(self, call: Call) -> Call | None:
        """Returns the call that took what this one returned; None if no layer did."""
        ids = {id(each) for each in call.outputs}
        later = self.calls[call.place + 1 :]
        return next((c for c in later if any(id(each) in ids for each in c.inputs)), None)

    def before_outputs(self) -> list[Call]:
        """Returns the calls that made the outputs, the last first, up to a layer with weights."""
        found: list[Call] = []
        for output in keras.tree.flatten(self.outputs):
            wanted, place = output, len(self.calls)
            while (call := self._maker(wanted, place)) is not None:
                found.append(call)
                if call.layer.weights or len(call.inputs) != 1:
                    break
                wanted, place = call.inputs[0], call.place
        return found

    def _maker(self, tensor: Any, place: int) -> Call | None:
        earlier = reversed(self.calls[:place])
        return next((c for c in earlier if any(each is tensor for each in c.outputs)), None)

    def linear(self) -> list[Call]:
        """Returns the calls of linear layers, one for each layer."""
        first: dict[int, Call] = {}
        for call in self.calls:
            if isinstance(call.layer, LINEAR):
                first.setdefault(id(call.layer), call)
        return list(first.values())

    def hidden(self) -> list[Call]:
        """Returns the calls of linear layers but those of the output."""
        heads = [c.layer for c in self.before_outputs() if c.layer.weights]
        linear = self.linear()
        if not heads and linear:
            heads = [linear[-1].layer]
        return [call for call in linear if all(call.layer is not head for head in heads)]

    def next_of_note(self, call: Call) -> Call | None:
        """Returns the next call that is no dropout, reshape or identity."""
        following = self.after(call)
        while following is not None and isinstance(following.layer, _PASSING):
            following = self.after(following)
        return following

    def activation_after(self, call: Call) -> Any:
        """Returns the activation that a linear layer's output goes through; None if not known.

        A normalisation in between counts as not known, since it takes the scale away.
        """
        own = getattr(call.layer, "activation", None)
        if own is not None and facts(own).name != "linear":
            return own
        following = self.next_of_note(call)
        return None if following is None else activation_of(following.layer)


def activation_of(layer: Any) -> Any:
    """Returns what an activation layer applies; None for a layer that is none."""
    if isinstance(layer, keras.layers.Activation):
        return layer.activation
    if isinstance(layer, LINEAR) or layer.trainable_weights:
        return None
    name = type(layer).__name__
    return layer if facts(layer).name != "linear" and _is_known(name) else None


def _is_known(name: str) -> bool:
    return name in {"ReLU", "LeakyReLU", "ELU", "Softmax", "RReLU"}


def _name(layer: Any, calls: list[Call]) -> str:
    """Returns where a layer is; names inside blocks are alike."""
    if layer.weights:
        return layer.weights[0].path.rpartition("/")[0] or layer.name
    before = next((each.name for each in reversed(calls) if each.layer.weights), "")
    return f"{layer.name} after {before}" if before else layer.name


def fans(layer: Any) -> tuple[int, int]:
    """Returns how many inputs a unit of a kernel has, and how many outputs an input has."""
    shape = tuple(layer.kernel.shape)
    window = int(np.prod(shape[:-2]))
    inputs, outputs = shape[-2:]
    if isinstance(layer, _TRANSPOSED):
        inputs, outputs = outputs, inputs
    return window * inputs, window * outputs


def trace(
    model: keras.Model, call_model: Callable[[], Any], layers: list[Any] | None = None
) -> Trace:
    """Calls the model, and returns which of its layers were called on what.

    Args:
        model: A model.
        call_model: Calls it.
        layers: The layers to watch. Defaults to None, those that do the work.
    """
    calls: list[Call] = []

    def recording(layer: Any, call: Callable[..., Any]) -> Callable[..., Any]:
        def recorded(*args: Any, **kwargs: Any) -> Any:
            outputs = call(*args, **kwargs)
            given = args or (kwargs.get("inputs"),)
            flat = [each for each in keras.tree.flatten(given) if each is not None]
            found = keras.tree.flatten(outputs)
            calls.append(Call(len(calls), layer, _name(layer, calls), given, flat, found))
            return outputs

        return recorded

    with patched_calls(_parts(model) if layers is None else layers, recording):
        outputs = call_model()
    return Trace(calls, outputs)


def _parts(model: keras.Model) -> list[Any]:
    """Returns the layers that do the work: not those which only hold others."""
    found, inside = [], set()
    for layer in find(model, keras.layers.Layer):
        if layer is model or id(layer) in inside or isinstance(layer, keras.layers.InputLayer):
            continue
        parts = [each for each in find(layer, keras.layers.Layer) if each is not layer]
        if parts and not _is_one(layer):
            continue
        inside.update(map(id, parts))
        found.append(layer)
    return found


def _is_one(layer: Any) -> bool:
    """Whether a layer that holds others counts as one: an RNN, an attention, a wrapper."""
    of_keras = type(layer).__module__.partition(".")[0] == "keras"
    return hasattr(layer, "effective_kernel") or (of_keras and not isinstance(layer, keras.Model))
