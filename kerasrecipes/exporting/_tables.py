"""How the layers for tables are written with stock layers."""

import math
from typing import Any

import keras
from keras import ops

from kerasrecipes.exporting._copies import autocast, placed, values
from kerasrecipes.layers.piecewise_linear_embedding import filled


def feature_scale(build: Any, layer: Any, x: Any) -> Any:
    """Returns each input times its factor."""
    return _scaled(build, layer, x, layer.gain)


def ntk_dense(build: Any, layer: Any, x: Any) -> Any:
    """Returns the output of a dense layer with the kernel W / sqrt(D)."""
    kernel, bias = values(layer.kernel, layer.bias)
    dense = keras.layers.Dense(layer.units, **_named(build, layer))
    return placed(dense, [kernel / math.sqrt(len(kernel)), bias], x)


def parametric_activation(build: Any, layer: Any, x: Any) -> Any:
    """Returns x + (f(x) - x) * alpha."""
    x = autocast(layer, x)
    active = build(layer.activate, x, within=layer.name)
    return x + _scaled(build, layer, active - x, layer.alpha)


def periodic_embedding(build: Any, layer: Any, x: Any) -> Any:
    """Returns the waves of each number, and the linear map on them."""
    x = autocast(layer, x)
    frequency, phase, kernel, bias = values(layer.frequency, layer.phase, layer.kernel, layer.bias)
    features, waves = frequency.shape
    angle = keras.layers.EinsumDense(
        "bf,fk->bfk", (features, waves), bias_axes="fk", **_named(build, layer, "angle", "float32")
    )
    cosine = ops.cos(placed(angle, [2 * math.pi * frequency, phase], x))
    linear = keras.layers.EinsumDense(
        "bfk,fku->bfu", (features, layer.units), bias_axes="fu", **_named(build, layer)
    )
    y = placed(linear, [kernel, bias], ops.cast(cosine, layer.compute_dtype))
    return ops.concatenate([ops.expand_dims(x, -1), y], axis=-1) if layer.append_input else y


def piecewise_linear_embedding(build: Any, layer: Any, x: Any) -> Any:
    """Returns how far each number fills its bins, and the linear map on that."""
    x = autocast(layer, x)
    edges, kernel, bias = values(layer.edges, layer.kernel, layer.bias)
    fill = ops.cast(filled(x, edges, extrapolate=layer.extrapolate), layer.compute_dtype)
    shape = (len(edges), layer.units)
    linear = keras.layers.EinsumDense("bft,ftu->bfu", shape, bias_axes="fu", **_named(build, layer))
    y = placed(linear, [kernel, bias], fill)
    if layer.activate is not None:
        y = build(layer.activate, y, within=layer.name)
    if not layer.linear_skip:
        return y
    skip = keras.layers.EinsumDense("bf,fu->bfu", shape, **_named(build, layer, "skip"))
    return y + placed(skip, values(layer.skip), x)


def category_embedding(build: Any, layer: Any, x: Any) -> Any:
    """Returns one-hot columns, and vectors from tables."""
    x = ops.cast(x, "int32")
    hot = layer.one_hot(x)
    parts = [] if hot is None else [hot]
    for table, rows in zip(layer.tables, layer.rows_of_tables(x), strict=True):
        size, width = table.shape
        embedding = keras.layers.Embedding(size, width, **_named(build, layer, f"vectors_{width}"))
        vectors = placed(embedding, values(table), rows)
        parts.append(ops.reshape(vectors, (-1, rows.shape[1] * width)))
    return parts[0] if len(parts) == 1 else ops.concatenate(parts, axis=-1)


def ensemble_dense(build: Any, layer: Any, x: Any) -> Any:
    """Returns the members' outputs: a scale of each before, and one after, a shared dense layer."""
    k, width = layer.input_scale.shape
    equation = "bd,kd->bkd" if len(x.shape) == 2 else "bkd,kd->bkd"
    before = keras.layers.EinsumDense(equation, (k, width), **_named(build, layer, "inputs"))
    shared = keras.layers.Dense(layer.units, use_bias=False, **_named(build, layer, "shared"))
    after = keras.layers.EinsumDense(
        "bku,ku->bku",
        (k, layer.units),
        bias_axes="ku" if layer.use_bias else None,
        **_named(build, layer),
    )
    bias = [layer.bias] if layer.use_bias else []
    x = placed(before, values(layer.input_scale), x)
    x = placed(shared, values(layer.kernel), x)
    return _activated(build, layer, placed(after, values(layer.output_scale, *bias), x))


def ensemble_head(build: Any, layer: Any, x: Any) -> Any:
    """Returns the members' outputs, each by a kernel of its own."""
    k, _, units = layer.kernel.shape
    axes = "ku" if layer.use_bias else None
    linear = keras.layers.EinsumDense(
        "bkd,kdu->bku", (k, units), bias_axes=axes, **_named(build, layer)
    )
    bias = [layer.bias] if layer.use_bias else []
    return _activated(build, layer, placed(linear, values(layer.kernel, *bias), x))


def position_encoding(build: Any, layer: Any, x: Any) -> Any:
    """Returns the input with the positions added, which for series of any length are counted."""
    x = autocast(layer, x)
    if x.shape[1] is not None:
        return layer.call(x)
    pairs, odd = divmod(x.shape[-1], 2)
    ones = ops.ones_like(x[:, :, :1], dtype="float32")
    steps = ops.cumsum(ones, axis=1) - 1.0
    angles = steps * layer.frequencies(pairs)
    parts = [ops.sin(angles), ops.cos(angles)] + [0 * steps] * odd
    return x + ops.cast(ops.concatenate(parts, axis=-1), x.dtype)


def _activated(build: Any, layer: Any, y: Any) -> Any:
    return y if layer.activate is None else build(layer.activate, y, within=layer.name)


def _scaled(build: Any, layer: Any, x: Any, factors: Any) -> Any:
    axes = "abcdefgh"[: len(x.shape)]
    equation = f"{axes},{axes[-1]}->{axes}"
    product = keras.layers.EinsumDense(equation, x.shape[1:], **_named(build, layer))
    return placed(product, values(factors), x)


def _named(build: Any, layer: Any, part: str = "", dtype: Any = None) -> dict[str, Any]:
    name = build.name(layer.name, part) if part else build.name(layer.name)
    return {"name": name, "dtype": layer.dtype_policy if dtype is None else dtype}
