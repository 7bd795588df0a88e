"""The training-practice layer for Keras 3.

>>> import kerasrecipes as kr
>>> model = kr.recipes.mlp((64,), kr.targets.Multiclass(10))
>>> model.output_shape
(None, 10)

Subpackages load on first use, so that importing this costs little. Once Keras is imported,
everything that a saved model may refer to is registered, so `import kerasrecipes` is all that
`keras.saving.load_model` needs.
"""

import importlib
import typing

import wrapt

if typing.TYPE_CHECKING:
    from kerasrecipes import activations as activations
    from kerasrecipes import callbacks as callbacks
    from kerasrecipes import data as data
    from kerasrecipes import diagnosis as diagnosis
    from kerasrecipes import distribute as distribute
    from kerasrecipes import doctor as doctor
    from kerasrecipes import estimators as estimators
    from kerasrecipes import exporting as exporting
    from kerasrecipes import finders as finders
    from kerasrecipes import initializers as initializers
    from kerasrecipes import layers as layers
    from kerasrecipes import optimizers as optimizers
    from kerasrecipes import recipes as recipes
    from kerasrecipes import regularizers as regularizers
    from kerasrecipes import reporting as reporting
    from kerasrecipes import runs as runs
    from kerasrecipes import sanity as sanity
    from kerasrecipes import schedules as schedules
    from kerasrecipes import targets as targets
    from kerasrecipes import tuning as tuning
    from kerasrecipes._checks import InputError as InputError

__version__ = "0.1.0"

_SUBPACKAGES = (
    "activations",
    "callbacks",
    "data",
    "diagnosis",
    "distribute",
    "doctor",
    "estimators",
    "exporting",
    "finders",
    "initializers",
    "layers",
    "optimizers",
    "recipes",
    "regularizers",
    "reporting",
    "runs",
    "sanity",
    "schedules",
    "targets",
    "tuning",
)
_SAVED = (
    "activations",
    "data",
    "initializers",
    "layers",
    "optimizers",
    "recipes",
    "regularizers",
    "schedules",
    "targets",
)

__all__ = ["InputError", *_SUBPACKAGES]


def __getattr__(name: str) -> typing.Any:
    if name in _SUBPACKAGES:
        return importlib.import_module(f"kerasrecipes.{name}")
    if name == "InputError":
        from kerasrecipes._checks import InputError

        return InputError
    raise AttributeError(f"module 'kerasrecipes' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])


def _register(_keras: typing.Any) -> None:
    for name in _SAVED:
        importlib.import_module(f"kerasrecipes.{name}")


wrapt.register_post_import_hook(_register, "keras")
