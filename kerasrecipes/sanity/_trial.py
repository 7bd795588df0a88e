"""A short training on a few rows, without regularisation."""

import contextlib
import dataclasses
import math
from typing import Any

import keras
import numpy as np

from kerasrecipes._checks import InputError
from kerasrecipes.sanity._gradients import Adam, step
from kerasrecipes.sanity._guess import guess
from kerasrecipes.sanity._quiet import unregularized

ROWS = 16
_RATES = (0.01, 0.001, 0.1)
_ENOUGH = 0.02
_DRAWS = 8


@dataclasses.dataclass(frozen=True, eq=False)
class Trial:
    """What a training on a few rows came to.

    Attributes:
        rows: Rows it was given, each different.
        updates: Updates it took, at all rates together.
        scale: Loss of a guess that ignores the inputs, above the least loss there is.
        share: Least loss reached, above the least there is, as a share of the scale.
        largest: The largest gradient of each trainable weight at any step.
        unregularized: Loss at the end in training mode without regularisation.
        regularized: Loss at the end as `fit` would report it, averaged over draws of the noise;
            None if noise follows a schedule, which only a fit gives its length.
        penalty: How much of it is penalties of the weights and activations.
        weights: Trainable weights at the end.
    """

    rows: int
    updates: int
    scale: float
    share: float
    largest: list[float]
    unregularized: float
    regularized: float | None
    penalty: float
    weights: list[np.ndarray]


def try_out(subject: Any) -> Trial:
    """Trains until the loss is nearly gone, or the steps are over; the model is as before.

    Several rates are tried, since one that suits every network does not exist.
    """
    model = subject.model
    x, y = subject.few_rows(_count(model))
    labels = keras.tree.map_structure(keras.ops.convert_to_tensor, y)
    floor = subject.floor(x, y)

    def loss(x: Any, y: Any) -> Any:
        return subject.loss(x, y, subject.call(x, training=True)) * subject.replicas

    with unregularized(model):
        gradients = step(loss, model.trainable_variables, compiled=True)
        run = _Run(model.trainable_variables, gradients, (x, labels))
        with subject.state.kept():
            scale = _scale(subject, y, run.evaluate(), floor)
        ends = []
        for rate in _RATES:
            with subject.state.kept():
                ends.append(run.train(rate, subject.steps, floor + _ENOUGH * scale))
            if ends[-1][0] <= floor + _ENOUGH * scale:
                break
    best = min(ends, key=lambda end: end[0])
    with subject.state.kept():
        for variable, value in zip(model.trainable_variables, best[1], strict=True):
            variable.assign(value)
        without, regularized, penalty = _compare(subject, x, labels, loss)
    return Trial(
        len(keras.tree.flatten(y)[0]),
        run.updates,
        scale,
        (best[0] - floor) / scale,
        run.largest,
        without,
        regularized,
        penalty,
        best[1],
    )


def _count(model: keras.Model) -> int:
    """Returns how many rows even a linear model of these weights can fit."""
    shapes = [each.shape[1:] for each in getattr(model, "outputs", None) or []]
    outputs = sum(math.prod(size or 1 for size in shape) for shape in shapes)
    weights = sum(math.prod(each.shape) for each in model.trainable_variables)
    return min(ROWS, max(2, weights // (2 * max(outputs, 1))))


def _scale(subject: Any, y: Any, first: float, floor: float) -> float:
    """Returns the loss of a guess above the least, or the first loss where no guess is known."""
    found = guess(subject, y)
    above = (first if found is None else found[0]) - floor
    return above if above > 0 and math.isfinite(above) else max(abs(first), 1e-6)


class _Run:
    """Trainings from the same start, with what they have in common."""

    def __init__(self, variables: Any, gradients: Any, rows: tuple[Any, Any]) -> None:
        self._variables = list(variables)
        self._gradients = gradients
        self._rows = rows
        self.largest = [0.0] * len(self._variables)
        self.updates = 0

    def evaluate(self) -> float:
        """Returns the loss at the present weights."""
        return self._gradients(*self._rows)[0]

    def train(self, rate: float, steps: int, enough: float) -> tuple[float, list[np.ndarray]]:
        """Returns the least loss and its weights; infinity if no loss was finite."""
        adam = Adam(self._variables, rate)
        best = math.inf, self._values()
        for _ in range(steps):
            loss, gradients = self._gradients(*self._rows)
            if not math.isfinite(loss):
                break
            self._note(gradients)
            if loss < best[0]:
                best = loss, self._values()
            if loss <= enough:
                break
            adam.apply(gradients)
            self.updates += 1
        return best

    def _values(self) -> list[np.ndarray]:
        return [np.array(keras.ops.convert_to_numpy(each)) for each in self._variables]

    def _note(self, gradients: list[np.ndarray | None]) -> None:
        for index, gradient in enumerate(gradients):
            if gradient is not None and gradient.size:
                self.largest[index] = max(self.largest[index], float(np.abs(gradient).max()))


def _compare(subject: Any, x: Any, y: Any, loss: Any) -> tuple[float, float | None, float]:
    """Returns the loss without regularisation, the mean loss with it, and the penalties in it."""

    def value(context: contextlib.AbstractContextManager[Any]) -> float:
        with context:
            return float(keras.ops.convert_to_numpy(loss(x, y)))

    without = value(unregularized(subject.model))
    try:
        with_it = [value(contextlib.nullcontext()) for _ in range(_DRAWS)]
    except InputError:  # dropout that follows a schedule of the fit
        return without, None, 0.0
    losses = [float(keras.ops.convert_to_numpy(each)) for each in subject.model.losses]
    return without, float(np.mean(with_it)), float(sum(losses))
