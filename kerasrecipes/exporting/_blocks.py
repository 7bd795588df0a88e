"""How blocks, normalisations, activations and kinds of dropout are written with stock layers."""

from typing import Any

import keras

from kerasrecipes.exporting._copies import autocast, placed, stock_config, values
from kerasrecipes.layers.squeeze_excite import means


def block(build: Any, layer: Any, x: Any, *, mask: Any = None) -> Any:
    """Returns the output of a `DenseBlock` or `ConvBlock`, step by step."""
    inputs = autocast(layer, x)
    shortcut = x = layer._masked(inputs, mask)
    if layer.projection is not None:
        shortcut = build(layer.projection, x, within=layer.name)
    for step in layer.steps:
        own = {}
        if step is layer.linear:
            x = layer._masked(x, mask)
            mask = layer.compute_mask(inputs, mask)
        elif isinstance(step, keras.layers.BatchNormalization) and mask is not None:
            own["mask"] = mask
        x = build(step, x, within=layer.name, **own)
    if not layer.residual:
        return x
    if layer.drop_branch is not None:
        x = build(layer.drop_branch, x, within=layer.name)
    return keras.layers.Add(name=build.name(layer.name, "sum"), dtype=layer.dtype_policy)(
        [x, shortcut]
    )


def batch_normalization(build: Any, layer: Any, x: Any, **kwargs: Any) -> Any:
    """Returns the output of Keras's layer for one of ours."""
    config = {**stock_config(layer, layer.get_config()), "name": build.name(layer.name)}
    stock = keras.layers.BatchNormalization.from_config(config)
    return placed(stock, values(*layer.weights), x, **_without_none(kwargs))


def dropout(build: Any, layer: Any, x: Any) -> Any:
    """Returns the input, in training with Keras's dropout of the same rate and shape of masks."""
    return keras.layers.Dropout(
        layer.rate,
        noise_shape=getattr(layer, "noise_shape", None),
        seed=layer.seed,
        dtype=layer.dtype_policy,
        name=build.name(layer.name),
    )(x)


def stochastic_depth(build: Any, layer: Any, x: Any) -> Any:
    """Returns the input, in training with whole rows dropped."""
    return keras.layers.Dropout(
        layer.rate,
        noise_shape=(None, *[1] * (len(x.shape) - 1)),
        seed=layer.seed,
        dtype=layer.dtype_policy,
        name=build.name(layer.name),
    )(x)


def channel_prelu(build: Any, layer: Any, x: Any) -> Any:
    """Returns the output of a PReLU that shares its slopes over all axes but the last."""
    shared = list(range(1, len(x.shape) - 1)) or None
    name, dtype = build.name(layer.name), layer.dtype_policy
    stock = keras.layers.PReLU(shared_axes=shared, name=name, dtype=dtype)
    return placed(stock, values(layer.alpha), x)


def rrelu(build: Any, layer: Any, x: Any) -> Any:
    """Returns the output of a leaky ReLU of the mean slope."""
    slope = (layer.lower + layer.upper) / 2
    name, dtype = build.name(layer.name), layer.dtype_policy
    return keras.layers.LeakyReLU(negative_slope=slope, name=name, dtype=dtype)(x)


def squeeze_excite(build: Any, layer: Any, x: Any, *, mask: Any = None) -> Any:
    """Returns the channels scaled by two dense layers on their means."""
    x = autocast(layer, x)
    gate = build(layer.squeeze, means(x, mask), within=layer.name)
    gate = build(layer.activate, gate, within=layer.name)
    gate = keras.ops.sigmoid(build(layer.excite, gate, within=layer.name))
    return x * keras.ops.expand_dims(gate, list(range(1, len(x.shape) - 1)))


def effective_kernel(build: Any, layer: Any, x: Any) -> Any:
    """Returns the output of the wrapped layer with the kernel that the wrapper makes of it."""
    config = stock_config(layer.layer, layer.layer.get_config())
    stock = type(layer.layer).from_config({**config, "name": build.name(layer.name)})
    kernel, *others = values(layer.effective_kernel(), *layer.layer.weights[1:])
    return placed(stock, [kernel, *others], x)


def left_out(build: Any, layer: Any, x: Any) -> Any:
    """Returns the input, for layers that do something in training only."""
    return x


def traced(build: Any, layer: Any, x: Any) -> Any:
    """Returns the operations of a layer without weights, one by one."""
    return layer.call(autocast(layer, x))


def _without_none(kwargs: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in kwargs.items() if value is not None}
