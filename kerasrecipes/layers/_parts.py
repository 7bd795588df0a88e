"""The steps of a block, made from what the caller gave: a name, a dict or a Keras object."""

from typing import Any, TypeGuard

import keras

from kerasrecipes._checks import check_choice, check_number, fail
from kerasrecipes._export import bind
from kerasrecipes.activations.facts import facts
from kerasrecipes.activations.identify import get as get_activation
from kerasrecipes.initializers.identify import get as get_initializer
from kerasrecipes.layers._cheapest_dropout import cheapest_dropout
from kerasrecipes.layers.channel_prelu import ChannelPReLU
from kerasrecipes.layers.rrelu import RReLU

STEPS = ("linear", "norm", "activation", "dropout")
ORDERS = {
    "post-activation": "linear-norm-activation-dropout",
    "pre-activation": "norm-activation-dropout-linear",
}
NORMALIZATIONS = {
    name: getattr(keras.layers, layer)
    for name, layer in {
        "batch": "BatchNormalization",
        "layer": "LayerNormalization",
        "group": "GroupNormalization",
        "rms": "RMSNormalization",
    }.items()
    if hasattr(keras.layers, layer)
}
LAYER_ACTIVATIONS = {"prelu": ChannelPReLU, "rrelu": RReLU}
_ON_TENSORFLOW = keras.backend.backend() == "tensorflow"


def steps(order: str) -> list[str]:
    """Returns the steps that `order` names, first to last."""
    names = ORDERS.get(str(order), str(order)).split("-")
    if sorted(names) != sorted(STEPS):
        expected = f"one of {', '.join(map(repr, ORDERS))}, or {'-'.join(STEPS)!r} in any order"
        fail("order", expected, order)
    return names


def template(thing: Any) -> Any:
    """Returns the config of a layer, of which every block makes a copy; anything else as it is."""
    if isinstance(thing, keras.layers.Layer):
        return keras.saving.serialize_keras_object(thing)
    return thing


def store(thing: Any) -> Any:
    """Returns `thing` fit for a config."""
    if thing is None or isinstance(thing, (str, int, float, dict)):
        return thing
    return keras.saving.serialize_keras_object(thing)


def normalization(
    spec: Any, synchronized: bool, dtype: keras.DTypePolicy
) -> keras.layers.Layer | None:
    """Returns the normalisation layer for a name, a {"name": ...} dict, a template or None."""
    if spec is None:
        return None
    # Elsewhere Keras refuses the argument; JAX takes statistics over all devices anyway.
    over_replicas = {"synchronized": True} if synchronized and _ON_TENSORFLOW else {}
    if _is_config(spec):
        return _copy(spec, dtype, "norm", over_replicas)
    arguments = dict(spec) if isinstance(spec, dict) else {"name": spec}
    remedy = "Or give a dict with such a name and arguments, a layer, or None."
    name = check_choice("normalization", arguments.pop("name", None), NORMALIZATIONS, remedy=remedy)
    if name == "batch":
        arguments.update(over_replicas)
    return bind("normalization", NORMALIZATIONS[name], {**arguments, **_named("norm", dtype)})


def needs_bias(names: list[str], norm: keras.layers.Layer | None) -> bool:
    """Whether a bias of the linear step would do anything that no later parameter does.

    It would not when a normalisation with an offset of its own comes next.
    """
    followed = names[names.index("linear") + 1 :][:1] == ["norm"]
    return not (followed and getattr(norm, "center", False))


def activation(spec: Any, seed: int | None, dtype: keras.DTypePolicy) -> keras.layers.Layer | None:
    """Returns the activation layer for a name, a dict, a function, a template or None."""
    if spec is None:
        return None
    if isinstance(spec, str):
        spec = {"name": spec}
    if _is_config(spec):
        spec = _copy(spec, dtype, "activation", _seeded(seed))
    if isinstance(spec, keras.layers.Layer):
        return spec
    named = _named("activation", dtype)
    arguments = dict(spec) if isinstance(spec, dict) else {}
    kind = LAYER_ACTIVATIONS.get(str(arguments.pop("name", "")).replace("_", "").lower())
    if kind is None:
        return keras.layers.Activation(get_activation(spec), **named)
    arguments = {**(_seeded(seed) if kind is RReLU else {}), **arguments}
    return bind("activation", kind, {**arguments, **named})


def named_activation(spec: Any, seed: int | None, name: str) -> keras.layers.Layer | None:
    """Returns the activation layer under a name, of the global dtype; None for None."""
    layer = activation(spec, seed, keras.config.dtype_policy())
    if layer is None:
        return None
    return type(layer).from_config({**layer.get_config(), "name": name})


def needed_activation(spec: Any, seed: int | None, dtype: keras.DTypePolicy) -> keras.layers.Layer:
    """Returns the activation layer; None is an error."""
    layer = activation(spec, seed, dtype)
    if layer is None:
        fail("activation", "a name, a function or a layer", spec)
    return layer


def dropout(
    spec: Any, activation: keras.layers.Layer | None, seed: int | None, dtype: keras.DTypePolicy
) -> keras.layers.Layer | None:
    """Returns the dropout layer for a rate or template: AlphaDropout after SELU; None for 0."""
    if _is_config(spec):
        return _copy(spec, dtype, "dropout", _seeded(seed))
    rate = check_number("dropout", spec, low=0, high=1, open_high=True)
    if rate == 0:
        return None
    alpha = facts(activation).alpha_dropout
    layer = keras.layers.AlphaDropout if alpha else cheapest_dropout
    return layer(rate, seed=seed, **_named("dropout", dtype))


def kernel_initializer(spec: Any, activation: keras.layers.Layer | None, seed: int | None) -> Any:
    """Returns the initializer for a name, "auto", a dict, a config or an initializer."""
    return get_initializer(spec, activation=activation, seed=seed)


def _named(name: str, dtype: keras.DTypePolicy) -> dict[str, Any]:
    return {"name": name, "dtype": dtype}


def _is_config(spec: Any) -> TypeGuard[dict[str, Any]]:
    return isinstance(spec, dict) and "class_name" in spec


def _seeded(seed: int | None) -> dict[str, Any]:
    return {} if seed is None else {"seed": seed}


def _copy(
    spec: dict[str, Any], dtype: keras.DTypePolicy, name: str, changes: dict[str, Any]
) -> Any:
    """Returns the object of a config; a layer gets the block's dtype, and those changes it has."""
    config = spec["config"]
    if isinstance(config, dict) and "dtype" in config:
        changes = {key: value for key, value in changes.items() if key in config}
        config = {**config, "name": name, "dtype": dtype.name, **changes}
    return keras.saving.deserialize_keras_object({**spec, "config": config})
