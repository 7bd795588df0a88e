"""The base of the callbacks of this package."""

import copy
from collections.abc import Mapping
from typing import Any, ClassVar

import keras
import numpy as np

from kerasrecipes import _keras_internals
from kerasrecipes._checks import InputError


class Callback(keras.callbacks.Callback):
    """Base of the callbacks of this package: a Keras callback that says what its state is.

    A subclass lists the attributes that a fit changes in `state`; `on_train_begin` sets them to
    their start. `Checkpoint` writes `state_dict()` with the model, and hands it to
    `load_state_dict` at the same point of the fit that goes on. Values are None, numbers, strings,
    and lists and dicts of these, NumPy arrays and tensors.

    A callback of your own takes part without this base, by having both methods.

    Example:
    >>> class Count(Callback):
    ...     state = ("batches",)
    ...     def on_train_begin(self, logs=None):
    ...         self.batches = 0
    ...     def on_train_batch_begin(self, batch, logs=None):
    ...         self.batches += 1
    >>> count = Count()
    >>> count.load_state_dict({"batches": 3})
    >>> count.on_train_batch_begin(0)
    >>> count.state_dict()
    {'batches': 4}
    """

    state: ClassVar[tuple[str, ...]] = ()

    def state_dict(self) -> dict[str, Any]:
        """Returns a copy of what a fit has changed, with tensors as NumPy arrays."""
        return {name: plain(getattr(self, name)) for name in self.state}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Goes on from what `state_dict` returned."""
        if set(state) != set(self.state):
            raise InputError(
                f"The state of {type(self).__name__} must have the entries {sorted(self.state)}. "
                f"Received: {sorted(state)}. It was written by another version."
            )
        for name, value in state.items():
            setattr(self, name, copy.deepcopy(value))

    def close(self) -> None:
        """Called when the fit of a recipe model is over, also after an exception."""

    def siblings(self) -> list[keras.callbacks.Callback]:
        """Returns all callbacks of the running fit in their order, this one among them."""
        return _keras_internals.callbacks_of_the_fit(self) or [self]


def plain(value: Any) -> Any:
    """Returns a copy of a state, with tensors and variables as NumPy arrays."""
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (set, frozenset)):
        raise TypeError(f"Received: {value!r}.")
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, np.generic):
        return value.item()
    return np.array(keras.ops.convert_to_numpy(value))
