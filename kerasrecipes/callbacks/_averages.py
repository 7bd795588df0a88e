"""Averages of the weights of a model, kept beside them on the device."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from kerasrecipes import _keras_internals
from kerasrecipes._checks import InputError
from kerasrecipes.callbacks._hooks import shared_variable
from kerasrecipes.optimizers.update_hook import UpdateHook


class Averages:
    """A second set of the weights, which starts as a copy and can change places with them.

    All weights of floating-point type take part, the moving statistics of normalisations among
    them.

    Args:
        model: A built model.

    Attributes:
        model: The model.
        weights: The weights of the model that are averaged.
        others: The averages, or the weights themselves once they have changed places.
        count: What the averages are of: updates or epochs.
    """

    def __init__(self, model: keras.Model) -> None:
        self.model = model
        self.weights = [w for w in model.weights if keras.backend.is_float_dtype(w.dtype)]
        half = sorted({w.dtype for w in self.weights} - {"float32", "float64"})
        if half:
            raise InputError(
                f"Weights of type {', '.join(half)} are too coarse to average. Use the policy "
                '"mixed_bfloat16" or "mixed_float16", which keeps the weights in float32.'
            )
        with _keras_internals.strategy_scope(model):
            self.count = shared_variable(0, "int32", "average_count")
            self.others = [
                shared_variable(ops.copy(ops.convert_to_tensor(w)), w.dtype, f"average_{index}")
                for index, w in enumerate(self.weights)
            ]

    def load(self, *, others: Sequence[Any] = (), count: int | None = None) -> None:
        """Sets what was saved, the averages or their count."""
        with _keras_internals.strategy_scope(self.model):
            if count is not None:
                self.count.assign(count)
            for other, value in zip(self.others, others, strict=bool(others)):
                other.assign(value)

    def swap(self) -> None:
        """Lets the weights and the averages change places."""
        with _keras_internals.strategy_scope(self.model):
            for weight, other in zip(self.weights, self.others, strict=True):
                held = ops.copy(ops.convert_to_tensor(weight))
                weight.assign(ops.convert_to_tensor(other))
                other.assign(held)

    def include_epoch(self) -> None:
        """Moves the averages on to the mean over one more epoch: a = a + (w - a) / n."""
        with _keras_internals.strategy_scope(self.model):
            self.count.assign_add(1)
            count = int(ops.convert_to_numpy(self.count))
            for weight, other in zip(self.weights, self.others, strict=True):
                step = (ops.convert_to_tensor(weight) - ops.convert_to_tensor(other)) / count
                other.assign_add(step)


class MovingAverage(UpdateHook):
    """Moves averages on after every update: a = d a + (1 - d) w.

    Args:
        averages: The averages.
        decay: d, in (0, 1).
        warmup: Whether d is at most (1 + t) / (10 + t) at the t-th update.
    """

    def __init__(self, averages: Averages, decay: float, warmup: bool) -> None:
        self._averages = averages
        self._decay = decay
        self._warmup = warmup

    def after(self, updated: Any) -> None:
        """Moves the averages on, if the weights have moved."""
        count = ops.convert_to_tensor(self._averages.count) + ops.cast(updated, "int32")
        self._averages.count.assign(count)
        t, decay = ops.cast(count, "float32"), self._decay
        share = 1 - (ops.minimum(decay, (1 + t) / (10 + t)) if self._warmup else decay)
        for weight, other in zip(self._averages.weights, self._averages.others, strict=True):
            a = ops.convert_to_tensor(other)
            moved = a + ops.cast(share, a.dtype) * (ops.convert_to_tensor(weight) - a)
            other.assign(ops.where(updated, moved, a))
