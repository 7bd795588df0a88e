"""ScheduledDropout."""

from typing import Any

import keras
from keras import ops

from kerasrecipes._checks import InputError, check_int, check_number, fail
from kerasrecipes._export import export
from kerasrecipes.layers._counter_hash import hashes
from kerasrecipes.schedules.identify import get as get_schedule
from kerasrecipes.schedules.schedule import FitLength, Schedule, unknown_length


@export("layers")
class ScheduledDropout(keras.layers.Layer):
    """Dropout whose rate follows a schedule over the fit.

    In the batch t of the fit, with s the schedule at t:
        y = x * m / (1 - rate * s(t)),  m = 1 with probability 1 - rate * s(t), else 0
    Outside training y = x. Batches are counted in a variable of the layer, one for each call in
    training, so the compiled step follows the schedule. Its length comes from the fit, by
    `kerasrecipes.callbacks.BindSchedule`, which recipe models bring along; both are saved.

    Args:
        rate: Share of the inputs dropped where the schedule is 1, in [0, 1).
        schedule: Name ("flat_cos", "cosine", ...) or schedule, in [0, 1] at all times. Defaults to
            "flat_cos".
        seed: Integer for reproducible masks, or None. Defaults to None.
        **kwargs: Arguments of `keras.layers.Layer`, such as `name` and `dtype`.

    Call arguments:
        inputs: Tensor of any shape.
        training: Whether to drop.

    Returns: Tensor of the shape of `inputs`.

    Raises: InputError for an argument outside the above, and for a call in training before the
        length of the fit is known.

    Example:
    >>> import numpy as np
    >>> layer = ScheduledDropout(0.5, seed=0)
    >>> layer.build((None, 4))
    >>> layer.bind_fit(epoch=0, steps=4, steps_per_epoch=2)
    >>> rates = []
    >>> for _ in range(4):
    ...     rates.append(round(float(layer.current_rate()), 3))
    ...     _ = layer(np.ones((1, 4)), training=True)
    >>> rates
    [0.5, 0.5, 0.5, 0.25]

    Reference: Holzmueller et al. 2024, arXiv:2407.04491.
    """

    def __init__(
        self, rate: float, *, schedule: Any = "flat_cos", seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.rate = check_number("rate", rate, low=0, high=1, open_high=True)
        if isinstance(schedule, dict) and "class_name" in schedule:
            schedule = keras.saving.deserialize_keras_object(schedule)
        self.schedule: Any = get_schedule(schedule, 1.0)
        if not isinstance(self.schedule, Schedule):
            fail("schedule", "a name or a schedule of kerasrecipes", schedule)
        self.seed = None if seed is None else check_int("seed", seed)
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.supports_masking = True
        self._fit_is_bound = False

    def build(self, input_shape: tuple[Any, ...]) -> None:
        """Creates the count of batches and the length of the fit."""
        for name in ("batches", "fit_steps", "fit_steps_per_epoch"):
            variable = self.add_weight(
                shape=(),
                dtype="int32",
                initializer="zeros",
                trainable=False,
                aggregation="only_first_replica",
                name=name,
            )
            setattr(self, name, variable)

    def bind_fit(self, *, epoch: int, steps: int, steps_per_epoch: int) -> None:
        """Tells the layer which fit it is in.

        Args:
            epoch: The epoch that begins now.
            steps: Batches in the whole fit.
            steps_per_epoch: Batches in one epoch.
        """
        if not self.built:
            raise InputError("`bind_fit` needs a built layer. Call it on an input first.")
        self.batches.assign(epoch * steps_per_epoch)
        self.fit_steps.assign(steps)
        self.fit_steps_per_epoch.assign(steps_per_epoch)
        self._fit_is_bound = True

    def current_rate(self) -> Any:
        """Returns the rate of the next batch, a scalar float32 tensor."""
        if self.schedule.needs_fit and not self._fit_is_bound:
            raise unknown_length(self.schedule)
        fit = FitLength(self.fit_steps.value, self.fit_steps_per_epoch.value)
        return self.rate * ops.cast(self.schedule.at(self.batches.value, fit), "float32")

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Returns the inputs, some of them dropped in training."""
        if not training or not self.rate:
            return inputs
        rate = self.current_rate()
        self.batches.assign(self.batches + 1)
        draws = hashes(self.seed_generator, tuple(ops.shape(inputs)))
        threshold = ops.minimum(rate * 2.0**32, 2.0**32 - 256)  # float32 has no more below 2^32
        kept = ops.cast(draws >= ops.cast(threshold, "uint32"), inputs.dtype)
        return inputs * kept / ops.cast(1 - rate, inputs.dtype)

    def load_own_variables(self, store: Any) -> None:
        """Loads the layer's variables; the schedule goes on in the fit that was saved."""
        super().load_own_variables(store)
        self._fit_is_bound = int(ops.convert_to_numpy(self.fit_steps)) > 0

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Returns `input_shape`."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {
            **super().get_config(),
            "rate": self.rate,
            "schedule": keras.saving.serialize_keras_object(self.schedule),
            "seed": self.seed,
        }
