"""What every optimizer of this package adds to the Keras optimizer that it is."""

from collections.abc import Sequence
from typing import Any, Self

import keras
from keras import ops

from kerasrecipes._checks import InputError, check_number, fail
from kerasrecipes.optimizers.clipping import Clipping
from kerasrecipes.optimizers.decay import NOT_DECAYED, check_patterns, matching
from kerasrecipes.optimizers.replicas import after_all_reduce
from kerasrecipes.schedules.schedule import FitLength, Schedule, unknown_length


class PracticeMixin:
    """Clipping after the all-reduce, decay exclusion by path, and schedules bound to the fit.

    To be named before a Keras optimizer: `class AdamW(PracticeMixin, keras.optimizers.AdamW)`.

    - Clipping sees the gradient of the whole batch, so several replicas update like one.
    - Weight decay leaves out the variables whose path matches `exclude_from_decay`. The
      patterns are part of the config, so they survive saving.
    - A `kerasrecipes` schedule gets the length of the fit from variables of the optimizer
      (`bind_fit`), which are saved with it.
    - Every schedule is multiplied by the variable `rate_factor`, 1 at the start, so that a rate
      can be cut without touching its schedule. A constant rate is set as in Keras.

    Args:
        learning_rate: Float > 0, a schedule, or a function without arguments.
        clipvalue, clipnorm, global_clipnorm, adaptive_clip: See `Clipping`; at most one.
        exclude_from_decay: Regular expressions of variable paths that are not decayed.
            Defaults to biases, the scales and offsets of normalisations, and the parameters of
            activations.
        **kwargs: Arguments of the Keras optimizer, but for `gradient_accumulation_steps`, which
            Keras counts as updates; it is an error until this package has its own.
    """

    built: bool
    iterations: Any

    def __init__(
        self,
        learning_rate: Any,
        *,
        clipvalue: float | None = None,
        clipnorm: float | None = None,
        global_clipnorm: float | None = None,
        adaptive_clip: float | None = None,
        exclude_from_decay: Sequence[str] = NOT_DECAYED,
        **kwargs: Any,
    ) -> None:
        if kwargs.get("gradient_accumulation_steps") is not None:
            fail(
                "gradient_accumulation_steps",
                "None",
                kwargs["gradient_accumulation_steps"],
                "Keras would clip, and count the schedule's updates, by micro-batch. Use a larger "
                "batch, or the optimizer of `keras.optimizers`.",
            )
        if isinstance(learning_rate, (int, float)):
            learning_rate = check_number("learning_rate", learning_rate, low=0.0)
        super().__init__(learning_rate, **kwargs)  # type: ignore[call-arg]
        self.clipping = Clipping(clipvalue, clipnorm, global_clipnorm, adaptive_clip)
        self.exclude_from_decay = check_patterns("exclude_from_decay", exclude_from_decay)
        self._also_excluded: dict[str, Any] = {}
        self._use_rate(learning_rate)
        self._fit_is_bound = False

    def _use_rate(self, learning_rate: Any) -> None:
        keras_schedule = keras.optimizers.schedules.LearningRateSchedule
        self._is_scheduled = isinstance(learning_rate, keras_schedule)
        self.schedule = learning_rate if isinstance(learning_rate, Schedule) else None

    def build(self, variables: Sequence[Any]) -> None:
        """Creates the optimizer's variables for the given trainable variables."""
        if self.built:
            return
        variables = list(variables)
        optimizer: Any = super()
        named = self._also_excluded.get("var_list") or []
        optimizer.exclude_from_weight_decay(
            var_list=[*matching(variables, self.exclude_from_decay), *named],
            var_names=self._also_excluded.get("var_names"),
        )
        optimizer.build(variables)
        self.rate_factor = self._scalar("rate_factor", "float32", "ones")
        self.fit_start = self._scalar("fit_start", "int32", "zeros")
        self.fit_updates = self._scalar("fit_updates", "int32", "zeros")
        self.fit_updates_per_epoch = self._scalar("fit_updates_per_epoch", "int32", "zeros")

    def exclude_from_weight_decay(
        self, var_list: Sequence[Any] | None = None, var_names: Sequence[str] | None = None
    ) -> None:
        """Excludes more variables, as in Keras; unlike `exclude_from_decay` it is not saved."""
        self._also_excluded = {"var_list": var_list, "var_names": var_names}

    def load_own_variables(self, store: Any) -> None:
        """Loads the optimizer's variables; a schedule goes on in the fit that was saved."""
        optimizer: Any = super()
        optimizer.load_own_variables(store)
        self._fit_is_bound = self.built and number(self.fit_updates) > 0

    def bind_fit(self, *, start: int, updates: int, updates_per_epoch: int) -> None:
        """Tells a schedule of relative length which fit it is in.

        Args:
            start: Value of `iterations` at the beginning of the fit's first epoch.
            updates: Optimizer updates in the whole fit.
            updates_per_epoch: Optimizer updates in one epoch.
        """
        if not self.built:
            raise InputError("`bind_fit` needs a built optimizer. Call `build(variables)` first.")
        self.fit_start.assign(start)
        self.fit_updates.assign(updates)
        self.fit_updates_per_epoch.assign(updates_per_epoch)
        self._fit_is_bound = True

    @property
    def learning_rate(self) -> Any:
        """The rate of the next update: schedule(update) * rate_factor, or the constant rate."""
        if not self._is_scheduled:
            return super().learning_rate  # type: ignore[misc]
        if self.schedule is None:
            rate = super().learning_rate  # type: ignore[misc]
        elif self.schedule.needs_fit and self._fit_is_bound:
            fit = FitLength(self.fit_updates.value, self.fit_updates_per_epoch.value)
            rate = self.schedule.at(self.iterations - self.fit_start, fit)
        elif self.schedule.needs_fit:
            raise unknown_length(self.schedule)
        else:
            rate = self.schedule(self.iterations)
        return rate * ops.convert_to_tensor(self.rate_factor) if self.built else rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        fixed = isinstance(value, (int, float))
        if self._is_scheduled and fixed:
            raise InputError(
                "`learning_rate` is a schedule, which a number cannot replace. Set `rate_factor` "
                "to cut the scheduled rate, or compile the model again with a constant rate."
            )
        if not fixed and callable(value) and self.built and number(self.iterations) > 0:
            raise InputError(
                "`learning_rate` cannot become a schedule once updates were made, since the "
                "training step is already traced. Compile the model again."
            )
        keras.optimizers.Optimizer.learning_rate.fset(self, value)  # type: ignore[attr-defined]
        self._use_rate(value)

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Any] | None = None) -> None:
        """Clips the gradients of the whole batch, and updates the variables."""
        optimizer: Any = super()
        if self.clipping:
            if trainable_variables is None:
                trainable_variables = self._trainable_variables  # type: ignore[attr-defined]
            variables = list(trainable_variables or [])
            grads = after_all_reduce(lambda whole: self._clip(whole, variables), grads)
        optimizer.apply(grads, trainable_variables)

    def _clip(self, gradients: list[Any], variables: list[Any]) -> list[Any]:
        scale = self.loss_scale_factor  # type: ignore[attr-defined]
        if scale is None:
            return self.clipping(gradients, variables)
        unscaled = [None if g is None else g / scale for g in gradients]
        clipped = self.clipping(unscaled, variables)
        return [None if g is None else g * scale for g in clipped]

    def _scalar(self, name: str, dtype: str, initializer: str) -> Any:
        return self.add_variable(  # type: ignore[attr-defined]
            (), initializer, dtype, aggregation="only_first_replica", name=name
        )

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        optimizer: Any = super()
        return {
            **optimizer.get_config(),
            "clipvalue": self.clipping.clipvalue,
            "clipnorm": self.clipping.clipnorm,
            "global_clipnorm": self.clipping.global_clipnorm,
            "adaptive_clip": self.clipping.adaptive_clip,
            "exclude_from_decay": list(self.exclude_from_decay),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Self:
        """Returns the optimizer that `get_config` described."""
        optimizer: Any = super()
        return optimizer.from_config(dict(config), custom_objects=custom_objects)


def number(variable: Any) -> float:
    """Returns the value of a scalar variable, also of one that several replicas share."""
    return keras.ops.convert_to_numpy(variable).item()
