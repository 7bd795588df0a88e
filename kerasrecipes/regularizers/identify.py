"""From whatever names a regularizer to a regularizer."""

from collections.abc import Callable
from typing import Any

import keras

from kerasrecipes._checks import InputError, check_int, check_number, did_you_mean, fail
from kerasrecipes._export import bind

_NAMES: dict[str, Callable[..., Any]] = {
    "l1": keras.regularizers.L1,
    "l2": keras.regularizers.L2,
    "l1l2": keras.regularizers.L1L2,
    "orthogonal": keras.regularizers.OrthogonalRegularizer,
    "orthogonalregularizer": keras.regularizers.OrthogonalRegularizer,
}


def get(
    identifier: Any = None, *, l1: float = 0.0, l2: float = 0.0, examples: int | None = None
) -> Callable[..., Any] | None:
    """Returns the regularizer with these factors, or the one that `identifier` describes.

        penalty = l1 * sum(|W|) + l2 * sum(W^2)
    and with `examples` = n, so that the factors mean the same for small and large data:
        penalty = l1 / n * sum(|W|) + l2 / n * sum(W^2)
    Some write l2 / 2 for the second factor; neither Keras nor this does. Give the result to a
    layer as `kernel_regularizer`: biases and the scale and offset of a normalisation are not to
    be penalised. For a model that is already there see `apply`.

    Args:
        identifier: None for a regularizer made of `l1` and `l2`; else a name ("l1", "l2",
            "l1_l2", "orthogonal"), a dict of a "name" and arguments, a Keras config, a
            regularizer or a function, with the Keras meaning. Defaults to None.
        l1: Factor of the absolute values, float >= 0. Defaults to 0.0.
        l2: Factor of the squares, float >= 0. Defaults to 0.0.
        examples: Training examples n to divide the factors by, int >= 1; None for Keras's own
            scaling. Defaults to None.

    Returns: A stock Keras regularizer, or the function; None if there is nothing to penalise.

    Raises: InputError for a negative factor, for both an identifier and factors, and for an
        unknown name.

    Example:
    >>> import keras
    >>> get() is None
    True
    >>> regularizer = get(l2=0.5, examples=100)
    >>> type(regularizer).__name__, round(float(regularizer(keras.ops.ones((3, 2)))), 4)
    ('L2', 0.03)

    Reference: Tikhonov & Arsenin 1977; Zou & Hastie 2005, doi:10.1111/j.1467-9868.2005.00503.x
    (l1 with l2).
    """
    scale = 1 if examples is None else check_int("examples", examples, low=1)
    l1 = check_number("l1", l1, low=0.0) / scale
    l2 = check_number("l2", l2, low=0.0) / scale
    if identifier is None:
        return _of_factors(l1, l2)
    if l1 or l2 or examples is not None:
        raise InputError(
            "`identifier` must be None when `l1`, `l2` or `examples` is given. Received: "
            f"{identifier!r}. Give its factors as `l1` and `l2`."
        )
    if isinstance(identifier, str):
        identifier = {"name": identifier}
    if isinstance(identifier, dict) and "name" in identifier:
        return _named(identifier)
    try:
        return keras.regularizers.get(identifier)
    except (TypeError, ValueError) as error:
        raise InputError(
            "`regularizer` must be a name, a dict, a regularizer or a function. Received: "
            f"{identifier!r}. Keras says: {error}"
        ) from error


def _of_factors(l1: float, l2: float) -> Callable[..., Any] | None:
    if l1 and l2:
        return keras.regularizers.L1L2(l1, l2)
    if l1:
        return keras.regularizers.L1(l1)
    return keras.regularizers.L2(l2) if l2 else None


def _named(identifier: dict[str, Any]) -> Callable[..., Any]:
    arguments = dict(identifier)
    name = str(arguments.pop("name"))
    factory = _NAMES.get(name.replace("_", "").lower())
    if factory is keras.regularizers.L1L2 and not any(arguments.values()):
        # Keras makes a penalty of zero of it.
        fail("regularizer", "a dict of the name 'l1_l2' with 'l1', 'l2' or both", identifier)
    if factory is not None:
        return bind("regularizer", factory, arguments)
    custom = keras.saving.get_registered_object(name)
    if custom is not None:
        return custom(**arguments) if isinstance(custom, type) else custom
    known = ["l1", "l2", "l1_l2", "orthogonal"]
    hint = did_you_mean(name.lower(), known) or f"There are: {', '.join(known)}."
    fail("regularizer", "the name of a regularizer", name, hint)
