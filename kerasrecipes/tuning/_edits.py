"""What the methods of a search space do to its hyperparameters."""

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from kerasrecipes._checks import InputError, check_choice, did_you_mean, fail
from kerasrecipes.tuning import _arguments, _conditions
from kerasrecipes.tuning.parameter import Parameter, label
from kerasrecipes.tuning.parameters import Choice, Fixed, Float, Int, Numeric

Parameters = Mapping[str, Parameter]
Recipe = Callable[..., Any]
_LOGARITHMIC = ("learning_rate", "weight_decay", "l2")


def as_parameter(value: Any) -> Parameter:
    """Returns a plain value as one that is fixed."""
    return value if isinstance(value, Parameter) else Fixed(value)


def with_default(parameter: Parameter, own: Any) -> Parameter:
    """Returns the hyperparameter with a default: the recipe's own if it may have that."""
    if isinstance(parameter, Fixed) or parameter.default is not ...:
        return parameter
    if own is not ... and parameter.accepts(own):
        default = own
    else:
        default = parameter.middle if isinstance(parameter, Numeric) else parameter.points[0]  # type: ignore[index]
    return dataclasses.replace(parameter, default=default)  # type: ignore[call-arg]


def stands_for(parameters: Parameters, name: str) -> tuple[list[str], bool]:
    """Returns the hyperparameters that a name stands for, and whether they are parts of it."""
    whole = [n for n, p in parameters.items() if name in (n, p.argument)]
    parts = [n for n, p in parameters.items() if (p.argument or "").startswith(f"{name}.")]
    if whole and (name != "hidden" or not parts):
        return whole, False
    return [n for n in parameters if n in (*whole, *parts)], True


def named(parameters: Parameters, name: str, recipe: Recipe) -> tuple[list[str], bool]:
    """Returns what `stands_for` does; nothing for an argument that is not in the space.

    Raises: InputError for a name of neither.
    """
    found, are_parts = stands_for(parameters, name)
    known = list(dict.fromkeys([*parameters, *_arguments.accepted(recipe)]))
    if not found and name not in known and not _arguments.takes_any(recipe):
        raise InputError(
            f"`{name}` is neither in the search space nor an argument of {recipe.__name__}. "
            f"There are: {', '.join(known)}. {did_you_mean(name, known)}".strip()
        )
    return found, are_parts


def fix(parameters: Parameters, recipe: Recipe, values: Mapping[str, Any]) -> Parameters:
    """Returns the hyperparameters with those named fixed."""
    for name, value in values.items():
        found, are_parts = named(parameters, name, recipe)
        with _about(name):
            if len(found) == 1 and not are_parts:
                key, old = found[0], parameters[found[0]]
                # By a name of its own, such as the momentum, it matters where it did before.
                is_argument = name == (old.argument or key) and "." not in name
                when = {} if is_argument else old.when
                parameters = {**parameters, key: Fixed(value, when=when, argument=old.argument)}
            else:
                parameters = _instead(parameters, found, name, Fixed(value))
    return parameters


def _instead(parameters: Parameters, old: list[str], name: str, new: Parameter) -> Parameters:
    """Returns the hyperparameters with a new one in the place of the old ones."""
    if not old:
        return {**parameters, name: new}
    changed = {}
    for key, each in parameters.items():
        if key == old[0]:
            changed[name] = new
        elif key not in old:
            changed[key] = each
    return changed


def choices(parameters: Parameters, recipe: Recipe, values: Mapping[str, Any]) -> Parameters:
    """Returns the hyperparameters with those named being one of several values."""
    for name, given in values.items():
        found, are_parts = named(parameters, name, recipe)
        with _about(name):
            if are_parts:
                parameters = _instead(parameters, found, name, _choice(given, None))
                continue
            for key in _searched(parameters, found):
                parameters = {**parameters, key: _choice(given, parameters[key])}
    return parameters


def _choice(given: Any, old: Parameter | None) -> Parameter:
    place = {} if old is None else {"when": old.when, "argument": old.argument}
    if isinstance(given, (str, Mapping)) or not hasattr(given, "__iter__"):
        fail("choices", 'a tuple such as ("relu", "gelu")', given)
    new = Choice(tuple(given), **place)
    if len(new.values) == 1:
        return Fixed(new.values[0], **place)
    keep = old is not None and old.default is not ... and new.accepts(old.default)
    return dataclasses.replace(new, default=old.default) if keep else new  # type: ignore[union-attr]


