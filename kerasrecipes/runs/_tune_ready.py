"""What a search of a recipe file needs, checked before it begins."""

import dataclasses
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import keras
from rich.console import Console

from kerasrecipes._checks import check_int
from kerasrecipes._export import lookup
from kerasrecipes.runs import _display
from kerasrecipes.runs._backbone import located
from kerasrecipes.runs._problems import Problem
from kerasrecipes.runs._space import check_metric, search_space, space_problems
from kerasrecipes.runs.execute import describe_data, versions
from kerasrecipes.runs.prepare import Rows, prepare, prepares_rows, preprocessing_layer, takes_table
from kerasrecipes.runs.schema import Recipe
from kerasrecipes.tuning._fold import all_rows
from kerasrecipes.tuning._plan import limits
from kerasrecipes.tuning.search_space import SearchSpace


@dataclasses.dataclass(frozen=True, eq=False)
class Ready:
    """All that a search needs.

    Attributes:
        recipe: The recipe with everything written out.
        rows: The data.
        space: What is searched.
        plan: The part of the metrics that is known before.
        workers: How many processes train trials.
        isolate: Whether each trial has a process of its own.
        console: Where to print.
        began: `time.perf_counter()` at the start.
    """

    recipe: Recipe
    rows: Rows
    space: SearchSpace
    plan: dict[str, Any]
    workers: int
    isolate: bool
    console: Console
    began: float

    @property
    def factory(self) -> Callable[..., keras.Model]:
        """The recipe function."""
        return lookup("recipe", "recipes", self.recipe.recipe)

    @property
    def known_rows(self) -> tuple[Any, Any]:
        """Inputs and labels of all rows but the test's."""
        train, validation = (tuple(self.rows.parts[name]) for name in ("train", "validation"))
        return all_rows(train, validation, table=self.takes_table)  # type: ignore[return-value]

    @property
    def takes_table(self) -> bool:
        """Whether the recipe takes tables, and prepares them itself."""
        return takes_table(self.recipe.recipe)

    @property
    def preprocessing(self) -> Callable[[Any], keras.layers.Layer | None] | None:
        """Makes the layer that inputs go through first; None where the model does it itself."""
        return None if prepares_rows(self.recipe) else self._layer

    def _layer(self, x: Any) -> keras.layers.Layer | None:
        problems: list[Problem] = []
        layer = preprocessing_layer(self.recipe, x, problems)
        if problems:
            raise self.recipe.places.error(problems)
        return layer


def ready(
    loaded: Recipe,
    problems: Sequence[Problem],
    started: datetime,
    began: float,
    workers: Any,
    isolate: bool,
    quiet: bool,
) -> Ready:
    """Returns what a search needs; what is wrong with the recipe or its data is an `InputError`.

    Args:
        loaded: What `inspect` has read.
        problems: What it found to be wrong.
        started: When the search was started, for its files.
        began: `time.perf_counter()` then.
        workers: As for `tune`.
        isolate: As for `tune`.
        quiet: As for `tune`.
    """
    check_int("workers", workers, low=1)
    loaded = located(loaded)
    prepared = prepare(loaded, [*problems, *space_problems(loaded)])
    found: list[Problem] = []
    check_metric(loaded, prepared.rows.target, found)
    space = search_space(loaded, prepared.rows.target, found)
    if space is None or found:
        raise loaded.places.error(found)
    whole = {"method": "random", **loaded.tune}
    trials, _ = limits(whole.get("trials"), whole.get("seconds"), whole["method"])
    if trials is not None:
        whole["trials"] = trials
    recipe = dataclasses.replace(prepared.recipe, tune=whole)
    plan = _plan(recipe, prepared.rows, started)
    console = _display.new_console(quiet)
    return Ready(recipe, prepared.rows, space, plan, workers, isolate, console, began)


def _plan(recipe: Recipe, rows: Rows, started: datetime) -> dict[str, Any]:
    return {
        "format": 1,
        "name": recipe.name,
        "summary": recipe.summary,
        "recipe": recipe.recipe,
        "seed": recipe.seed,
        "started": started.isoformat(timespec="seconds"),
        "tune": recipe.tune,
        "fit": recipe.fit,
        "data": describe_data(rows),
        "target": {"kind": rows.target.name, "classes": rows.target.class_names},
        "random_guess_loss": rows.target.random_guess_loss(rows.parts["train"].y),
        "versions": versions(),
    }
