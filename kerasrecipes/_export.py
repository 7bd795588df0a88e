"""The registry of public names, by family, and their registration for saving.

A decorator does both: `@export("layers")` above a class lets Keras save and load it, and lets
string arguments and TOML recipes name it, as `"DenseBlock"`, `"dense_block"` or `"denseblock"`.
"""

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from kerasrecipes._checks import InputError, check_choice, did_you_mean

T = TypeVar("T", bound=Callable[..., Any])

_REGISTRY: dict[str, dict[str, Any]] = {}


def export(family: str, *aliases: str, saved: bool = True) -> Callable[[T], T]:
    """Returns a decorator that adds a class or function to `family`.

    Args:
        family: Name of the subpackage, such as "layers".
        *aliases: More names that `lookup` accepts.
        saved: Whether saved models may refer to the object, so that Keras must find it again
            as `kerasrecipes.<family>><name>`.
    """

    def decorate(thing: T) -> T:
        members = _REGISTRY.setdefault(family, {})
        for key in dict.fromkeys(_key(name) for name in (thing.__name__, *aliases)):
            if key in members and _home(members[key]) != _home(thing):
                raise ValueError(f"{family} has two members named {key!r}.")
            members[key] = thing
        if saved:
            import keras  # here, since importing Keras imports all that is registered

            return keras.saving.register_keras_serializable(f"kerasrecipes.{family}")(thing)
        return thing

    return decorate


def _home(thing: Any) -> tuple[str, str]:
    """Returns where a thing is defined; a module that is run twice defines it again."""
    return thing.__module__, thing.__qualname__


def members(family: str) -> dict[str, Any]:
    """Returns the members of a family by their proper names, in alphabetical order."""
    found = {thing.__name__: thing for thing in _REGISTRY.get(family, {}).values()}
    return dict(sorted(found.items()))


def lookup(argument: str, family: str, name: str) -> Any:
    """Returns the member of `family` called `name`; an unknown name is an `InputError`.

    Case and underscores do not count: "one_cycle", "OneCycle" and "onecycle" are the same.
    """
    found = _REGISTRY.get(family, {})
    if _key(name) not in found:
        known = list(members(family))
        near = {_key(each): each for each in known}
        hint = did_you_mean(_key(name), near)
        for key, each in near.items():
            hint = hint.replace(repr(key), repr(each))
        raise InputError(
            f"`{argument}` must name one of the {family}: {', '.join(known)}. "
            f"Received: {name!r}. {hint}".strip()
        )
    return found[_key(name)]


def bind(argument: str, factory: Callable[..., Any], arguments: dict[str, Any]) -> Any:
    """Calls `factory` with keyword arguments that came from a dict; errors name the key."""
    accepted = _parameters(factory)
    for key in arguments:
        check_choice(f"{argument}.{key}", key, accepted)
    return factory(**arguments)


@functools.lru_cache(maxsize=256)  # a tenth of the time that a recipe takes to build
def _parameters(factory: Callable[..., Any]) -> list[str]:
    """Returns the names of the parameters, those of base classes that **kwargs go to included."""
    makers = [c.__init__ for c in factory.__mro__] if isinstance(factory, type) else [factory]
    names: dict[str, None] = {}
    for maker in makers:
        parameters = inspect.signature(maker).parameters.values()
        names.update(dict.fromkeys(p.name for p in parameters if p.kind in _BY_NAME))
        if all(p.kind is not p.VAR_KEYWORD for p in parameters):
            break
    names.pop("self", None)
    return list(names)


_BY_NAME = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def _key(name: str) -> str:
    return name.replace("_", "").lower()
