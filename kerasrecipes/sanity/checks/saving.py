"""Does the model survive being saved and loaded?"""

import pathlib
import tempfile
from typing import Any

import keras
import numpy as np

from kerasrecipes.sanity._outcome import at_most, judged, said
from kerasrecipes.sanity._quiet import unsynchronized
from kerasrecipes.sanity._subject import Subject
from kerasrecipes.sanity.report import Finding

CLOSE = 1e-4
_ROWS = 32
_REMEDY = (
    "Give layers and losses of your own a complete `get_config`, register them by "
    "`keras.saving.register_keras_serializable`, and use no lambdas."
)


def saving(subject: Subject) -> Finding:
    """The model, saved and loaded, predicts the same and is compiled as before."""
    try:
        with subject.state.kept():
            loaded = _round_trip(subject.model)
    except Exception as error:  # whatever a model of the user's raises
        return judged(
            "fail",
            "errors on saving and loading",
            1,
            at_most(0),
            note=said(_root(error)),
            remedy=_REMEDY,
        )
    found = _difference(subject, loaded)
    lost = subject.model.optimizer is not None and getattr(loaded, "optimizer", None) is None
    return judged(
        "fail" if lost or not found <= CLOSE else "pass",
        "largest difference after loading, relative",
        found,
        at_most(CLOSE),
        note=_note(lost, found),
        remedy=_REMEDY,
    )


def _root(error: BaseException) -> BaseException:
    """Returns the error that began it; the last one quotes the whole config."""
    while (before := error.__cause__ or error.__context__) is not None:
        error = before
    return error


def _note(lost: bool, found: float) -> str:
    if lost:
        return "The loaded model is not compiled."
    return "" if found <= CLOSE else "The loaded model predicts otherwise."


def _round_trip(model: keras.Model) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "model.keras"
        model.save(path)
        return keras.saving.load_model(path)


def _difference(subject: Subject, loaded: keras.Model) -> float:
    """Returns the largest difference of the outputs, where the model runs, else of the weights."""
    if subject.error is None:
        x = keras.tree.map_structure(lambda each: each[:_ROWS], subject.probe[0])
        with subject.state.kept(), unsynchronized(subject.model):
            before = subject.call(x, training=False)
        after = loaded(x, training=False)
        pairs = zip(keras.tree.flatten(before), keras.tree.flatten(after), strict=True)
    else:
        pairs = zip(subject.model.weights, loaded.weights, strict=True)
    return max(_relative(a, b) for a, b in pairs)


def _relative(a: Any, b: Any) -> float:
    a, b = (np.asarray(keras.ops.convert_to_numpy(each), "float64") for each in (a, b))
    if a.shape != b.shape:
        return float("inf")
    away = np.abs(a - b).max(initial=0.0)
    return float(away / max(np.abs(a).max(initial=0.0), 1e-12)) if away else 0.0
