"""A recipe file in, a run folder out. Parts load on first use: reading a file needs no Keras."""

import importlib
import typing

if typing.TYPE_CHECKING:
    from kerasrecipes.runs._problems import RecipeError as RecipeError
    from kerasrecipes.runs.automatic import auto as auto
    from kerasrecipes.runs.evaluation import evaluate as evaluate
    from kerasrecipes.runs.execute import resume as resume
    from kerasrecipes.runs.execute import train as train
    from kerasrecipes.runs.load import read as read
    from kerasrecipes.runs.prediction import predict as predict
    from kerasrecipes.runs.result import RunResult as RunResult
    from kerasrecipes.runs.result import TuneResult as TuneResult
    from kerasrecipes.runs.schema import Recipe as Recipe
    from kerasrecipes.runs.search_folder import load_search as load_search
    from kerasrecipes.runs.tuning import resume_tune as resume_tune
    from kerasrecipes.runs.tuning import tune as tune
    from kerasrecipes.runs.validation import validate as validate

# No submodule has the name of a public function: importing it would put it in the function's place.
_HOMES = {
    "Recipe": "schema",
    "RecipeError": "_problems",
    "RunResult": "result",
    "TuneResult": "result",
    "auto": "automatic",
    "evaluate": "evaluation",
    "load_search": "search_folder",
    "predict": "prediction",
    "read": "load",
    "resume": "execute",
    "resume_tune": "tuning",
    "train": "execute",
    "tune": "tuning",
    "validate": "validation",
}

__all__ = [
    "Recipe",
    "RecipeError",
    "RunResult",
    "TuneResult",
    "auto",
    "evaluate",
    "load_search",
    "predict",
    "read",
    "resume",
    "resume_tune",
    "train",
    "tune",
    "validate",
]


def __getattr__(name: str) -> typing.Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"kerasrecipes.runs.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'kerasrecipes.runs' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
