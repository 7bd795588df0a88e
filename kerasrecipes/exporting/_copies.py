"""Copies of stock layers that hold nothing of this package."""

from typing import Any

import keras

from kerasrecipes._checks import InputError

_OURS = "kerasrecipes"


def is_stock(thing: Any) -> bool:
    """Returns whether a thing's class or function is Keras's own."""
    kind = thing if hasattr(thing, "__qualname__") else type(thing)
    return kind.__module__.split(".")[0] == "keras"


def stock_config(layer: keras.layers.Layer, config: dict[str, Any]) -> dict[str, Any]:
    """Returns a layer's config without initializers of this package, which have done their work.

    Anything else that is not Keras's own is an `InputError`.
    """
    return _cleaned(layer, "config", config)


def _cleaned(layer: keras.layers.Layer, key: str, value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return type(value)(_cleaned(layer, key, each) for each in value)
    if not isinstance(value, dict):
        return value
    if "class_name" in value and not _is_stock_config(value):
        raise InputError(
            f"`model` must be made of parts that stock Keras has. Layer {layer.name!r} "
            f"({type(layer).__name__}) has `{key}` {value['class_name']!r}, which it has not."
        )
    return {
        name: _cleaned(layer, name, each)
        for name, each in value.items()
        if not (name.endswith("_initializer") and _is_ours(each))
    }


def _is_ours(value: Any) -> bool:
    return isinstance(value, dict) and str(value.get("registered_name")).startswith(_OURS)


def _is_stock_config(value: dict[str, Any]) -> bool:
    module = str(value.get("module") or "keras").split(".")[0]
    return module in ("keras", "builtins") and ">" not in str(value.get("registered_name"))


def values(*variables: Any) -> list[Any]:
    """Returns the values of variables as NumPy arrays."""
    return [keras.ops.convert_to_numpy(each) for each in variables]


def placed(layer: keras.layers.Layer, weights: Any, *args: Any, **kwargs: Any) -> Any:
    """Returns the outputs of a new layer for symbolic inputs, with these weights."""
    y = layer(*args, **kwargs)
    if weights:
        layer.set_weights(weights)
    return y


def autocast(layer: keras.layers.Layer, x: Any) -> Any:
    """Returns what Keras would hand to the layer's `call`: floats in its compute dtype."""
    if not layer.autocast:
        return x
    return keras.tree.map_structure(lambda each: _as_float(each, layer.compute_dtype), x)


def _as_float(x: Any, dtype: str) -> Any:
    if not hasattr(x, "dtype") or "float" not in keras.backend.standardize_dtype(x.dtype):
        return x
    return x if x.dtype == dtype else keras.ops.cast(x, dtype)
