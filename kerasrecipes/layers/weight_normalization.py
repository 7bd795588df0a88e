"""WeightNormalization, and its data-dependent initialisation."""

import functools
from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from kerasrecipes._checks import InputError
from kerasrecipes._export import export
from kerasrecipes._find import find
from kerasrecipes._patch import patched_calls
from kerasrecipes.layers._kernel import KernelWrapper, call_with_kernel, full_precision


@export("layers")
class WeightNormalization(KernelWrapper):
    """Learns the length and the direction of each weight vector apart.

    With V_c the weights that lead to output channel c:
        W_c = g_c * V_c / ||V_c||
    The layer computes with W; training moves V, the layer's kernel, and the gains g. The gains
    begin at ||V_c||, so that wrapping changes nothing at first. `initialize` sets gains and biases
    so that the layer's output before its activation has mean 0 and variance 1 per channel on a
    batch of data; `initialize_weight_normalization` does so for a whole model. Do not regularise
    the kernel: its length has no effect.

    Args:
        layer: A Dense, Conv, DepthwiseConv or ConvTranspose layer of Keras.
        **kwargs: Arguments of `keras.layers.Layer`, such as `name`.

    Call arguments:
        inputs: What `layer` takes.

    Returns: What `layer` returns.

    Raises: InputError for another kind of layer.

    Example:
    >>> import keras, numpy as np
    >>> x = np.random.default_rng(0).normal(3.0, 5.0, size=(64, 10))
    >>> layer = WeightNormalization(keras.layers.Dense(2))
    >>> layer.initialize(x)
    >>> y = np.array(layer(x))
    >>> (abs(y.mean(0)) < 1e-5).tolist(), y.std(0).round(4).tolist()
    ([True, True], [1.0, 1.0])

    Reference: Salimans & Kingma 2016, arXiv:1602.07868.
    """

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Creates the weights of the layer, and the gains at the lengths of its kernel."""
        super().build(input_shape)
        axes = self.input_axes()
        shape = [n for axis, n in enumerate(self.layer.kernel.shape) if axis not in axes]
        self.gain = self.add_weight(
            shape=shape,
            initializer=lambda shape, dtype: ops.cast(self._length(keepdims=False), dtype),
            name="gain",
        )

    def _length(self, keepdims: bool) -> Any:
        squares = ops.square(full_precision(self.layer.kernel))
        # The small number keeps a kernel of zeros, and its gradient, finite.
        return ops.sqrt(ops.sum(squares, self.input_axes(), keepdims=keepdims) + 1e-12)

    def _direction(self) -> Any:
        return full_precision(self.layer.kernel) / self._length(keepdims=True)

    def effective_kernel(self) -> Any:
        """Returns W, in float32 at least."""
        gain = ops.expand_dims(full_precision(self.gain), self.input_axes())
        return gain * self._direction()

    def initialize(self, inputs: Any) -> None:
        """Sets gains and biases from a batch, so that outputs have mean 0 and variance 1.

        With t the output for unit gains and no bias, m and s its mean and standard deviation per
        channel: g = 1 / s and bias = -m / s. Channels that do not vary are left alone. Without a
        bias only g is set. Not for use inside a compiled function.
        """
        inputs = ops.convert_to_tensor(inputs, self.compute_dtype)
        if not self.built:
            self.build(inputs.shape)
        t = full_precision(self._unit_output(inputs))
        channel = 1 if getattr(self.layer, "data_format", "") == "channels_first" else -1
        axes = [axis for axis in range(len(t.shape)) if axis != channel % len(t.shape)]
        mean, deviation = ops.mean(t, axes), ops.std(t, axes)
        varies = deviation > 1e-6
        scale = 1 / ops.where(varies, deviation, 1.0)
        gain = ops.where(varies, scale, ops.reshape(self.gain, (-1,)))
        self.gain.assign(ops.reshape(gain, self.gain.shape))
        if self.layer.use_bias:
            self.layer.bias.assign(ops.where(varies, -mean * scale, self.layer.bias.value))

    def _unit_output(self, inputs: Any) -> Any:
        zero_bias = {"bias": ops.zeros(self.layer.bias.shape)} if self.layer.use_bias else {}
        activation, self.layer.activation = self.layer.activation, None
        try:
            return call_with_kernel(self.layer, self._direction(), inputs, **zero_bias)
        finally:
            self.layer.activation = activation


@export("layers", saved=False)
def initialize_weight_normalization(model: keras.Model, x: Any) -> None:
    """Calls `initialize` on each `WeightNormalization` of a model, in the order of the network.

    Every layer sees what the layers before it, already initialised, make of the batch. Call it
    once, before training.

    Args:
        model: Keras model that holds `WeightNormalization` layers at any depth.
        x: One batch of inputs, preprocessed as in training; 500 rows are plenty.

    Raises: InputError if the model has no such layer.

    Example:
    >>> import keras, numpy as np
    >>> layers = [WeightNormalization(keras.layers.Dense(4)) for _ in range(3)]
    >>> model = keras.Sequential([keras.Input((8,)), *layers])
    >>> x = np.random.default_rng(0).normal(size=(100, 8))
    >>> initialize_weight_normalization(model, x)
    >>> np.array(model(x)).std(0).round(4).tolist()
    [1.0, 1.0, 1.0, 1.0]

    Reference: Salimans & Kingma 2016, arXiv:1602.07868, section 3.
    """
    layers = find(model, WeightNormalization)
    if not layers:
        raise InputError(
            f"`model` must hold WeightNormalization layers. Received: {model.name!r} with none."
        )
    with patched_calls(layers, _initialize_first):
        model(keras.tree.map_structure(ops.convert_to_tensor, x), training=False)


def _initialize_first(layer: WeightNormalization, call: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(call)
    def initialize_and_call(inputs: Any) -> Any:
        layer.initialize(inputs)
        return call(inputs)

    return initialize_and_call
