"""What the compiled loss asks of outputs and labels."""

import dataclasses
import functools
import inspect
from typing import Any

import keras
import numpy as np

from kerasrecipes.sanity._outcome import UnavailableError

_STOCK = ("keras", "tensorflow", "kerasrecipes")
_VALUES = """mse mean_squared_error mae mean_absolute_error mape mean_absolute_percentage_error msle
mean_squared_logarithmic_error huber log_cosh poisson scaled_loss""".split()
_CATEGORICAL = ("categorical_crossentropy", "categorical_focal", "smoothed_crossentropy")


@dataclasses.dataclass(frozen=True, eq=False)
class LossFacts:
    """What is known of a loss.

    Attributes:
        name: Name in snake_case.
        kind: "categorical", "binary", "values", or "unknown" for every other loss.
        from_logits: Whether it applies the softmax or sigmoid itself.
        smoothing: Share of the label that it spreads over all classes.
        is_plain: Whether it is the cross-entropy or the squared error as such, unweighted.
    """

    name: str
    kind: str
    from_logits: bool = False
    smoothing: float = 0.0
    is_plain: bool = False

    def activated(self, outputs: np.ndarray) -> np.ndarray:
        """Returns probabilities for a model's outputs."""
        if not self.from_logits:
            return outputs
        if self.kind == "binary":
            return 1 / (1 + np.exp(-outputs))
        powers = np.exp(outputs - outputs.max(axis=-1, keepdims=True))
        return powers / powers.sum(axis=-1, keepdims=True)

    def best_outputs(self, y: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """Returns the outputs of shape `shape` at which the loss is least for the labels `y`."""
        if self.kind == "values":
            return np.broadcast_to(as_rows(y), shape).astype("float32")
        if self.kind == "binary":
            p = as_rows(y) * (1 - self.smoothing) + self.smoothing / 2
            p = np.clip(np.broadcast_to(p, shape), 1e-7, 1 - 1e-7)
            return (np.log(p / (1 - p)) if self.from_logits else p).astype("float32")
        p = one_hot(y, shape[-1]) * (1 - self.smoothing) + self.smoothing / shape[-1]
        p = np.clip(p, 1e-7, 1.0)
        return (np.log(p) if self.from_logits else p).astype("float32")


def loss_facts(model: keras.Model) -> LossFacts:
    """Returns what is known of the loss of a model with one output.

    Raises:
        UnavailableError: If there are several losses, or none.
    """
    loss = the_loss(model)
    config = _config(loss)
    name = _snake(_name(loss))
    smoothing = float(config.get("label_smoothing") or 0.0)
    kind = _kind(name) if not is_custom(loss) else "unknown"
    plain = kind in ("categorical", "binary") and "focal" not in name
    return LossFacts(
        name,
        kind,
        bool(config.get("from_logits")),
        smoothing,
        plain or name in ("mse", "mean_squared_error"),
    )


def the_loss(model: keras.Model) -> Any:
    """Returns the compiled loss of a model with one output, as an object or function."""
    loss = getattr(model, "loss", None)
    if isinstance(loss, (list, tuple, dict)):
        flat = keras.tree.flatten(loss)
        if len(flat) != 1:
            raise UnavailableError("the model has several losses")
        loss = flat[0]
    if loss is None:
        raise UnavailableError("the model is compiled without a loss")
    return keras.losses.get(loss) if isinstance(loss, (str, dict)) else loss


def is_custom(loss: Any) -> bool:
    """Whether a loss is neither of Keras nor of this package."""
    thing = loss if inspect.isfunction(loss) else type(loss)
    thing = loss.func if isinstance(loss, functools.partial) else thing
    return thing.__module__.partition(".")[0] not in _STOCK


def _config(loss: Any) -> dict[str, Any]:
    if isinstance(loss, keras.losses.Loss):
        return loss.get_config()
    return dict(loss.keywords) if isinstance(loss, functools.partial) else {}


def _name(loss: Any) -> str:
    loss = loss.func if isinstance(loss, functools.partial) else loss
    return getattr(loss, "__name__", None) or type(loss).__name__


def _snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")


def _kind(name: str) -> str:
    if any(part in name for part in _CATEGORICAL):
        return "categorical"
    if name.startswith(("binary_crossentropy", "binary_focal")):
        return "binary"
    return "values" if name in _VALUES else "unknown"


def as_rows(y: np.ndarray) -> np.ndarray:
    """Returns labels with one row per example and at least two axes, as float64."""
    y = np.asarray(y, "float64")
    return y[:, None] if y.ndim == 1 else y


def one_hot(y: np.ndarray, classes: int) -> np.ndarray:
    """Returns class numbers as rows of zeros and a one; such rows stay as they are."""
    y = np.asarray(y)
    if y.ndim > 1 and y.shape[-1] == classes and classes > 1:
        return y.astype("float64")
    return np.eye(classes)[y.reshape(len(y), -1)[:, 0].astype("int64")]


def class_numbers(y: np.ndarray, classes: int) -> np.ndarray:
    """Returns labels of one of several classes as numbers."""
    y = np.asarray(y)
    if y.ndim > 1 and y.shape[-1] == classes and classes > 1:
        return y.argmax(axis=-1)
    return y.reshape(-1).astype("int64")
