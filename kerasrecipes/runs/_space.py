"""The search space that a recipe file describes."""

import dataclasses
import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from kerasrecipes._checks import InputError, check_choice, did_you_mean
from kerasrecipes._export import lookup
from kerasrecipes.runs._problems import Problem
from kerasrecipes.runs.prepare import FROM_THE_RUN, exchange
from kerasrecipes.runs.schema import SEARCH, Recipe
from kerasrecipes.targets.target import Target
from kerasrecipes.tuning._arguments import accepted, widths
from kerasrecipes.tuning._conditions import is_active
from kerasrecipes.tuning.parameter import Parameter, is_among, same
from kerasrecipes.tuning.parameters import Choice, Fixed, Numeric
from kerasrecipes.tuning.search_space import SearchSpace
from kerasrecipes.tuning.space import space as space_of


def search_space(
    recipe: Recipe, target: Target | None, problems: list[Problem]
) -> SearchSpace | None:
    """Returns the space of a recipe's search; what is wrong is added to `problems`.

    It is the space of the recipe function around what the file's [model] and batch size say,
    changed by [tune]. Where [tune] names no hyperparameter, it is as much of the space as the
    number of trials can search.

    Args:
        recipe: A recipe from `read` or `inspect`.
        target: What is predicted, or None if that is not known yet.
        problems: What has been found so far.
    """
    try:
        own = space_of(recipe.recipe, target)
    except InputError as error:
        problems.append(Problem(("recipe",), str(error)))
        return None
    changes = {name: entry for name, entry in recipe.tune.items() if name not in SEARCH}
    found = _changed(_around(own, recipe, changes), changes, problems)
    try:
        if "only" in recipe.tune:
            return found.only(*recipe.tune["only"])
    except InputError as error:
        problems.append(Problem(("tune", "only"), str(error)))
    if changes or "trials" not in recipe.tune:
        return found
    return found.staged(recipe.tune["trials"])


def space_problems(recipe: Recipe) -> list[Problem]:
    """Returns what is wrong with a recipe's search, as far as the data does not matter."""
    problems: list[Problem] = []
    try:
        lookup("recipe", "recipes", recipe.recipe)
    except InputError:  # which is told by who builds the model
        return []
    search_space(recipe, None, problems)
    return problems


def check_metric(recipe: Recipe, target: Target, problems: list[Problem]) -> None:
    """Adds to `problems` if the metric of the search is none that the target has."""
    names = ["loss", *(metric.name for metric in target.metrics())]
    try:
        if "metric" in recipe.tune:
            check_choice("metric", recipe.tune["metric"].removeprefix("val_"), names)
    except InputError as error:
        problems.append(Problem(("tune", "metric"), str(error)))


def _changed(
    space: SearchSpace, changes: Mapping[str, Any], problems: list[Problem]
) -> SearchSpace:
    for name, entry in changes.items():
        try:
            if name in FROM_THE_RUN:
                raise InputError("comes from the run, and cannot be searched.")
            space = space.edited({name: entry})
        except InputError as error:
            hint = did_you_mean(name, SEARCH)
            problems.append(Problem(("tune", name), f"{error} {hint}".strip()))
    return space


def _around(space: SearchSpace, recipe: Recipe, changes: Mapping[str, Any]) -> SearchSpace:
    """Returns the space with what the file says as the first guess, which becomes part of it."""
    defaults = accepted(space.recipe)
    written = exchange(recipe.model, "none", None)
    given = {"batch_size": recipe.fit["batch_size"], **written}
    given = {n: _tuples(v) for n, v in given.items() if n in defaults and n not in FROM_THE_RUN}
    given = {name: value for name, value in given.items() if not same(value, defaults[name])}
    if "form" in given and space.finds("form"):  # which much else depends on
        space = _guess_at(space, "form", given.pop("form"))
    parts: dict[str, Any] = {}
    for argument, value in given.items():
        own = _parts(space, argument, value) if space.finds(argument) else None
        if own is not None:
            parts |= own
        elif not _is_named(space, argument, changes):
            space = _fixed(space, argument, value)
    for name in _parents_first(space):
        place = space.parameters[name].argument or name
        if place in parts:
            space = _guess_at(space, place, parts.pop(place))
    return space


def _parents_first(space: SearchSpace) -> list[str]:
    """Returns the hyperparameters, those that others depend on first."""
    parents = {parent for each in space.parameters.values() for parent in each.when}
    return sorted(space.parameters, key=lambda name: name not in parents)


def _fixed(space: SearchSpace, argument: str, value: Any) -> SearchSpace:
    """Returns the space with an argument fixed; of several forms, for that of the first guess."""
    parameters = space.parameters
    places = {name: (each.argument or name).partition(".")[0] for name, each in parameters.items()}
    mine = [name for name in _guess(space) if places[name] == argument]
    form = parameters[mine[0]].when.get("form") if mine else None
    if form is None:
        return space.fix(**{argument: value})
    rest = {name: each for name, each in parameters.items() if name not in mine}
    written = Fixed(value, when={"form": form}, argument=argument)
    return SearchSpace(space.recipe, {**rest, f"{argument}_as_written": written})


