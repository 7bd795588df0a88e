"""The base of all targets: what is predicted decides the head, the loss and the metrics."""

from collections.abc import Sequence
from typing import Any, Self

import keras
import numpy as np

from kerasrecipes._checks import InputError, check_int, fail


class Target:
    """What a model predicts, and everything that follows from it.

    A target knows the output units and activation, the loss and metrics, the quantity to
    monitor and its direction, and the loss of a guess that ignores the input. Recipes ask it
    instead of deciding for themselves. A target is immutable; `adapt` returns a new one.

    Attributes:
        name: Kind of target in snake_case, as TOML recipes give it.
        units: Output units of the model.
        activation: Name of the output activation.
        monitor: Log entry that early stopping watches.
        direction: "min" or "max", whichever is better for `monitor`.
        class_names: Names of the classes or labels, or None.
    """

    name: str
    units: int
    activation: str = "linear"
    monitor: str = "val_loss"
    direction: str = "min"
    class_names: tuple[str, ...] | None = None

    def loss(self, *, label_smoothing: float = 0.0) -> keras.losses.Loss:
        """Returns a new loss for `model.compile`."""
        raise NotImplementedError(f"{type(self).__name__} must implement `loss`.")

    def metrics(self) -> list[keras.metrics.Metric]:
        """Returns new metrics for `model.compile`."""
        raise NotImplementedError(f"{type(self).__name__} must implement `metrics`.")

    def encode(self, y: Any) -> np.ndarray:
        """Returns raw labels as the array that the loss takes; wrong ones are an `InputError`."""
        raise NotImplementedError(f"{type(self).__name__} must implement `encode`.")

    def adapt(self, y: Any) -> Self:
        """Returns this target with the statistics of the training labels `y`."""
        raise NotImplementedError(f"{type(self).__name__} must implement `adapt`.")

    def random_guess_loss(self, y: Any = None) -> float:
        """Returns the loss of the best constant prediction, which a first loss should equal.

        Args:
            y: Labels whose frequencies (or mean) the guess knows. Without them, balanced
                classes are assumed; regression targets need them.
        """
        raise NotImplementedError(f"{type(self).__name__} must implement `random_guess_loss`.")

    def prior_bias(self) -> list[float] | None:
        """Returns the output biases at which an untrained model predicts the prior, or None."""
        return None

    def output_layers(self, **dense_arguments: Any) -> list[keras.layers.Layer]:
        """Returns the layers of the head, to be called one after the other.

        The activation runs in float32 under every dtype policy, so that the loss stays exact.

        Args:
            **dense_arguments: Arguments of the `Dense` layer, such as `kernel_initializer`.
        """
        prior = self.prior_bias()
        if prior is not None:
            dense_arguments["bias_initializer"] = keras.initializers.Constant(prior)
        return [
            keras.layers.Dense(self.units, name="head", **dense_arguments),
            keras.layers.Activation(self.activation, dtype="float32", name="predictions"),
        ]

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        raise NotImplementedError(f"{type(self).__name__} must implement `get_config`.")

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Returns the target that `get_config` described."""
        return cls(**config)

    def __eq__(self, other: object) -> bool:
        """Targets of one type with equal arguments are equal."""
        return type(self) is type(other) and self.get_config() == other.get_config()  # type: ignore[attr-defined]

    def __hash__(self) -> int:
        """Equal targets hash alike."""
        return hash((type(self), repr(sorted(self.get_config().items()))))

    def __repr__(self) -> str:
        """Shows the arguments that are set."""
        arguments = (f"{k}={v!r}" for k, v in self.get_config().items() if v is not None)
        return f"{type(self).__name__}({', '.join(arguments)})"


_NUMBERS_REMEDY = (
    "Numbers are class numbers, counted from 0: subtract the first one, or name the classes."
)


def as_vector(y: Any) -> np.ndarray:
    """Returns labels as a one-dimensional array; a column (n, 1) is flattened."""
    array = np.asarray(y)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise InputError(
            f"`y` must hold one label per row, shape (n,). Received: shape {array.shape}."
        )
    if len(array) == 0:
        raise InputError("`y` must hold at least one label. Received: an empty array.")
    return array


def names_or_count(argument: str, value: Any, *, low: int) -> tuple[int, tuple[str, ...] | None]:
    """Reads a class count or a sequence of distinct class names."""
    remedy = "Give the number of classes, or their names in order."
    if isinstance(value, np.ndarray) and value.ndim == 1:
        value = value.tolist()
    if isinstance(value, str) or not isinstance(value, Sequence):
        return check_int(argument, value, low=low, remedy=remedy), None
    names = tuple(str(name) for name in value)
    if any(name.lstrip("-").replace(".", "", 1).isdigit() for name in names):
        fail(argument, "a count, or names that are not numbers", value, _NUMBERS_REMEDY)
    if len(set(names)) != len(names) or len(names) < low:
        fail(argument, f"at least {low} distinct names", value, remedy)
    return len(names), names
