"""The loss of a guess that does not look at the inputs."""

from typing import Any

import keras
import numpy as np

from kerasrecipes.sanity import _loss
from kerasrecipes.sanity._outcome import UnavailableError


def guess(subject: Any, y: Any) -> tuple[float, float] | None:
    """Returns the least and the greatest loss of a constant guess that an honest start makes.

    With q_c the share of class c among the labels (smoothed, if the loss smooths):
        categorical: from the entropy -sum q_c log q_c to log C, which knows no shares
        binary:      from the entropy of each label's share, on average, to log 2
        values:      the loss of the mean, or of the median if that is less

    Args:
        subject: What is checked.
        y: Labels.

    Returns: None for a loss that is not known.
    """
    try:
        facts, shape = subject.facts, subject.outputs.shape
    except UnavailableError:
        return None
    if facts.kind == "unknown" or not isinstance(y, np.ndarray) or len(shape) > 2:
        return None
    if facts.kind == "values":
        return _of_values(subject, facts, y, shape)
    shares, alike = _shares(facts, y, shape)
    if facts.is_plain:
        terms = -shares * np.log(np.clip(shares, 1e-12, 1))
        if facts.kind == "binary":
            terms = terms - (1 - shares) * np.log(np.clip(1 - shares, 1e-12, 1))
            return float(terms.mean()), float(np.log(2))
        return float(terms.sum()), float(np.log(shape[-1]))
    found = [_at(subject, facts, y, shape, constant) for constant in (shares, alike)]
    return min(found), max(found)


def _shares(
    facts: _loss.LossFacts, y: np.ndarray, shape: tuple[int, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the shares of the labels, and those of a guess that knows none."""
    if facts.kind == "binary":
        labels, even = _loss.as_rows(y), 0.5
    else:
        labels, even = _loss.one_hot(y, shape[-1]), 1 / shape[-1]
    shares = labels.mean(axis=0) * (1 - facts.smoothing) + facts.smoothing * even
    return shares, np.full_like(shares, even)


def _of_values(
    subject: Any, facts: _loss.LossFacts, y: np.ndarray, shape: tuple[int, ...]
) -> tuple[float, float]:
    values = _loss.as_rows(y)
    if facts.is_plain:
        spread = float(values.var(axis=0).mean())
        return spread, spread
    constants = values.mean(axis=0), np.median(values, axis=0)
    least = min(_at(subject, facts, y, shape, constant) for constant in constants)
    return least, least


def _at(
    subject: Any, facts: _loss.LossFacts, y: np.ndarray, shape: tuple[int, ...], constant: Any
) -> float:
    """Returns the loss of putting out the same for every row."""
    if facts.from_logits:
        p = np.clip(constant, 1e-7, 1 - 1e-7)
        constant = np.log(p / (1 - p)) if facts.kind == "binary" else np.log(p)
    outputs = np.broadcast_to(constant, (len(y), *shape[1:])).astype("float32")
    return subject.data_loss(None, y, keras.ops.convert_to_tensor(outputs))