def _is_named(space: SearchSpace, argument: str, changes: Mapping[str, Any]) -> bool:
    """Returns whether [tune] names an argument, or what goes to a part of it."""
    parts = [n for n, p in space.parameters.items() if (p.argument or n).startswith(f"{argument}.")]
    return bool({argument, *parts} & changes.keys())


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def _parts(space: SearchSpace, argument: str, value: Any) -> dict[str, Any] | None:
    """Returns the value of each place that an argument's hyperparameters go to, None if none do.

    Keys of a dict that no hyperparameter goes to stay in the dict, which is then one choice. Keys
    that are not given have what the schedule or optimizer of that name has.
    """
    places = [each.argument or "" for each in space.parameters.values()]
    if argument == "hidden" and _goes_in_parts(space):
        return _stack(value, ("constant", "pyramid") if "hidden.shape" in places else ("constant",))
    keys = [place.partition(".")[2] for place in places if place.startswith(f"{argument}.")]
    given = {"name": value} if isinstance(value, str) else value
    if not keys or not isinstance(given, dict) or "name" not in given:
        return {argument: value}
    rest = {key: each for key, each in given.items() if key not in keys}
    whole = rest["name"] if len(rest) == 1 else rest
    parts = {**_own_defaults(argument, given["name"], keys), **given}
    return {argument: whole, **{f"{argument}.{key}": parts[key] for key in keys if key in parts}}


def _own_defaults(argument: str, name: Any, keys: Sequence[str]) -> dict[str, Any]:
    try:
        parameters = inspect.signature(lookup(argument, f"{argument}s", name)).parameters
    except InputError:  # which is told by who builds the model
        return {}
    return {key: parameters[key].default for key in keys if key in parameters}


def _goes_in_parts(space: SearchSpace) -> bool:
    """Returns whether layers and units make the widths of the first guess."""
    return any(space.parameters[name].argument == "hidden.units" for name in _guess(space))


def _stack(hidden: Any, shapes: Sequence[str]) -> dict[str, Any] | None:
    """Returns layers, units and shape of widths that are constant or halve, else None."""
    if not isinstance(hidden, Sequence) or not hidden:
        return None
    for shape in shapes:
        parts = {"layers": len(hidden), "units": hidden[0], "shape": shape}
        if widths(**parts) == hidden:
            some = parts if len(hidden) > 1 else {"layers": 1, "units": hidden[0]}
            return {f"hidden.{key}": each for key, each in some.items()}
    return None


def _guess(space: SearchSpace) -> dict[str, Any]:
    """Returns the first guess of each hyperparameter that matters beside the others'."""
    guess: dict[str, Any] = {}
    for name, each in space.parameters.items():
        if is_active(dict(each.when), guess):
            guess[name] = each.default
    return guess


def _guess_at(space: SearchSpace, place: str, value: Any) -> SearchSpace:
    """Makes a value the first guess of the hyperparameter that goes to a place.

    Where none matters beside the other first guesses, the value stays with these.
    """
    guess = _guess(space)
    goes_there = [n for n, each in space.parameters.items() if place == (each.argument or n)]
    active = [name for name in goes_there if name in guess]
    if active:
        return space.set(**{active[0]: _with_guess(space.parameters[active[0]], value)})
    when = _ancestors(space, goes_there[0], guess)
    return space.set(**{f"{goes_there[0]}_as_written": Fixed(value, when=when, argument=place)})


def _ancestors(space: SearchSpace, name: str, guess: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the first guesses on which it depends that a hyperparameter does not matter."""
    found: dict[str, Any] = {}
    for parent in space.parameters[name].when:
        if parent in guess:
            value = guess[parent]
            found[parent] = (value["name"] if isinstance(value, dict) else value,)
        elif parent in space.parameters:
            found |= _ancestors(space, parent, guess)
    return found


def _with_guess(parameter: Parameter, value: Any) -> Parameter:
    place = {"when": parameter.when, "argument": parameter.argument}
    if parameter.accepts(value):
        return parameter if isinstance(parameter, Fixed) else _replace(parameter, default=value)
    if isinstance(parameter, Choice):
        name = value.get("name") if isinstance(value, dict) else None
        values = tuple(value if same(each, name) else each for each in parameter.values)
        values = values if is_among(value, values) else (*values, value)
        return _replace(parameter, values=values, default=value)
    if isinstance(parameter, Numeric) and type(value) in (int, type(parameter.low)):
        if parameter.step is None and (value > 0 or not parameter.log):
            low, high = min(parameter.low, value), max(parameter.high, value)
            return _replace(parameter, low=low, high=high, default=value)
        if parameter.numbers and not parameter.also:
            return Choice(tuple(sorted((*parameter.numbers, value))), default=value, **place)
    return Fixed(value, **place)


def _replace(parameter: Parameter, **fields: Any) -> Parameter:
    return dataclasses.replace(parameter, **fields)
