"""From whatever names an initializer to an initializer."""

import inspect
from collections.abc import Callable
from typing import Any

import keras

from kerasrecipes._checks import InputError, did_you_mean, fail
from kerasrecipes._export import bind
from kerasrecipes._seeds import child_seed
from kerasrecipes.initializers import presets
from kerasrecipes.initializers.for_activation import for_activation
from kerasrecipes.initializers.gate_orthogonal import GateOrthogonal

_PRESETS: dict[str, Callable[..., Any]] = {
    "glorot": presets.glorot,
    "xavier": presets.glorot,
    "he": presets.he,
    "kaiming": presets.he,
    "lecun": presets.lecun,
    "pytorch": presets.pytorch,
    "output": presets.output,
    "gate_orthogonal": GateOrthogonal,
}
_STOCK: dict[str, Callable[..., Any]] = {
    name: thing
    for name, thing in vars(keras.initializers).items()
    if inspect.isclass(thing)
    and issubclass(thing, keras.initializers.Initializer)
    and thing is not keras.initializers.Initializer
}


def _key(name: str) -> str:
    return name.replace("_", "").lower()


_BY_KEY = {_key(name): factory for name, factory in (_STOCK | _PRESETS).items()}


def get(
    identifier: Any, *, activation: Any = None, distribution: str = "normal", seed: Any = None
) -> Callable[..., Any]:
    """Returns the initializer that `identifier` describes, a new one on every call.

    A Keras initializer gives the same numbers on every call, with an integer seed and without
    one, so layers of one shape that share it start equal. Call this once per layer, and give
    each layer its own integer: `child_seed(seed, "hidden", 1)`.

    Args:
        identifier: "auto" chooses by the activation; "he", "glorot", "lecun", "pytorch",
            "output" (N(0, 0.1)) and "gate_orthogonal" are those of this package; or the name of
            any Keras initializer ("he_normal", "orthogonal"). A dict of a "name" and arguments, a
            Keras config, an initializer, a function of (shape, dtype) or an array serve too.
        activation: What follows the layer: name, dict, function or layer; None for linear. For
            "auto" only. Defaults to None.
        distribution: "normal", "uniform" or "untruncated_normal", and for "auto" also
            "orthogonal". For "auto", "he", "glorot" and "lecun". Defaults to "normal".
        seed: Integer, `keras.random.SeedGenerator` or None. An initializer with an integer seed
            of its own gets one derived from both. Defaults to None.

    Returns: A Keras initializer, or the function itself.

    Raises: InputError for an unknown name, activation or distribution, and arguments that do not
        fit.

    Example:
    >>> get("auto", activation="selu", seed=1).__class__.__name__
    'LecunNormal'
    >>> get("he", distribution="uniform").__class__.__name__
    'HeUniform'
    >>> get({"name": "orthogonal", "gain": 2.0}).gain
    2.0
    """
    if isinstance(identifier, str) and identifier == "auto":
        return for_activation(activation, distribution, seed=seed)
    if isinstance(identifier, str):
        identifier = {"name": identifier}
    if isinstance(identifier, dict) and "name" in identifier:
        return _named(identifier, distribution=distribution, seed=seed)
    return _reseeded(_of_keras(identifier), seed)


def _named(identifier: dict[str, Any], **defaults: Any) -> Callable[..., Any]:
    """Returns the initializer of a {"name": ...} dict; it takes the defaults that it knows."""
    name = str(identifier["name"])
    factory = _BY_KEY.get(_key(name))
    if factory is None and (custom := keras.saving.get_registered_object(name)) is not None:
        factory = custom if inspect.isclass(custom) else lambda: custom
    if factory is None:
        known = ["auto", *_PRESETS, *sorted(name for name in _STOCK if name.islower())]
        hint = did_you_mean(name.lower(), known) or f"There are: {', '.join(known)}."
        fail("initializer", "the name of an initializer", name, hint)
    takes = inspect.signature(factory).parameters
    arguments = {key: value for key, value in defaults.items() if key in takes}
    arguments |= {key: value for key, value in identifier.items() if key != "name"}
    try:
        return bind("initializer", factory, arguments)
    except TypeError as error:
        raise InputError(f"`initializer` {name!r} lacks an argument: {error}.") from error


def _of_keras(identifier: Any) -> Callable[..., Any]:
    """Returns what Keras makes of a config, an initializer, a function or an array."""
    expected = "a name, a dict, an initializer, a function or an array"
    if identifier is None:
        fail("initializer", expected, identifier, "'auto' chooses by the activation.")
    try:
        return keras.initializers.get(identifier)
    except (TypeError, ValueError) as error:
        remedy = f"Keras says: {error}"
        raise InputError(
            f"`initializer` must be {expected}. Received: {identifier!r}. {remedy}"
        ) from error


def _reseeded(initializer: Callable[..., Any], seed: Any) -> Callable[..., Any]:
    """Returns a copy that draws other numbers than its model does, if it is random."""
    if not isinstance(initializer, keras.initializers.Initializer):
        return initializer
    config = initializer.get_config()
    own = config.get("seed", _NOT_RANDOM)
    if own is not None and not isinstance(own, int):
        return initializer
    if isinstance(own, int) and not isinstance(seed, keras.random.SeedGenerator):
        seed = own if seed is None else child_seed(own, seed)
    return type(initializer).from_config({**config, "seed": seed})


_NOT_RANDOM = "no seed in the config"
