"""What a recipe chooses itself for its training rows, where the search leaves it open."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from kerasrecipes.recipes._tabular_settings import settings_of
from kerasrecipes.recipes.tabular import tabular
from kerasrecipes.targets.target import Target
from kerasrecipes.tuning._recipes import takes_table

_RATES = ("learning_rate", "weight_decay")


class Own(NamedTuple):
    """How a recipe is meant to be trained.

    Attributes:
        epochs: Epochs of a run.
        batch_size: Rows in a batch.
        patience: Epochs without improvement after which a run ends; None for never.
        rates: Rate and decay that it starts from, by argument, where they are known.
    """

    epochs: int = 100
    batch_size: int = 32
    patience: int | None = 10
    rates: Mapping[str, float] = {}


def own(recipe: Callable[..., Any], arguments: Mapping[str, Any], rows: int, target: Target) -> Own:
    """Returns how a recipe with these arguments is meant to be trained on so many rows."""
    if recipe is not tabular:
        return Own()
    rows = arguments.get("rows") or rows
    found = settings_of(arguments.get("form", "auto"), rows, target)
    rates = found.optimizer if arguments.get("optimizer") is None else {}
    rates = {name: rates[name] for name in _RATES if name in rates}
    return Own(found.epochs, found.batch_size, found.patience, rates)


def own_target(recipe: Callable[..., Any], target: Target, y: Any) -> Target:
    """Returns the target for training labels: of tables, numbers have to be standardised."""
    unseen = target.name == "regression" and getattr(target, "scale", None) is None
    return target.adapt(y) if unseen and takes_table(recipe) else target
