"""What every optimizer of this package adds to the Keras optimizer that it is."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import keras

from kerasrecipes._checks import fail
from kerasrecipes.optimizers.decay import NOT_DECAYED
from kerasrecipes.optimizers.replicas import replicas_in_scope
from kerasrecipes.optimizers.scheduled_rate import ScheduledRate
from kerasrecipes.optimizers.settings import checked
from kerasrecipes.optimizers.variable_groups import VariableGroups
from kerasrecipes.optimizers.whole_gradient import WholeGradient


class PracticeMixin(WholeGradient, VariableGroups, ScheduledRate):
    """Clipping after the all-reduce, decay and rates by path, accumulation, schedules of the fit.

    To be named before a Keras optimizer: `class AdamW(PracticeMixin, keras.optimizers.AdamW)`.

    - Clipping sees the gradient of the whole batch, so several replicas update like one.
    - Weight decay leaves out the variables whose path matches `exclude_from_decay`. The
      patterns are part of the config, so they survive saving.
    - Accumulation makes one update from the mean gradient of several batches, under replicas
      too; `iterations`, and with it every schedule, counts updates.
    - A `kerasrecipes` schedule gets the length of the fit from variables of the optimizer
      (`bind_fit`), which are saved with it. Where it says what the momentum should be, as
      `OneCycle` does, SGD with momentum and the optimizers with `beta_1` follow.
    - Every schedule is multiplied by the variable `rate_factor`, 1 at the start, so that a rate
      can be cut without touching its schedule. A constant rate is set as in Keras.
    - `statistics` tells the gradient norm, the clipped fraction and the update ratio.

    Args:
        learning_rate: Float > 0, a schedule, or a function without arguments.
        clipvalue, clipnorm, global_clipnorm, adaptive_clip: See `Clipping`; at most one.
        exclude_from_decay: Regular expressions of variable paths that are not decayed.
            Defaults to biases, the scales and offsets of normalisations, and the parameters of
            activations.
        rate_multipliers: Dict from regular expressions of variable paths to factors of the rate
            (and of the decay, which is times the rate); the first that is found counts. See
            `layerwise_decay`. Defaults to None, 1 for all.
        decay_schedule: Name or schedule s, with a peak of 1: the decay of update t is
            weight_decay * s(t). Defaults to None, 1 throughout.
        gradient_accumulation_steps: Batches per update, int >= 2, or None for one. Their
            gradients are averaged, then clipped. Those left over when a fit ends count in the first
            update of the next. Defaults to None.
        track_updates: Whether `statistics` tells the update ratio, which costs a copy of the
            weights, and the gradient norm where nothing is clipped. Defaults to False.
        **kwargs: Arguments of the Keras optimizer.
    """

    use_ema: bool
    ema_overwrite_frequency: int | None

    def __init__(
        self,
        learning_rate: Any,
        *,
        clipvalue: float | None = None,
        clipnorm: float | None = None,
        global_clipnorm: float | str | None = None,
        adaptive_clip: float | None = None,
        exclude_from_decay: Sequence[str] = NOT_DECAYED,
        rate_multipliers: Mapping[str, float] | None = None,
        decay_schedule: Any = None,
        gradient_accumulation_steps: int | None = None,
        track_updates: bool = False,
        **kwargs: Any,
    ) -> None:
        kwargs = checked(type(self), kwargs)
        super().__init__(
            learning_rate,
            clipvalue=clipvalue,
            clipnorm=clipnorm,
            global_clipnorm=global_clipnorm,
            adaptive_clip=adaptive_clip,
            exclude_from_decay=exclude_from_decay,
            rate_multipliers=rate_multipliers,
            decay_schedule=decay_schedule,
            gradient_accumulation_steps=gradient_accumulation_steps,
            track_updates=track_updates,
            **kwargs,
        )

    def build(self, variables: Sequence[Any]) -> None:
        """Creates the optimizer's variables for the given trainable variables, once."""
        if self.built:
            return
        if self.use_ema and self.ema_overwrite_frequency and replicas_in_scope() > 1:
            fail(
                "ema_overwrite_frequency",
                "None under several replicas",
                self.ema_overwrite_frequency,
                "Average by `callbacks.WeightAveraging` instead.",
            )
        super().build(list(variables))

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        optimizer: Any = super()
        steps = self.accumulation_steps
        return {
            **optimizer.get_config(),
            "clipvalue": self.clipping.clipvalue,
            "clipnorm": self.clipping.clipnorm,
            "global_clipnorm": self.clipping.global_clipnorm,
            "adaptive_clip": self.clipping.adaptive_clip,
            "exclude_from_decay": list(self.exclude_from_decay),
            "rate_multipliers": dict(self.rate_multipliers),
            "decay_schedule": keras.saving.serialize_keras_object(self.decay_schedule),
            "gradient_accumulation_steps": steps if steps > 1 else None,
            "track_updates": self.track_updates,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Self:
        """Returns the optimizer that `get_config` described."""
        optimizer: Any = super()
        return optimizer.from_config(dict(config), custom_objects=custom_objects)
