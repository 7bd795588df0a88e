"""From a recipe to data and a compiled model, with every problem on the way in one error."""

import dataclasses
import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from kerasrecipes._checks import InputError, check_choice, did_you_mean
from kerasrecipes._export import lookup
from kerasrecipes.data.examples import Examples
from kerasrecipes.data.load import load as load_data
from kerasrecipes.data.normalization import normalization
from kerasrecipes.data.split import Pair, split
from kerasrecipes.data.vectorization import vectorization
from kerasrecipes.recipes._call import call, first_argument
from kerasrecipes.runs._backbone import located
from kerasrecipes.runs._problems import Problem
from kerasrecipes.runs.schema import Recipe
from kerasrecipes.targets.identify import get, infer
from kerasrecipes.targets.multiclass import Multiclass
from kerasrecipes.targets.target import Target

FROM_THE_RUN = (
    *("input_shape", "table", "texts", "target"),
    *("preprocessing", "rows", "seed", "strategy", "name"),
)
_NAMED = re.compile(r"`(?:\w+\.)?(\w+)")
_MISSING = re.compile(r"missing (?:\d+|a) required .*argument.*?: (.*)")
_UNFORESEEN: dict[str, tuple[type[Exception], ...]] = {
    "data": (TypeError,),
    "target": (TypeError,),
    "split": (),
    "preprocessing": (TypeError, ValueError),
    "model": (TypeError, ValueError),
}


@dataclasses.dataclass(frozen=True, eq=False)
class Rows:
    """The rows of a run, read, checked and split.

    Attributes:
        examples: Inputs and raw labels as they were read.
        target: What is predicted; it has seen the training labels.
        parts: Inputs and encoded labels of "train", "validation" and "test".
        test_rows: Which rows of the data the test rows are, int64; None for rows that stand in.
    """

    examples: Examples
    target: Target
    parts: Mapping[str, Pair]
    test_rows: np.ndarray | None = None


@dataclasses.dataclass(frozen=True, eq=False)
class Prepared:
    """All that a fit needs.

    Attributes:
        recipe: The recipe with the target, the model's defaults and absolute paths written out.
        rows: The data.
        model: The compiled model, which takes rows as they were read.
    """

    recipe: Recipe
    rows: Rows
    model: keras.Model


def prepare(recipe: Recipe, problems: Sequence[Problem] = (), *, strategy: Any = None) -> Prepared:
    """Reads the data and builds the model; trains nothing.

    Args:
        recipe: A recipe from `read` or `inspect`.
        problems: What `inspect` has found already.
        strategy: What the model trains under, or None.

    Raises:
        RecipeError: With everything that is wrong: with the file, the data, or the arguments.
    """
    problems, recipe = list(problems), located(recipe)
    factory = _factory(recipe, problems)
    arguments = _known_arguments(recipe, factory, problems)
    rows = read_rows(recipe, problems)
    if rows is not None:
        _check_monitor(recipe, rows, problems)
    checked = rows or _stand_in(recipe)
    model = _model(recipe, factory, arguments, checked, {"strategy": strategy}, problems)
    if problems or rows is None or factory is None or model is None:
        raise recipe.places.error(problems)
    return Prepared(resolve(recipe, rows, factory), rows, model)


def another(prepared: Prepared, seed: int, name: str) -> keras.Model:
    """Returns the model of what is prepared once more, with other random numbers and a name."""
    recipe = dataclasses.replace(prepared.recipe, seed=seed)
    problems: list[Problem] = []
    factory = _factory(recipe, problems)
    arguments = _known_arguments(recipe, factory, problems)
    model = _model(recipe, factory, arguments, prepared.rows, {"name": name}, problems)
    if model is None:
        raise recipe.places.error(problems)
    return model


def check_signature(recipe: Recipe, problems: Sequence[Problem] = ()) -> None:
    """Checks all that can be checked without the data: names, types, signature and target.

    Raises:
        RecipeError: With everything that is wrong.
    """
    problems = list(problems)
    _known_arguments(recipe, _factory(recipe, problems), problems)
    if recipe.target:
        _target(recipe, None, problems)
    if problems:
        raise recipe.places.error(problems)


