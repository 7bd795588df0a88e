"""The base of the callbacks of this package."""

import copy
import inspect
import warnings
import weakref
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import keras
import numpy as np

from kerasrecipes import _keras_internals, _workers
from kerasrecipes._checks import InputError

_fits: weakref.WeakKeyDictionary[Any, object] = weakref.WeakKeyDictionary()


class Callback(keras.callbacks.Callback):
    """Base of the callbacks of this package: a Keras callback that says what its state is.

    A subclass lists the attributes that a fit changes in `state`; `on_train_begin` sets them to
    their start. `Checkpoint` writes `state_dict()` with the model, and hands it to
    `load_state_dict` at the same point of the fit that goes on. Values are None, numbers, strings,
    and lists and dicts of these, NumPy arrays and tensors.

    A callback with hooks for batches makes recipe models train batch by batch. One that is content
    to be called between some hundred batches says so by the attribute `needs_every_batch = False`,
    and one that is content with less by `check_every`, a number of batches, besides.

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
    fit: object = None
    """What tells the fit that the callback is in, or was in last, from others."""

    def set_params(self, params: dict[str, Any]) -> None:
        """Takes what Keras tells of the fit, and has all callbacks closed when that is over.

        `RecipeModel.fit` closes them by itself. Keras's tells nobody of an exception; there it
        happens when the exception is done with, and with it the fit's list of callbacks.
        """
        super().set_params(params)
        callbacks = _keras_internals.fit_of(self)
        if callbacks is None:
            return
        if callbacks not in _fits:
            _fits[callbacks] = object()
            over = weakref.finalize(callbacks, close, callbacks.callbacks, _fits[callbacks])
            over.atexit = False
        self.fit = _fits[callbacks]

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

    def settings(self) -> dict[str, Any]:
        """Returns the constructor's arguments that are kept as numbers, strings and booleans."""
        names = inspect.signature(type(self)).parameters
        given = {name: getattr(self, name, None) for name in names}
        return {name: v for name, v in given.items() if isinstance(v, (bool, int, float, str))}

    def close(self) -> None:
        """Called when the fit is over, also after an exception."""

    @property
    def is_writer(self) -> bool:
        """Whether this process writes files and prints: the chief, if there are several workers."""
        return _workers.is_chief(_workers.strategy_of(self.model))

    def siblings(self) -> list[keras.callbacks.Callback]:
        """Returns all callbacks of the running fit in their order, this one among them."""
        return _keras_internals.callbacks_of_the_fit(self) or [self]


def close(callbacks: Sequence[Any], fit: object = None) -> None:
    """Closes callbacks in their order, all of them; errors become warnings, to hide no other.

    Args:
        callbacks: The callbacks of a fit; those without `close` are passed over.
        fit: Closes only those that have not been in another fit since. Defaults to None, all.
    """
    for each in callbacks:
        if not hasattr(each, "close") or fit not in (None, getattr(each, "fit", None)):
            continue
        try:
            each.close()
        except Exception as error:
            warnings.warn(f"`close` of {type(each).__name__} failed: {error!r}", stacklevel=2)


def plain(value: Any) -> Any:
    """Returns a copy of a state, with tensors and variables as NumPy arrays.

    Raises: TypeError for what JSON and arrays of numbers cannot hold as it is.
    """
    if isinstance(value, dict) and not all(isinstance(name, str) for name in value):
        raise TypeError(f"Received a dict with other keys than strings: {value!r}.")
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
    array = np.array(keras.ops.convert_to_numpy(value))
    if array.dtype.kind not in "biufcV" or array.dtype.names:
        raise TypeError(f"Received: {value!r}.")
    return array
