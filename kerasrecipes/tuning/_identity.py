"""What makes one search another: what its scores depend on besides the oracle's part of it."""

import ast
import dataclasses
import hashlib
import inspect
import textwrap
from collections.abc import Callable
from typing import Any

from kerasrecipes._fingerprint import fingerprint
from kerasrecipes.tuning._gradient import Adapting
from kerasrecipes.tuning._recipes import is_ours, takes_table
from kerasrecipes.tuning._tables import categories
from kerasrecipes.tuning._trainer import Trainer

_DIGITS = 16


def identity(
    trainer: Trainer, data: Any, validation: Any, preprocessing: Any, adapting: Adapting | None
) -> dict[str, Any]:
    """Returns what the scores depend on, of types that JSON has, the same on every host."""
    found = {
        "recipe": _recipe(trainer.recipe),
        "target": repr(trainer.target),
        "data": fingerprint(*data[:2]),
        "folds": [[fold.rows, len(fold.validation[1])] for fold in trainer.folds],
        "fit": dataclasses.asdict(trainer.plan),
        "preprocessing": getattr(preprocessing, "__qualname__", str(preprocessing)),
    }
    if takes_table(trainer.recipe):
        found["categories"] = categories(data[0])
    if len(data) > 2:
        found["weights"] = fingerprint(data[2])
    if isinstance(validation, (tuple, list)):
        found["validation"] = fingerprint(tuple(validation))
    return found if adapting is None else {**found, **adapting.fingerprint}


def _recipe(recipe: Callable[..., Any]) -> str:
    """Returns a recipe's name; for one's own function with a hash of what it does."""
    name = recipe.__name__
    if is_ours(recipe):
        return name
    try:  # without comments and layout
        source = ast.dump(ast.parse(textwrap.dedent(inspect.getsource(recipe))))
    except (OSError, TypeError, SyntaxError):
        return name
    return f"{name} {hashlib.sha256(source.encode()).hexdigest()[:_DIGITS]}"
