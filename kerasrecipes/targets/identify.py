"""From a name or from labels to a target."""

import inspect
import numbers
from typing import Any

import numpy as np

from kerasrecipes._checks import InputError, fail
from kerasrecipes._export import bind, lookup
from kerasrecipes.targets._encoding import check_present
from kerasrecipes.targets.binary import Binary
from kerasrecipes.targets.multiclass import Multiclass
from kerasrecipes.targets.multilabel import Multilabel
from kerasrecipes.targets.regression import Regression
from kerasrecipes.targets.target import Target, as_vector

MAX_CLASSES = 100


def get(identifier: Any) -> Target:
    """Returns the target that `identifier` describes.

    Args:
        identifier: A `Target`; the name of one that needs no arguments ("regression",
            "binary"); or a dict with its name as "kind" and its arguments.

    Example:
    >>> get({"kind": "multiclass", "classes": 3}).units
    3
    """
    if isinstance(identifier, Target):
        return identifier
    if isinstance(identifier, str):
        identifier = {"kind": identifier}
    if not isinstance(identifier, dict) or "kind" not in identifier:
        fail("target", "a target, its name, or a dict with its name as 'kind'", identifier)
    arguments = dict(identifier)
    factory = lookup("target.kind", "targets", str(arguments.pop("kind")))
    parameters = inspect.signature(factory).parameters
    required = [
        name
        for name, parameter in parameters.items()
        if parameter.default is parameter.empty and name not in arguments
    ]
    if required and set(arguments) <= set(parameters):
        raise InputError(
            f"`target` of kind {identifier['kind']!r} needs "
            f"{', '.join(f'`{name}`' for name in required)}. Give it, or leave the target out "
            "where it can be inferred from the labels."
        )
    return bind("target", factory, arguments)


def infer(y: Any) -> Target:
    """Returns the target that raw labels suggest.

    Names and booleans are classes; whole numbers 0 to C - 1, each seen, are classes where
    2 <= C <= 100; a matrix of zeros and ones is multi-label; everything else is regression.

    Example:
    >>> infer(["b", "a", "b"])
    Binary(classes=['a', 'b'])
    >>> infer([0, 1, 2, 1])
    Multiclass(classes=3)
    >>> infer([0.5, 1.7, 2.2])
    Regression(units=1, robust=False)
    """
    array = np.asarray(y)
    if array.ndim == 2 and array.shape[1] > 1:
        return _infer_matrix(array)
    array = as_vector(array)
    if array.dtype == object and all(isinstance(label, numbers.Number) for label in array):
        array = np.array(array.tolist())
    if array.dtype.kind in "OUSb":
        check_present(array)
        return _of_names(sorted({str(label) for label in array}))
    found = np.unique(array)
    numbered = array.dtype.kind in "iu" and (found == np.arange(len(found))).all()
    if numbered and 2 <= len(found) <= MAX_CLASSES:
        return Binary() if len(found) == 2 else Multiclass(len(found))
    return Regression()


def _infer_matrix(array: np.ndarray) -> Target:
    if array.dtype.kind in "biu" and ((array == 0) | (array == 1)).all():
        return Multilabel(array.shape[1])
    return Regression(array.shape[1])


def _of_names(names: list[str]) -> Target:
    if len(names) < 2:
        raise InputError(
            f"`y` must hold at least two classes. Received: only {names[0]!r}. Check the column "
            "that was named as target."
        )
    return Binary(names) if len(names) == 2 else Multiclass(names)