def read_rows(recipe: Recipe, problems: list[Problem]) -> Rows | None:
    """Returns the split data; None where something was wrong, which is added to `problems`."""
    if not recipe.data:
        return None
    base = recipe.path.parent
    known = _with_table(recipe)
    examples = attempt("data", lambda **data: load_data(data, base=base), known, problems)
    target = _target(recipe, examples, problems)
    if examples is None or target is None:
        return None
    section = "target" if recipe.target else "data"
    labels = attempt(section, lambda: target.encode(examples.y), {}, problems)
    if labels is None:
        return None
    options = {"seed": recipe.seed, **recipe.split}
    if options["stratify"] == "auto":
        options["stratify"] = target.name in ("binary", "multiclass")
    found = attempt("split", lambda **o: split(examples.x, labels, **o), options, problems)
    if found is None:
        return None
    parts = {name: getattr(found, name) for name in ("train", "validation", "test")}
    return Rows(examples, target.adapt(parts["train"].y), parts, found.test_rows)


def takes_table(recipe: str) -> bool:
    """Whether a recipe takes rows with columns of all kinds, and prepares them itself."""
    return _first(recipe) == "table"


def prepares_rows(recipe: Recipe) -> bool:
    """Whether the model takes rows or texts as they are, and prepares them itself.

    So does a trained network, unless the file says how to.
    """
    first = _first(recipe.recipe)
    return first in ("table", "texts") or (first == "backbone" and not recipe.preprocessing)


def _first(recipe: str) -> str:
    """Returns the name of what a recipe takes first; "" if there is no such recipe."""
    try:
        return first_argument(lookup("recipe", "recipes", recipe))
    except InputError:
        return ""


def _with_table(recipe: Recipe) -> dict[str, Any]:
    """Returns the [data] section, for such a recipe with columns of all kinds."""
    is_table = takes_table(recipe.recipe) and recipe.data.get("source") in ("csv", "parquet")
    return {**recipe.data, "mixed": True} if is_table else dict(recipe.data)


def attempt(
    section: str,
    call: Callable[..., Any],
    arguments: Mapping[str, Any],
    problems: list[Problem],
) -> Any:
    """Calls with a section's arguments; what it refuses is added to `problems`.

    An error that names an argument is followed by a call without it, which finds the next
    error: this is how all of them come at once.

    Returns:
        What the call returned, or None after an error.
    """
    remaining = dict(arguments)
    refused: set[str] = set()
    while True:
        try:
            result = call(**remaining)
        except (InputError, *_UNFORESEEN[section]) as error:
            key = named(error, remaining)
            if refused and key is None:
                return None
            problems.append(Problem((section, key) if key else (section,), _message(error)))
            if key is None:
                return None
            refused.add(key)
            del remaining[key]
        else:
            return None if refused else result


def named(error: Exception, arguments: Mapping[str, Any]) -> str | None:
    """Returns the argument that an error names, or whose value it shows."""
    found = _NAMED.match(str(error))
    if found and found[1] in arguments:
        return found[1]
    within = [k for k, v in arguments.items() if found and isinstance(v, dict) and found[1] in v]
    if len(within) == 1:
        return within[0]
    shown = [k for k, v in arguments.items() if isinstance(v, str) and v and v in str(error)]
    return shown[0] if len(shown) == 1 and not isinstance(error, InputError) else None


def _message(error: Exception) -> str:
    if isinstance(error, InputError):
        return str(error)
    missing = _MISSING.search(str(error))
    if missing:
        return f"lacks {missing[1]}."
    return f"is refused: {' '.join(str(error).split())}"


def _factory(recipe: Recipe, problems: list[Problem]) -> Callable[..., keras.Model] | None:
    if not recipe.recipe:
        return None
    try:
        return lookup("recipe", "recipes", recipe.recipe)
    except InputError as error:
        problems.append(Problem(("recipe",), str(error)))
        return None


