"""Weight decay and learning rates that differ by variable."""

from collections.abc import Mapping, Sequence
from typing import Any

from keras import ops

from kerasrecipes._checks import InputError
from kerasrecipes._keras_internals import NoKerasDecay
from kerasrecipes.optimizers.decay import (
    NOT_DECAYED,
    check_decay_schedule,
    check_patterns,
    is_decayed,
)
from kerasrecipes.optimizers.rate_multipliers import (
    check_matches,
    check_multipliers,
    multiplier_of,
)
from kerasrecipes.optimizers.update_hook import UpdateHook


class VariableGroups(NoKerasDecay):
    """The part of `PracticeMixin` that treats variables by their path.

    With rate r, the factor f of the variable and its decay d, 0 if it is excluded:
        w = w - r f d w,  then the optimizer's update at rate r f

    Args:
        *args: Arguments of the next class.
        exclude_from_decay: See `PracticeMixin`.
        rate_multipliers: See `PracticeMixin`.
        decay_schedule: See `PracticeMixin`.
        **kwargs: Arguments of the next class.
    """

    weight_decay: float | None
    hooks: tuple[UpdateHook, ...]

    def __init__(
        self,
        *args: Any,
        exclude_from_decay: Sequence[str] = NOT_DECAYED,
        rate_multipliers: Mapping[str, float] | None = None,
        decay_schedule: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.decay_schedule = check_decay_schedule(decay_schedule)
        self.exclude_from_decay = check_patterns("exclude_from_decay", exclude_from_decay)
        self.rate_multipliers = check_multipliers(rate_multipliers)
        self._also_excluded: dict[str, Any] = {}

    def exclude_from_weight_decay(
        self, var_list: Sequence[Any] | None = None, var_names: Sequence[str] | None = None
    ) -> None:
        """Excludes more variables, as in Keras; unlike `exclude_from_decay` it is not saved.

        Raises: InputError if the optimizer is built, as that of a recipe model is.
        """
        if self.built:  # type: ignore[attr-defined]
            raise InputError(
                "`exclude_from_weight_decay` must be called before the optimizer is built. Pass "
                "`exclude_from_decay` to the optimizer instead, which is also saved."
            )
        self._also_excluded = {"var_list": var_list, "var_names": var_names}

    def build(self, variables: Sequence[Any]) -> None:
        """Finds the decay and the factor of each variable."""
        optimizer: Any = super()
        optimizer.build(variables)
        self._is_decayed = [
            is_decayed(variable, self.exclude_from_decay, **self._also_excluded)
            for variable in variables
        ]
        check_matches(self.rate_multipliers, variables)
        self._factors = [multiplier_of(v, self.rate_multipliers) for v in variables]

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Decays one variable and updates it, at its own rate."""
        factor = self._factors[self._get_variable_index(variable)]  # type: ignore[attr-defined]
        rate = learning_rate if factor == 1.0 else learning_rate * factor
        self.decay(variable, rate)
        optimizer: Any = super()
        optimizer.update_step(gradient, variable, rate)

    def decay(self, variable: Any, rate: Any) -> None:
        """Decays one variable: w = w - rate * decay * w; hooks may multiply the decay."""
        decay = self.decay_of(variable)
        if decay:
            if self.decay_schedule is not None:
                decay = decay * self.schedule_value(self.decay_schedule)  # type: ignore[attr-defined]
            for hook in self.hooks:
                decay = decay if hook.decay_factor is None else decay * hook.decay_factor
            shrink = ops.cast(rate * decay, variable.dtype)
            self.assign_sub(variable, variable * shrink)  # type: ignore[attr-defined]

    def decay_of(self, variable: Any) -> float:
        """Returns the weight decay of a variable, 0 if it is excluded."""
        index = self._get_variable_index(variable)  # type: ignore[attr-defined]
        return (self.weight_decay or 0.0) if self._is_decayed[index] else 0.0
