"""What comes out of each layer, measured within the training step."""

import contextlib
import threading
from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
from keras import ops

from kerasrecipes import _keras_internals
from kerasrecipes._patch import patched_calls
from kerasrecipes.callbacks._hooks import shared_variable

_DEAD = 1e-7  # what float32 leaves of a difference between values of about 1


class LayerActivations:
    """Watches the outputs of some layers in the training steps that are sampled.

    The model and the layers get a `train_step` and a `call` of their own for as long as this is
    attached. Validation and prediction are not looked at. Under several replicas the rows of the
    first one are.

    Args:
        model: A built model with a built optimizer.
        layers: The layers by name.
        every: Updates from one sample to the next.
    """

    def __init__(self, model: keras.Model, layers: Mapping[str, Any], every: int) -> None:
        self.model, self.layers, self.every = model, layers, every
        self._optimizer = _keras_internals.inner_optimizer(model.optimizer)
        self._taps = contextlib.ExitStack()
        self._step = threading.local()  # the replicas of a step are traced in a thread each
        self._sums: dict[str, Any] = {}
        self._ranges: dict[str, Any] = {}
        with _keras_internals.strategy_scope(model):
            self._begin = shared_variable(0, "int64", "sampling_begin")
            for index, (name, units) in enumerate(self._units().items()):
                self._sums[name] = shared_variable(np.zeros(2), "float32", f"sums_{index}")
                empty = _empty(units)
                self._ranges[name] = shared_variable(empty, "float32", f"range_{index}")

    def _units(self) -> dict[str, int]:
        """Returns how many units each layer has: the size of the last axis of its output.

        A layer within another one does not say, so the model is traced once.
        """
        import tensorflow as tf

        found: dict[str, int] = {}

        def note(name: str, outputs: Any) -> None:
            found[name] = outputs.shape[-1] if len(outputs.shape) > 1 else 1

        def forward(inputs: Any) -> Any:
            return self.model(inputs, training=False)

        is_sequential = isinstance(self.model, keras.Sequential)
        inputs = self.model.inputs[0] if is_sequential else self.model.input
        specs = keras.tree.map_structure(lambda x: tf.TensorSpec(x.shape, x.dtype), inputs)
        with self._shown(note):
            tf.function(forward, autograph=False).get_concrete_function(specs)
        return {name: found[name] or 1 for name in self.layers if name in found}

    def attach(self) -> None:
        """Begins to watch; the training step is traced anew."""
        train_step = self.model.train_step

        def watched(*args: Any, **kwargs: Any) -> Any:
            self._step.is_training = True
            try:
                return train_step(*args, **kwargs)
            finally:
                self._step.is_training = False

        object.__setattr__(self.model, "train_step", watched)
        self._taps.enter_context(self._shown(self._see))
        self.model.make_train_function(force=True)

    def detach(self) -> None:
        """Gives the model and its layers back what they had."""
        object.__delattr__(self.model, "train_step")
        self._taps.close()
        self.model.make_train_function(force=True)

    def _shown(self, see: Callable[[str, Any], None]) -> Any:
        """Returns a context in which `see` has the outputs of the layers."""
        names = {id(layer): name for name, layer in self.layers.items()}

        def tapped(layer: Any, call: Callable[..., Any]) -> Callable[..., Any]:
            def shown(*args: Any, **kwargs: Any) -> Any:
                outputs = call(*args, **kwargs)
                see(names[id(layer)], keras.tree.flatten(outputs)[0])
                return outputs

            return shown

        return patched_calls(self.layers.values(), tapped)

    def _see(self, name: str, outputs: Any) -> None:
        """Adds an output to the sums and ranges of its layer, if the step is sampled."""
        if not getattr(self._step, "is_training", False) or name not in self._sums:
            return
        updates = ops.cast(self._optimizer.iterations, "int64") - ops.convert_to_tensor(self._begin)
        units = self._ranges[name].shape[1]
        sums, ranges = ops.cond(
            ops.equal(ops.mod(updates, self.every), 0),
            lambda: _measured(outputs, units),
            lambda: (ops.zeros((2,)), ops.convert_to_tensor(_empty(units))),
        )
        self._sums[name].assign(ops.convert_to_tensor(self._sums[name]) + sums)
        known = ops.convert_to_tensor(self._ranges[name])
        low, high = ops.minimum(known[0], ranges[0]), ops.maximum(known[1], ranges[1])
        self._ranges[name].assign(ops.stack([low, high]))

    def variables(self) -> dict[str, Any]:
        """Returns the variables that make up the state, by name."""
        sums = {f"sums/{name}": each for name, each in self._sums.items()}
        ranges = {f"range/{name}": each for name, each in self._ranges.items()}
        return {**sums, **ranges, "begin": self._begin}

    def load(self, values: Mapping[str, Any]) -> None:
        """Sets some of the variables."""
        variables = self.variables()
        with _keras_internals.strategy_scope(self.model):
            for name, value in values.items():
                variables[name].assign(value)

    def begin(self) -> None:
        """Begins anew; the next update is sampled."""
        updates = ops.convert_to_numpy(self._optimizer.iterations)
        self.load({f"sums/{name}": np.zeros(2) for name in self._sums})
        self.load({f"range/{n}": _empty(each.shape[1]) for n, each in self._ranges.items()})
        self.load({"begin": np.int64(updates)})

    def means(self) -> dict[str, float]:
        """Returns root mean squares and shares of dead units over the samples, by log name."""
        found, dead = {}, {}
        for name in self._sums:
            squares, count = ops.convert_to_numpy(self._sums[name])
            low, high = ops.convert_to_numpy(self._ranges[name])
            if count:
                found[f"activation_rms/{name}"] = float(np.sqrt(squares / count))
                width = _DEAD * np.maximum(1.0, np.maximum(np.abs(low), np.abs(high)))
                dead[f"dead_fraction/{name}"] = float(np.mean(high - low <= width))
        return {**found, **dead}


def _empty(units: int) -> np.ndarray:
    """Returns the range of no values: from infinity to minus infinity."""
    return np.array([np.full(units, np.inf), np.full(units, -np.inf)], "float32")


def _measured(outputs: Any, units: int) -> Any:
    """Returns the mean square and a count of one, and the range of each unit."""
    rows = ops.reshape(ops.cast(outputs, "float32"), (-1, units))
    sums = ops.stack([ops.mean(ops.square(rows)), ops.ones(())])
    return sums, ops.stack([ops.min(rows, axis=0), ops.max(rows, axis=0)])
