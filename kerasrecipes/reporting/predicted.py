"""Predicted."""

import dataclasses
import zipfile
from pathlib import Path
from typing import Any, Self

import numpy as np

from kerasrecipes._checks import InputError

_WORST = 12
_CLASSES = ("binary", "multiclass")
_TINY = 1e-7


@dataclasses.dataclass(frozen=True, eq=False)
class Predicted:
    """Predictions of the test rows, and what is needed to show the worst of them.

    Attributes:
        kind: Kind of target, such as "multiclass".
        y_true: True class numbers or values, shape (n,) or (n, units).
        outputs: Outputs of the model, shape (n, units).
        class_names: Names of the classes or labels, or None.
        rows: Number of each row in the data, counted from 0, shape (n,); or None.
        inputs: Inputs of the worst rows in the order of `worst`: numbers or texts; or None.
        feature_names: Names of the features of `inputs`, or None.

    Example:
    >>> y_true, outputs = np.array([0, 1]), np.array([[0.9, 0.1], [0.75, 0.25]])
    >>> predicted = Predicted.of("multiclass", np.array([[5.0], [6.0]]), y_true, outputs)
    >>> predicted.chosen.tolist(), [f"{x:.2f}" for x in predicted.losses], predicted.worst.tolist()
    ([0, 0], ['0.11', '1.39'], [1, 0])
    """

    kind: str
    y_true: np.ndarray
    outputs: np.ndarray
    class_names: tuple[str, ...] | None = None
    rows: np.ndarray | None = None
    inputs: np.ndarray | None = None
    feature_names: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        outputs = np.asarray(self.outputs, "float32")
        object.__setattr__(self, "y_true", np.asarray(self.y_true))
        if len(self.y_true) != len(outputs) or not len(outputs):
            raise InputError(
                "`y_true` and `outputs` must be of one length, at least 1. "
                f"Received: {len(self.y_true)} and {len(outputs)}."
            )
        object.__setattr__(self, "outputs", outputs.reshape(len(outputs), -1))

    @classmethod
    def of(cls, kind: str, x: Any, y_true: Any, outputs: Any, **more: Any) -> Self:
        """Returns the predictions with the inputs of the worst rows, taken from all inputs `x`."""
        bare = cls(kind, y_true, outputs, **more)
        names = getattr(x, "columns", None)
        if names is not None:
            bare = dataclasses.replace(bare, feature_names=tuple(map(str, names)))
        taken = x.iloc[bare.worst].to_numpy() if names is not None else np.asarray(x)[bare.worst]
        if taken.dtype.kind not in "biuf":
            taken = taken.astype(str)
        return dataclasses.replace(bare, inputs=taken)

    @property
    def is_classes(self) -> bool:
        """Whether each row has one class."""
        return self.kind in _CLASSES

    @property
    def is_finite(self) -> bool:
        """Whether all outputs are finite."""
        return bool(np.isfinite(self.outputs).all())

    @property
    def probabilities(self) -> np.ndarray:
        """Probability of each class, shape (n, classes), of a target of classes."""
        if self.outputs.shape[1] == 1:
            return np.concatenate([1 - self.outputs, self.outputs], axis=1)
        return self.outputs

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the classes, their numbers where they have none."""
        return self.class_names or tuple(map(str, range(self.probabilities.shape[1])))

    @property
    def chosen(self) -> np.ndarray:
        """Number of the most probable class of each row."""
        return self.probabilities.argmax(axis=1)

    @property
    def losses(self) -> np.ndarray:
        """How wrong each row is: -log of the true class's probability, or the mean |error|."""
        if self.is_classes:
            numbers = self.y_true.reshape(-1).astype("int64")
            right = self.probabilities[np.arange(len(numbers)), numbers]
            return -np.log(np.maximum(right, _TINY))
        truth = self.y_true.reshape(self.outputs.shape).astype("float64")
        if self.kind == "multilabel":
            right = np.where(truth > 0.5, self.outputs, 1 - self.outputs)
            return -np.log(np.maximum(right, _TINY)).mean(axis=1)
        return np.abs(self.outputs - truth).mean(axis=1)

    @property
    def worst(self) -> np.ndarray:
        """Indices of the rows with the largest losses, the largest first; at most 12."""
        return np.argsort(-self.losses, kind="stable")[:_WORST]

    def save(self, path: str | Path) -> None:
        """Writes a compressed NumPy file."""
        found = {name: getattr(self, name) for name in _FIELDS}
        arrays: dict[str, Any] = {n: np.asarray(v) for n, v in found.items() if v is not None}
        np.savez_compressed(path, **arrays)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Returns what `save` wrote; a damaged file is an `InputError`."""
        try:
            with open(path, "rb") as raw, np.load(raw, allow_pickle=False) as file:
                found: dict[str, Any] = {name: file[name] for name in file.files}
            for name in ("class_names", "feature_names"):
                if name in found:
                    found[name] = tuple(found[name].tolist())
            return cls(**{**found, "kind": str(found["kind"])})
        except (ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
            raise InputError(f"{path} is damaged: {error}.") from error


_FIELDS = tuple(field.name for field in dataclasses.fields(Predicted))
