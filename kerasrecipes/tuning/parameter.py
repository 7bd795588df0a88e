"""The base of the hyperparameters, and what may be a value."""

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar

from keras_tuner.engine import hyperparameters

from kerasrecipes._checks import InputError, fail


@dataclasses.dataclass(frozen=True, kw_only=True)
class Parameter:
    """Base of the hyperparameters.

    Args:
        when: Values of other hyperparameters, by name, with which this one matters, such as
            {"optimizer": ("sgd",)}; all must hold. Defaults to none: always.
        argument: Where the value goes: an argument of the recipe, "batch_size" or "epochs", or
            with a dot a key of an argument that is a dict, such as "optimizer.momentum". Defaults
            to None, the argument that the hyperparameter is named after.
    """

    when: Mapping[str, tuple[Any, ...]] = dataclasses.field(default_factory=dict)
    argument: str | None = None
    default: ClassVar[Any]

    def __post_init__(self) -> None:
        if not isinstance(self.when, Mapping):
            fail("when", 'a dict such as {"optimizer": ("sgd",)}', self.when)
        when = {parent: plain_tuple(f"when.{parent}", v) for parent, v in self.when.items()}
        object.__setattr__(self, "when", when)

    @property
    def points(self) -> tuple[Any, ...] | None:
        """Each value that it may have; None if there is no end of them."""
        raise NotImplementedError

    def accepts(self, value: Any) -> bool:
        """Returns whether it may have this value."""
        return self.points is not None and is_among(value, self.points)

    def decode(self, value: Any) -> Any:
        """Returns the value that stands behind one of KerasTuner's."""
        return value

    def encode(self, value: Any) -> Any:
        """Returns the value as KerasTuner has it: an int, float, bool or string."""
        return value

    def declared(self, name: str) -> list[tuple[hyperparameters.HyperParameter, dict[str, Any]]]:
        """Returns what it is in KerasTuner, with conditions of its own by parent."""
        raise NotImplementedError


def label(value: Any) -> str:
    """Returns a value as text: None is "none", a dict its name with the rest in parentheses.

    Example:
    >>> label(None), label((64, 32)), label({"name": "cosine", "warmup": 0.1})
    ('none', '(64, 32)', 'cosine(warmup=0.1)')
    """
    if value is None or isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict) and "name" in value:
        rest = ", ".join(f"{key}={label(each)}" for key, each in value.items() if key != "name")
        return f"{value['name']}({rest})"
    return f"{value:g}" if isinstance(value, float) else str(value)


def matches(value: Any, allowed: tuple[Any, ...]) -> bool:
    """Returns whether a value is one of those allowed; a dict counts by its name."""
    name = value["name"] if isinstance(value, dict) and "name" in value else value
    return is_among(name, allowed)


def same(a: Any, b: Any) -> bool:
    """Equality in which True is not 1."""
    return isinstance(a, bool) == isinstance(b, bool) and a == b


def is_among(value: Any, others: tuple[Any, ...]) -> bool:
    """Returns whether a value is one of others, where True is not 1."""
    return any(same(value, each) for each in others)


def plain_tuple(name: str, values: Any) -> tuple[Any, ...]:
    """Returns values that a file can hold as a tuple, lists among them as tuples too."""
    if not isinstance(values, (tuple, list)) or not values:
        fail(name, "a tuple of at least one value", values)
    values = tuple(tuple(each) if isinstance(each, list) else each for each in values)
    for each in values:
        if not _is_plain(each):
            raise InputError(
                f"`{name}` must hold values that a file can hold: names, numbers, None, tuples and "
                f"dicts of these. Received: {each!r} ({type(each).__name__})."
            )
    return values


def _is_plain(value: Any) -> bool:
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_plain(each) for key, each in value.items())
    if isinstance(value, (tuple, list)):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, (str, bool, int, float))