def _accepted(factory: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    parameters = inspect.signature(factory).parameters
    return {name: each for name, each in parameters.items() if name not in FROM_THE_RUN}


def _known_arguments(
    recipe: Recipe, factory: Callable[..., Any] | None, problems: list[Problem]
) -> dict[str, Any]:
    if factory is None:
        return {}
    accepted = _accepted(factory)
    for name in recipe.model:
        if name in FROM_THE_RUN:
            problems.append(Problem(("model", name), "comes from the run, not from [model]."))
        elif name not in accepted:
            hint = did_you_mean(name, accepted) or f"There are: {', '.join(accepted)}."
            message = f"is not an argument of the recipe {recipe.recipe!r}. {hint}"
            problems.append(Problem(("model", name), message))
    known = {name: value for name, value in recipe.model.items() if name in accepted}
    return exchange(known, "none", None)


def _target(recipe: Recipe, examples: Examples | None, problems: list[Problem]) -> Target | None:
    if recipe.target:
        return attempt("target", lambda **target: get(target), recipe.target, problems)
    if examples is None:
        return None
    if examples.y is None:
        problems.append(Problem(("data",), "names no labels to learn. Set `target`."))
        return None
    return attempt("data", lambda: infer(examples.y), {}, problems)


def _stand_in(recipe: Recipe) -> Rows:
    """Returns rows on which the rest of a file can be checked when its data cannot be read."""
    target = attempt("target", lambda **target: get(target), recipe.target, [])
    text = recipe.data.get("source") == "texts" or "text" in recipe.data
    x = np.array(["one", "two"], object) if text else np.eye(2, dtype="float32")
    y = np.arange(2)
    part = Pair(x, y)
    return Rows(Examples(x, y, None, "", ""), target or Multiclass(3), {"train": part})


def _check_monitor(recipe: Recipe, rows: Rows, problems: list[Problem]) -> None:
    names = ["loss", *(metric.name for metric in rows.target.metrics())]
    try:
        if "monitor" in recipe.fit:
            known = [f"val_{name}" for name in names] + names
            check_choice("monitor", recipe.fit["monitor"], known)
    except InputError as error:
        problems.append(Problem(("fit", "monitor"), str(error)))


def preprocessing_layer(
    recipe: Recipe, x: Any, problems: list[Problem]
) -> keras.layers.Layer | None:
    """Returns the layer that a recipe's [preprocessing] makes of training rows, or None."""
    if prepares_rows(recipe):
        for name in recipe.preprocessing:
            message = f"is not for the recipe {recipe.recipe!r}, which prepares its rows itself."
            problems.append(Problem(("preprocessing", name), message))
        return None
    function = vectorization if is_text(x) else normalization
    known = [name for name in inspect.signature(function).parameters][1:]
    if function is normalization and recipe.preprocessing.get("scaling") == "none":
        return None
    options = {}
    for name, value in exchange(recipe.preprocessing, "none", None).items():
        if name in known:
            options[name] = value
            continue
        hint = did_you_mean(name, known) or f"There are: {', '.join(known)}."
        problems.append(Problem(("preprocessing", name), f"is an unknown key. {hint}"))
    return attempt("preprocessing", lambda **o: function(x, **o), options, problems)


def is_text(x: Any) -> bool:
    """Whether the rows are texts."""
    return np.asarray(x).dtype.kind in "OUS"


def _model(
    recipe: Recipe,
    factory: Callable[..., keras.Model] | None,
    arguments: Mapping[str, Any],
    rows: Rows,
    given: Mapping[str, Any],
    problems: list[Problem],
) -> keras.Model | None:
    """Returns the compiled model for training rows, or None after a problem."""
    x = rows.parts["train"].x
    layer = preprocessing_layer(recipe, x, problems)
    if factory is None:
        return None
    known = {} if prepares_rows(recipe) else {"preprocessing": layer}
    known |= {"seed": recipe.seed, "rows": len(x), **given}
    accepted = inspect.signature(factory).parameters
    known = {name: value for name, value in known.items() if name in accepted}
    keras.utils.set_random_seed(recipe.seed)

    def build(**model: Any) -> keras.Model:
        return call(factory, x, rows.target, {**known, **model})

    return attempt("model", build, arguments, problems)


def resolve(recipe: Recipe, rows: Rows, factory: Callable[..., Any]) -> Recipe:
    """Writes out what was inferred or left to defaults, so that later versions train the same."""
    config = get(recipe.target) if recipe.target else infer(rows.examples.y)
    arguments = {k: v for k, v in config.get_config().items() if v is not None}
    defaults = {name: each.default for name, each in _accepted(factory).items()}
    data = dict(recipe.data)
    if "path" in data:
        data["path"] = str((recipe.path.parent / data["path"]).resolve())
    return dataclasses.replace(
        recipe,
        data=data,
        target={"kind": config.name, **arguments},
        model={
            k: exchange(v, None, "none")
            for k, v in {**defaults, **recipe.model}.items()
            if _is_toml(v)
        },
        split={**recipe.split, "seed": recipe.split.get("seed", recipe.seed)},
    )


def _is_toml(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(_is_toml(item) for item in value)
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_toml(item) for key, item in value.items())
    return value is None or isinstance(value, bool | int | float | str)


def exchange(value: Any, old: Any, new: Any) -> Any:
    """Puts `new` for `old` at any depth: TOML has no null, so "none" stands for it."""
    if isinstance(value, list | tuple):
        return [exchange(item, old, new) for item in value]
    if isinstance(value, dict):
        return {key: exchange(item, old, new) for key, item in value.items()}
    return new if value == old and type(value) is type(old) else value
