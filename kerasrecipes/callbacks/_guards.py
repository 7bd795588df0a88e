"""Hooks that decide on the device whether an update is made."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
from keras import ops

from kerasrecipes import _keras_internals
from kerasrecipes.callbacks._batch_statistics import batch_normalizations
from kerasrecipes.callbacks._hooks import shared_variable
from kerasrecipes.optimizers.clipping import global_norm
from kerasrecipes.optimizers.norm_history import NormHistory
from kerasrecipes.optimizers.update_hook import UpdateHook


class Guard(UpdateHook):
    """Base of the guards, which counts the batches that were left out.

    Args:
        model: A built model.

    Attributes:
        skipped: How many were left out in all, a variable.
        in_a_row: How many since the last update, a variable.
    """

    decides = True

    def __init__(self, model: keras.Model) -> None:
        self.model = model
        with _keras_internals.strategy_scope(model):
            self.skipped = shared_variable(0, "int32", "skipped")
            self.in_a_row = shared_variable(0, "int32", "skipped_in_a_row")

    def count(self, admitted: Any) -> None:
        """Counts a batch, which decides what `admitted` returns until the next one."""
        row = ops.convert_to_tensor(self.in_a_row)
        self.in_a_row.assign(ops.where(admitted, 0, row + 1))
        self.skipped.assign_add(ops.where(admitted, 0, 1))

    def admitted(self) -> Any:
        """Returns whether the last batch was not left out."""
        return ops.equal(ops.convert_to_tensor(self.in_a_row), 0)

    def variables(self) -> dict[str, Any]:
        """Returns the variables that make up the state, by name."""
        return {"skipped": self.skipped, "in_a_row": self.in_a_row}

    def learned(self) -> list[Any]:
        """Returns the variables that go back when the weights go back."""
        return []

    def load(self, values: Mapping[str, Any]) -> None:
        """Sets some of the variables."""
        variables = self.variables()
        with _keras_internals.strategy_scope(self.model):
            for name, value in values.items():
                variables[name].assign(value)


class FiniteGuard(Guard):
    """Leaves out gradients whose norm is not finite; after `limit` of them in a row, every one.

    The forward pass of such a batch has spoilt the moving statistics of batch normalisation. They
    are set back to what they were.

    Args:
        model: A built model.
        limit: Batches left out in a row after which no update is made any more, int >= 1.
    """

    def __init__(self, model: keras.Model, limit: int) -> None:
        super().__init__(model)
        self.limit = limit
        layers = batch_normalizations(model)
        self._statistics = [w for layer in layers for w in layer.non_trainable_weights]
        with _keras_internals.strategy_scope(model):
            self._held = [
                shared_variable(ops.convert_to_tensor(w), w.dtype, f"statistic_{index}")
                for index, w in enumerate(self._statistics)
            ]

    def judge(self, gradients: Sequence[Any]) -> None:
        """Looks at the norm, which one element that is not finite makes so."""
        below = ops.less(ops.convert_to_tensor(self.in_a_row), self.limit)
        self.count(ops.logical_and(ops.isfinite(global_norm(gradients)), below))

    def load(self, values: Mapping[str, Any]) -> None:
        """Sets some of the variables, and remembers the present statistics."""
        super().load(values)
        self.remember()

    def after(self, updated: Any) -> None:
        """Sets the statistics back, or remembers them."""
        admitted = self.admitted()
        for statistic, held in zip(self._statistics, self._held, strict=True):
            now, before = ops.convert_to_tensor(statistic), ops.convert_to_tensor(held)
            good = ops.where(admitted, now, before)
            statistic.assign(good)
            held.assign(good)

    def remember(self) -> None:
        """Remembers the present statistics."""
        with _keras_internals.strategy_scope(self.model):
            for statistic, held in zip(self._statistics, self._held, strict=True):
                held.assign(ops.convert_to_tensor(statistic))


class NormGuard(Guard):
    """Leaves out gradients whose norm is more than `factor` times a percentile of the latest ones.

    Args:
        model: A built model.
        factor, percentile, warmup_updates, max_skips, then: See `SpikeGuard`.
    """

    def __init__(
        self,
        model: keras.Model,
        *,
        factor: float,
        percentile: float,
        warmup_updates: int,
        max_skips: int,
        then: str,
    ) -> None:
        super().__init__(model)
        self.factor, self.percentile, self.then = factor, percentile, then
        self.warmup_updates, self.max_skips = warmup_updates, max_skips
        self._history_variables: dict[str, Any] = {}
        with _keras_internals.strategy_scope(model):
            self._history = NormHistory(self)

    def add_variable(self, shape: tuple[int, ...], *, dtype: str, name: str, **_: Any) -> Any:
        """Creates a variable of the history."""
        self._history_variables[name] = shared_variable(ops.zeros(shape, dtype), dtype, name)
        return self._history_variables[name]

    def variables(self) -> dict[str, Any]:
        """Returns the variables that make up the state, by name."""
        return {**super().variables(), **self._history_variables}

    def learned(self) -> list[Any]:
        """Returns the variables that go back when the weights go back."""
        return list(self._history_variables.values())

    def judge(self, gradients: Sequence[Any]) -> None:
        """Compares the norm with those before it, and remembers it if it is admitted."""
        norm = global_norm(gradients)
        typical, seen = self._history.percentile(self.percentile)
        usual = ops.logical_or(norm <= self.factor * typical, seen < self.warmup_updates)
        row = ops.convert_to_tensor(self.in_a_row)
        if self.then == "stop":
            admitted = ops.logical_and(usual, row < self.max_skips)
        else:
            enough = ops.logical_and(row >= self.max_skips, ops.isfinite(norm))
            admitted = ops.logical_or(usual, enough)
            self._history.clear(ops.logical_and(enough, ops.logical_not(usual)))
        self._history.add(norm, admitted)
        self.count(admitted)
