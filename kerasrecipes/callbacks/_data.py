"""What the data of a fit is, and whether its order can be repeated."""

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from kerasrecipes._fingerprint import fingerprint


def identify_data(given: Mapping[str, Any]) -> dict[str, Any] | None:
    """Returns what the data of a fit is, as JSON values; None if nothing can look into it.

    Args:
        given: The arguments of `fit` by name.
    """
    training = _identify(given.get("x"), given.get("y"), given.get("sample_weight"))
    if training is None:
        return None
    found = {**training, "batch_size": given.get("batch_size")}
    if given.get("class_weight"):
        found["class weights"] = {str(k): float(v) for k, v in given["class_weight"].items()}
    validation = given.get("validation_data")
    parts = validation if isinstance(validation, (tuple, list)) else (validation,)
    validated = _identify(*parts[:3])
    return {**found, "validation": validated} if validated else found


def _identify(x: Any, y: Any = None, weights: Any = None) -> dict[str, Any] | None:
    if hasattr(x, "identity"):
        return x.identity()  # which may be None
    if not _is_array(x) and not isinstance(x, (dict, tuple)):
        return None
    found = {"sha256": fingerprint(x, y)}
    return found if weights is None else {**found, "weights sha256": fingerprint(weights)}


def _is_array(x: Any) -> bool:
    return isinstance(x, (np.ndarray, list)) or hasattr(x, "to_numpy")


def warn_of_other_orders(given: Mapping[str, Any]) -> None:
    """Warns if the rows of an epoch do not follow from the epoch alone."""
    if given.get("steps_per_epoch"):
        why = "With `steps_per_epoch` the rows of an epoch depend on the epochs before"
    elif given.get("shuffle") and _is_array(given.get("x")):
        why = "`fit` shuffles arrays in another order each time"
    else:
        return
    warnings.warn(
        f"{why}, so a training that Checkpoint resumes differs from one that nothing interrupted. "
        "For the same, bit for bit, give `fit` data such as "
        "`kerasrecipes.data.batches(x, y, batch_size=32, seed=0)`.",
        stacklevel=2,
    )
