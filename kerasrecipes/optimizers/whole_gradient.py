"""What happens to the gradient of the whole batch before the update."""

import contextlib
import functools
from collections.abc import Sequence
from typing import Any

from keras import ops

from kerasrecipes._checks import check_choice, check_int, fail
from kerasrecipes._keras_internals import SumsOnce
from kerasrecipes.optimizers.accumulation import Accumulation
from kerasrecipes.optimizers.clipping import Clipping, safe_norm
from kerasrecipes.optimizers.known import known
from kerasrecipes.optimizers.norm_history import NormHistory
from kerasrecipes.optimizers.replicas import (
    all_reduced,
    divided,
    on_one_host,
    several_replicas,
)
from kerasrecipes.optimizers.statistics import Statistics
from kerasrecipes.optimizers.update_hook import UpdateHook


class WholeGradient(SumsOnce):
    """The part of `PracticeMixin` that accumulates, measures and clips gradients.

    `hooks` are what callbacks add to each update, see `UpdateHook`. They are no part of the
    config, and the training step has to be traced anew when they change.

    Args:
        *args: Arguments of the next class.
        clipvalue, clipnorm, global_clipnorm, adaptive_clip: See `Clipping`.
        gradient_accumulation_steps, track_updates: See `PracticeMixin`.
        **kwargs: Arguments of the next class.
    """

    built: bool

    def __init__(
        self,
        *args: Any,
        clipvalue: float | None = None,
        clipnorm: float | None = None,
        global_clipnorm: float | str | None = None,
        adaptive_clip: float | None = None,
        gradient_accumulation_steps: int | None = None,
        track_updates: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._accumulation: Accumulation | None = None
        self.clipping = Clipping(clipvalue, clipnorm, global_clipnorm, adaptive_clip)
        self.accumulation_steps = _check_steps(gradient_accumulation_steps, kwargs)
        self.track_updates = check_choice("track_updates", track_updates, (True, False))
        self._norm_history: NormHistory | None = None
        self._statistics: Statistics | None = None
        self.hooks: tuple[UpdateHook, ...] = ()
        self._due: Any = None

    def build(self, variables: Sequence[Any]) -> None:
        """Creates the variables for sums, norms and statistics, those that are needed."""
        optimizer: Any = super()
        optimizer.build(variables)
        if self.accumulation_steps > 1:
            self._accumulation = Accumulation(self, variables, self.accumulation_steps)
        if self.clipping.is_auto:
            self._norm_history = NormHistory(self)
        if self.clipping or self.track_updates:
            self._statistics = Statistics(self)

    @property
    def iterations(self) -> Any:
        """The updates made; batches that were only accumulated do not count."""
        calls = super().iterations  # type: ignore[misc]
        if self._accumulation is None:
            return calls
        return ops.floor_divide(calls, self.accumulation_steps)

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Any] | None = None) -> None:
        """Accumulates and clips the gradients of the whole batch, and updates the variables."""
        optimizer: Any = super()
        variables = known(self, trainable_variables)
        once: contextlib.AbstractContextManager[None] = contextlib.nullcontext()
        if variables and (self._accumulation or self._statistics or self.hooks):
            grads = self._prepare(all_reduced(grads), variables)
            if self.can_sum_once and on_one_host():
                once = self.summed()
            else:
                grads = divided(grads)
        due = self._is_due()
        before = [ops.copy(variable) for variable in (variables if self.track_updates else ())]
        self._due = None if several_replicas() else due  # not again for each assignment
        try:
            with once:
                optimizer.apply(grads, trainable_variables)
        finally:
            self._due = None
        if self.track_updates:
            after = [ops.convert_to_tensor(variable) for variable in variables]
            self._statistics.record_update(before, after, due)  # type: ignore[union-attr]
        for hook in self.hooks:
            hook.after(due)
        admitted = self._admitted()
        if admitted is not None:
            calls = super().iterations  # type: ignore[misc]
            calls.assign_sub(ops.where(admitted, 0, 1))

    def _prepare(self, gradients: list[Any], variables: list[Any]) -> list[Any]:
        scale = self.loss_scale_factor  # type: ignore[attr-defined]
        if scale is not None:
            gradients = [None if g is None else g / scale for g in gradients]
        for hook in self.hooks:
            hook.judge(gradients)
        admitted, due = self._admitted(), self._is_due()
        if admitted is not None and (self._accumulation or self._statistics):
            gradients = [None if g is None else ops.where(admitted, g, 0) for g in gradients]
        if self._accumulation is not None:
            gradients = self._accumulation.add(gradients, variables, due)
        if self._statistics is not None:
            gradients = self._clip(gradients, variables, due)
        return gradients if scale is None else [None if g is None else g * scale for g in gradients]

    def _clip(self, gradients: list[Any], variables: list[Any], due: Any) -> list[Any]:
        norm, clipped = safe_norm(gradients), False
        if self.clipping:
            history = self._norm_history
            threshold = None if history is None else history.add(norm, due)
            gradients, clipped = self.clipping(gradients, variables, norm=norm, threshold=threshold)
        self._statistics.record_gradient(norm, clipped, due)  # type: ignore[union-attr]
        return gradients

    def _admitted(self) -> Any:
        """Returns whether all hooks admit the gradients of this call, or None if all always do."""
        answers = [hook.admitted() for hook in self._guards()]
        return functools.reduce(ops.logical_and, answers) if answers else None

    def _guards(self) -> list[UpdateHook]:
        return [hook for hook in self.hooks if hook.decides]

    def _is_due(self) -> Any:
        """Returns whether this call of `apply` ends in an update."""
        if self._due is not None:
            return self._due
        admitted = self._admitted()
        due = ops.convert_to_tensor(True if admitted is None else admitted)
        if self._accumulation is None:
            return due
        return ops.logical_and(due, self._accumulation.due(super().iterations))  # type: ignore[misc]

    def _is_always_due(self) -> bool:
        return self._accumulation is None and not self._guards()

    def assign(self, variable: Any, value: Any) -> None:
        """Assigns a value when an update is due."""
        optimizer: Any = super()
        if not self._is_always_due():
            value = ops.where(self._is_due(), value, ops.convert_to_tensor(variable))
        optimizer.assign(variable, value)

    def assign_add(self, variable: Any, value: Any) -> None:
        """Adds a value when an update is due."""
        optimizer: Any = super()
        optimizer.assign_add(variable, self._zero_unless_due(value))

    def assign_sub(self, variable: Any, value: Any) -> None:
        """Subtracts a value when an update is due."""
        optimizer: Any = super()
        optimizer.assign_sub(variable, self._zero_unless_due(value))

    def _zero_unless_due(self, value: Any) -> Any:
        if self._is_always_due():
            return value
        value = ops.convert_to_tensor(value)
        return ops.where(self._is_due(), value, ops.zeros_like(value))

    def statistics(self) -> dict[str, float]:
        """Returns means over the updates since `reset_statistics`, by name.

        - "gradient_norm": Euclidean norm of the whole gradient, before clipping. Recorded by
          an optimizer that clips or has `track_updates`.
        - "clipped_fraction": Share of the updates whose gradient was clipped.
        - "update_ratio": Norm of the update over the norm of the weights, with `track_updates`.
        """
        if self._statistics is None:
            return {}
        return self._statistics.means(clipping=bool(self.clipping))

    def reset_statistics(self) -> None:
        """Begins the statistics anew."""
        if self._statistics is not None:
            self._statistics.reset()


def _check_steps(steps: Any, kwargs: dict[str, Any]) -> int:
    if steps is None:
        return 1
    if kwargs.get("use_ema"):
        remedy = "Keras would move the average at every batch, updated or not."
        fail("use_ema", "False with `gradient_accumulation_steps`", True, remedy)
    return check_int("gradient_accumulation_steps", steps, low=2)