def ranges(parameters: Parameters, recipe: Recipe, bounds: Mapping[str, Any]) -> Parameters:
    """Returns the hyperparameters with other ranges, given as (low, high) or as a table."""
    for name, given in bounds.items():
        found, are_parts = named(parameters, name, recipe)
        if found and are_parts:
            fail(name, f"given by its parts {', '.join(found)}", given)
        with _about(name):
            table = _bounds(given)
            if not found:
                own = _arguments.accepted(recipe).get(name)
                parameters = {**parameters, name: _range(name, Fixed(own), table)}
            for key in _searched(parameters, found):
                parameters = {**parameters, key: _range(name, parameters[key], table)}
    return parameters


def _bounds(given: Any) -> dict[str, Any]:
    if isinstance(given, (tuple, list)) and len(given) == 2:
        return {"low": given[0], "high": given[1]}
    if not isinstance(given, Mapping):
        fail("range", "(low, high)", given)
    return dict(given)


def _range(name: str, old: Parameter, table: Mapping[str, Any]) -> Parameter:
    if isinstance(old, Numeric):
        scale = {"log": old.log, "step": old.step}
        if table.get("log", old.log) != old.log:
            scale["step"] = None  # a distance is no ratio
        kind = type(old)
    else:
        whole = all(type(table[bound]) is int for bound in ("low", "high"))
        kind = Int if whole and not isinstance(old.default, float) else Float
        scale = {"log": name in _LOGARITHMIC, "step": None}
    new = kind(**{**scale, **table}, when=old.when, argument=old.argument)
    default = old.default
    if isinstance(default, (int, float)) and not isinstance(default, bool):
        return dataclasses.replace(new, default=new.nearest(default))
    return new


def _searched(parameters: Parameters, names: list[str]) -> list[str]:
    """Returns those that are searched, or all if none of them is."""
    return [n for n in names if not isinstance(parameters[n], Fixed)] or names


def only(parameters: Parameters, recipe: Recipe, names: Sequence[str]) -> Parameters:
    """Returns the hyperparameters with all but those named fixed at their defaults."""
    kept = {name: named(parameters, name, recipe)[0] for name in names}
    changed = keep(parameters, [key for found in kept.values() for key in found])
    matter = _conditions.reachable(changed)
    for name, found in kept.items():
        if not found:
            fail("names", "in the search space", name, "Add it with `set`, `range` or `choices`.")
        if not any(key in matter for key in found):
            when = "; ".join(
                f"{p}: {', '.join(map(label, v))}" for p, v in parameters[found[0]].when.items()
            )
            raise InputError(
                f"`{name}` would not matter: it needs {when}. Fix that first, or search it too."
            )
    return changed


def keep(parameters: Parameters, names: Sequence[str]) -> Parameters:
    """Returns the hyperparameters with all but these fixed at their defaults."""
    return {
        name: each if name in names else Fixed(each.default, when=each.when, argument=each.argument)
        for name, each in parameters.items()
    }


_TABLES = (("low", "high", "log", "step"), ("fix",), ("choices",))


def edited(parameters: Parameters, recipe: Recipe, changes: Any) -> Parameters:
    """Returns the hyperparameters as a `[tune]` table has them."""
    if not isinstance(changes, Mapping):
        fail("tune", "a table", changes)
    for name, entry in changes.items():
        if isinstance(entry, Mapping):
            parameters = _by_table(parameters, recipe, name, entry)
        elif isinstance(entry, (list, tuple)):
            parameters = choices(parameters, recipe, {name: _without_text(list(entry))})
        else:
            parameters = fix(parameters, recipe, {name: _without_text(entry)})
    return parameters


def _by_table(
    parameters: Parameters, recipe: Recipe, name: str, table: Mapping[str, Any]
) -> Parameters:
    known = [key for keys in _TABLES for key in keys]
    for key in table:
        check_choice(f"{name}.{key}", key, known)
    if "fix" in table and len(table) == 1:
        return fix(parameters, recipe, {name: _without_text(table["fix"])})
    if "choices" in table and len(table) == 1:
        return choices(parameters, recipe, {name: _without_text(table["choices"])})
    if not {"low", "high"} <= table.keys() <= set(_TABLES[0]):
        fail(name, "a table of low and high (and log, step), of fix, or of choices", dict(table))
    return ranges(parameters, recipe, {name: table})


def _without_text(value: Any) -> Any:
    """Returns a value of TOML, which has no null, with None for "none"."""
    if isinstance(value, list):
        return [_without_text(each) for each in value]
    if isinstance(value, Mapping):
        return {key: _without_text(each) for key, each in value.items()}
    return None if value == "none" else value


@contextlib.contextmanager
def _about(name: str) -> Iterator[None]:
    """Names the hyperparameter in an error."""
    try:
        yield
    except InputError as error:
        raise InputError(f"`{name}`: {error}") from error
