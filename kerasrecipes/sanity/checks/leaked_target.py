"""Does a feature give the target away?"""

import numpy as np
import scipy.stats

from kerasrecipes.sanity._loss import as_rows, class_numbers
from kerasrecipes.sanity._outcome import UnavailableError, at_most, judged, skip
from kerasrecipes.sanity._subject import Subject
from kerasrecipes.sanity.report import Finding

KNOWN = 0.99
_ROWS = 4000
_LEAST_ROWS = 40
_REPEATS = 5


def leaked_target(subject: Subject) -> Finding:
    """No feature alone predicts the target nearly without error.

    Each feature predicts one half of the rows from the other: a class by the commonest one at
    the nearest value, judged by the mean recall; a value by interpolation, judged by R squared,
    or by the squared correlation of the ranks if that is more.
    """
    if subject.train.count < _LEAST_ROWS:
        return skip("there are too few rows to tell")
    subject.check_labels()
    features, names = subject.train.features()
    rows = np.random.default_rng(0).permutation(subject.train.count)[:_ROWS]
    features, scores = features[rows], np.zeros(features.shape[1])
    for labels, is_class in _labels(subject, rows):
        found = [score_of(values, labels, is_class) for values in features.T]
        scores = np.maximum(scores, found)
    best = int(scores.argmax())
    score = max(float(scores[best]), 0.0)
    wrong = score > KNOWN
    return judged(
        "fail" if wrong else "pass",
        "how well one feature alone predicts the target, 1 is perfect",
        score,
        at_most(KNOWN),
        note=f"{names[best]} alone tells the target." if wrong else f"The best is {names[best]}.",
        remedy="Leave it out if it is known only after the target, such as an outcome or a code "
        "of it; if it is known before, no network is needed.",
    )


def _labels(subject: Subject, rows: np.ndarray) -> list[tuple[np.ndarray, bool]]:
    """Returns the columns of labels, and whether they are classes."""
    y, facts = subject.labels, subject.facts
    if facts.kind == "unknown" or y.dtype.kind not in "biuf" or y.ndim > 2:
        raise UnavailableError("the labels are neither classes nor values as far as is known")
    if facts.kind == "categorical":
        return [(class_numbers(y, subject.outputs.shape[-1])[rows], True)]
    columns = as_rows(y)[rows].T
    return [(column, facts.kind == "binary") for column in columns]


def score_of(values: np.ndarray, labels: np.ndarray, is_class: bool) -> float:
    """Returns how well a feature predicts; a high score must hold for other halves too."""
    score = _score(values, labels, is_class)
    for repeat in range(_REPEATS if score > KNOWN else 0):
        order = np.random.default_rng(repeat).permutation(len(values))
        score = min(score, _score(values[order], labels[order], is_class))
    return score


def _score(values: np.ndarray, labels: np.ndarray, is_class: bool) -> float:
    """Returns how well a feature predicts the labels of rows that were not looked at."""
    seen = np.isfinite(values)
    values, labels = values[seen], labels[seen]
    if len(values) < _LEAST_ROWS or values.min() == values.max():
        return 0.0
    halves = slice(0, None, 2), slice(1, None, 2)
    predict = _nearest if is_class else _interpolated
    found = np.empty(len(values))
    for one, other in (halves, halves[::-1]):
        found[other] = predict(values[one], labels[one], values[other])
    if is_class:
        return float(np.mean([np.mean(found[labels == c] == c) for c in np.unique(labels)]))
    spread = float(np.var(labels))
    if not spread:
        return 0.0
    ranks = float(scipy.stats.spearmanr(values, labels).statistic)
    return max(1 - float(np.mean(np.square(found - labels))) / spread, ranks**2)


def _nearest(values: np.ndarray, labels: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Returns the commonest class at the nearest value."""
    points, place = np.unique(values, return_inverse=True)
    classes, number = np.unique(labels, return_inverse=True)
    table = np.zeros((len(points), len(classes)))
    np.add.at(table, (place, number), 1)
    right = np.clip(np.searchsorted(points, at), 1, len(points) - 1) if len(points) > 1 else 0
    left = np.maximum(np.asarray(right) - 1, 0)
    nearer = np.where(np.abs(at - points[left]) <= np.abs(points[right] - at), left, right)
    return classes[table.argmax(axis=1)[nearer]]


def _interpolated(values: np.ndarray, labels: np.ndarray, at: np.ndarray) -> np.ndarray:
    points, place = np.unique(values, return_inverse=True)
    means = np.bincount(place, weights=labels) / np.bincount(place)
    return np.interp(at, points, means)
