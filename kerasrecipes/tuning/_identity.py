"""What makes one search another: what its scores depend on besides the oracle's part of it."""

import ast
import dataclasses
import hashlib
import inspect
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kerasrecipes._fingerprint import fingerprint
from kerasrecipes.recipes._call import takes_backbone
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
    if takes_backbone(trainer.recipe):
        found["files"] = _files(trainer)
    if len(data) > 2:
        found["weights"] = fingerprint(data[2])
    if isinstance(validation, (tuple, list)):
        found["validation"] = fingerprint(tuple(validation))
    return found if adapting is None else {**found, **adapting.fingerprint}


def _files(trainer: Trainer) -> list[str]:
    """Returns a hash of each file that a trial can begin from."""
    parameters = map(trainer.space.parameters.get, ("backbone", "weights"))
    points = [point for each in parameters if each is not None for point in each.points or ()]
    paths = [Path(point).expanduser() for point in points if isinstance(point, str)]
    return [_hash(path.read_bytes()) for path in paths if path.is_file()]


def _recipe(recipe: Callable[..., Any]) -> str:
    """Returns a recipe's name; for one's own function with a hash of what it does."""
    name = recipe.__name__
    if is_ours(recipe):
        return name
    try:  # without comments and layout
        source = ast.dump(ast.parse(textwrap.dedent(inspect.getsource(recipe))))
    except (OSError, TypeError, SyntaxError):
        return name
    return f"{name} {_hash(source.encode())}"


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:_DIGITS]
