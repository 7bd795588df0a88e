"""Checkpoint."""

import os
import re
import time
import warnings
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import keras
import numpy as np

from kerasrecipes import _keras_internals, _workers
from kerasrecipes._checks import InputError, check_int, fail
from kerasrecipes._export import export
from kerasrecipes.callbacks._data import identify_data, warn_of_other_orders
from kerasrecipes.callbacks._generations import Generation, Generations
from kerasrecipes.callbacks._identity import check_same, identify
from kerasrecipes.callbacks._variables import (
    assign,
    assign_metrics,
    build_optimizer,
    metric_values,
    model_variables,
)
from kerasrecipes.callbacks.callback import Callback, plain
from kerasrecipes.callbacks.callback_check import check_callbacks

_SECONDS = {"second": 1.0, "minute": 60.0, "hour": 3600.0}
_FLOAT_KINDS = "fV"  # V: bfloat16 and other types that NumPy itself does not have
_LENGTH = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(epoch|update|second|minute|hour)s?\s*")


@export("callbacks", saved=False)
class Checkpoint(Callback):
    """Saves everything that a training needs, and goes on from it when the program starts again.

    The same program, started again after a kill, a crash or Ctrl-C, continues where the last save
    was, and ends with the weights, History and callbacks of the run that nothing interrupted, bit
    for bit, on the same machine. Once the training is complete, `fit` returns its History and the
    model its final weights at once; with more epochs, or other settings of the callback that
    stopped it (a longer `patience`), it goes on from its end.

    A save holds all variables (weights, optimizer, averages, states of dropout), the state of each
    callback that has `state_dict`, History, the epoch and the step, and what the training is. It
    is written beside the last one, synced, and renamed. One that is damaged is set aside, and the
    one before is used. A failing save (a full disk) warns, and training goes on. Weights that
    are no longer finite are not saved; `last_error` says so.

    Of several workers the chief alone writes, between epochs, and gives the others what it finds
    when a training goes on. So only the chief needs to see the folder, and all go on from the same
    save.

    It must be the first of the callbacks; `standard(checkpoint="folder")` sees to that. To be
    exact the order of the rows must follow from the epoch, as with `kerasrecipes.data.batches`
    with a `seed`, or `shuffle=False`, without `steps_per_epoch` (else it warns); and random
    numbers must come from Keras layers.

    Args:
        directory: Folder of this training and no other; created if it is missing.
        every: Epochs between saves, int >= 1, or a length such as "2 epochs", "500 updates" or
            "10 minutes"; the last two also save within an epoch, under TensorFlow and for one
            worker only. Defaults to 1.
        keep: How many saves stay, int >= 1. Defaults to 3.
        data: What identifies the data, as JSON values; for other data than arrays and those of
            `kerasrecipes.data.batches`, which are known. Defaults to None.

    Attributes:
        resumed: (epoch, step) that the last fit went on from, or None.
        is_complete: Whether that was the end of a training that was stopped for good.
        last_error: Why the last save failed, or None.

    Raises:
        InputError: Before training, if the folder cannot be written to, another run uses it, or
            it holds a training with another model, data or recipe; the differences are named.
            Under other backends than TensorFlow, for an `every` within epochs.

    Example:
    >>> import keras, numpy as np, tempfile
    >>> import kerasrecipes as kr
    >>> def train(folder, epochs):
    ...     model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    ...     model.compile("sgd", "mse")
    ...     data = kr.data.batches(np.eye(2), np.ones(2), batch_size=1, seed=0)
    ...     callbacks = kr.callbacks.standard(checkpoint=folder, monitor="loss", progress=False)
    ...     fitted = model.fit(data, epochs=epochs, verbose=0, shuffle=False, callbacks=callbacks)
    ...     return callbacks[0].resumed, fitted.epoch
    >>> folder = tempfile.mkdtemp()
    >>> train(folder, 2), train(folder, 3)
    ((None, [0, 1]), ((2, 0), [0, 1, 2]))
    """

    def __init__(
        self,
        directory: str | os.PathLike[str],
        *,
        every: int | str = 1,
        keep: int = 3,
        data: Any = None,
    ) -> None:
        super().__init__()
        if not isinstance(directory, (str, os.PathLike)) or not os.fspath(directory):
            fail("directory", "the path of a folder", directory)
        self.directory = Path(directory).expanduser()
        self.every = every
        self._interval, self._unit = _parse(every)
        self.data = data
        self.resumed: tuple[int, int] | None = None
        self.is_complete = False
        self.last_error: str | None = None
        self._generations = Generations(self.directory, check_int("keep", keep, low=1))
        self._epoch: int | None = None

    @property
    def needs_every_batch(self) -> bool:
        """Whether it may have to save after any batch."""
        return self._unit == "update"

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Finds the newest save, and lets the fit begin at its epoch."""
        if self._unit != "epoch" and keras.backend.backend() != "tensorflow":
            fail("every", "a number of epochs on the backends other than TensorFlow", self.every)
        self._strategy = _workers.strategy_of(self.model)
        if self._unit != "epoch" and self._strategy is not None:
            fail("every", "a number of epochs for several workers", self.every)
        check_callbacks(self.siblings(), self.model)
        self._pending = self._open()
        self._stop_skipping()
        self._epoch, self._step, self._batches, self._saved_epoch = None, 0, 0, None
        self._done = 0
        self._ended_within = self.is_complete = False
        self._steps_per_execution = self.model.steps_per_execution
        self.resumed, self.last_error = None, None
        build_optimizer(self.model)
        given = _keras_internals.fit_arguments(self)
        warn_of_other_orders(given)
        data = identify_data(given) if self.data is None else self.data
        self._identity = identify(self.model, steps=self.params.get("steps"), data=data)
        self._finite = [_is_finite(each) for each in plain(model_variables(self.model))]
        if self._pending is not None:
            self._begin_at(self._pending)

    def _open(self) -> Generation | None:
        """Takes the folder; returns its newest save, which the chief gives to the other workers."""
        if self._strategy is None:
            self._generations.open()
            return self._generations.newest()
        packed = _workers.chief_tries(self._strategy, self._open_packed)
        return Generation.unpacked(packed) if packed else None

    def _open_packed(self) -> bytes:
        self._generations.open()
        newest = self._generations.newest()
        return b"" if newest is None else newest.packed()

    def _begin_at(self, generation: Generation) -> None:
        state, epochs = generation.state, self.params["epochs"]
        check_same(state["identity"], self._identity, generation.path)
        averaged = "WeightAveraging" in state["callbacks"]
        if averaged != ("WeightAveraging" in self._stateful()):
            was, now = ("with", "without") if averaged else ("without", "with")
            raise InputError(
                f"The checkpoint {generation.path} is of a training {was} WeightAveraging, and "
                f"this one is {now}. Restore what was changed, or give the new training a "
                "checkpoint folder of its own."
            )
        self.resumed = state["epoch"], state["step"]
        self.is_complete = state["complete"] and not self._stoppers_changed(state)
        if state["epoch"] > epochs:
            warnings.warn(
                f"The checkpoint {generation.path} has {state['epoch']} epochs already, more than "
                f"epochs={epochs}. They are given back as they are.",
                stacklevel=2,
            )
        epoch = epochs if self.is_complete else min(state["epoch"], epochs)
        _keras_internals.begin_fit_at(self.model, epoch)

    def _stoppers_changed(self, state: Mapping[str, Any]) -> bool:
        """Returns whether a callback that stopped the training is gone or has other settings."""
        now = {name: _settings(each) for name, each in self._stateful().items()}
        return any(
            state["settings"][name] != now.get(name)
            for name, its in state["callbacks"].items()
            if its.get("stopped_epoch") is not None
        )

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Restores or saves the state between two epochs."""
        _keras_internals.begin_fit_at(self.model, 0)
        self._epoch, self._step, self._done = epoch, 0, 0
        if self._pending is None and self._is_due(epoch):
            self._save(epoch)
        elif self._pending is not None and not self._pending.state["step"]:
            self._restore()

    def on_train_batch_begin(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Restores or saves the state within an epoch."""
        self._step = batch
        if self._pending is not None and self._is_reached(batch):
            self._stop_skipping()
            self._begin_within(self._pending.state["step"] - batch)
            self._restore()
        elif self._pending is not None and not batch:
            self._skip_batches()
        elif batch and self._unit != "epoch" and self._pending is None and self._is_due():
            self._save(self._epoch, batch)
        self._batches += self._steps_per_execution

    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Remembers how many steps of the epoch have been made."""
        self._done = batch + 1

    def _is_reached(self, batch: int) -> bool:
        """Returns whether the next call begins at the step that was saved, or comes to it."""
        step = self._pending.state["step"]  # type: ignore[union-attr]
        if self._trains_in_graph():
            return step < batch + self._steps_per_execution
        return batch >= step

    def _begin_within(self, batches: int) -> None:
        """Lets the next call leave out the batches of its own that were trained on before."""
        if self._trains_in_graph():
            self.model.leave_out(batches)

    def _trains_in_graph(self) -> bool:
        return getattr(self.model, "goes_over_rows", False)

    def on_test_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Saves the place in an epoch that was interrupted, before it is validated."""
        self._save_interrupted()

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Saves the place in an epoch that was interrupted."""
        self._stop_skipping()
        self._save_interrupted()

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Saves the end, or restores it if the training was complete."""
        _keras_internals.begin_fit_at(self.model, 0)
        if self._pending is not None:
            self._restore()
        elif self._epoch is not None and not self._ended_within:
            self._save(self._epoch + 1, complete=self._was_stopped())
        self.close()

    def close(self) -> None:
        """Leaves the folder to other runs, and the model to other fits."""
        if self.model is not None:
            self._stop_skipping()
            _keras_internals.begin_fit_at(self.model, 0)
        self._generations.close()

    def _is_due(self, epoch: int | None = None) -> bool:
        if self._saved_epoch is None:
            return True
        if self._unit == "epoch":
            return epoch is not None and epoch - self._saved_epoch >= self._interval
        if self._unit == "update":
            optimizer = _keras_internals.inner_optimizer(self.model.optimizer)
            return self._batches >= self._interval * (optimizer.gradient_accumulation_steps or 1)
        return time.monotonic() - self._saved_time >= self._interval * _SECONDS[self._unit]

    def _save_interrupted(self) -> None:
        """Saves once if the epoch ends before its last step, in order to be gone on with."""
        if self._epoch is None or self._ended_within or not self.model.stop_training:
            return
        if not any(getattr(each, "interrupted", False) for each in self.siblings()):
            return
        steps, done = self.params.get("steps"), self._done
        self._ended_within = steps is None or done < steps
        can_go_on = self._strategy is None and keras.backend.backend() == "tensorflow"
        if steps is not None and done < steps and self._pending is None and can_go_on:
            self._save(self._epoch, done)

    def _was_stopped(self) -> bool:
        """Returns whether the training was stopped for good, as `EarlyStopping` does."""
        others = self.siblings()
        ours = [each for each in others if isinstance(each, Callback)]
        if any(getattr(each, "stopped_epoch", None) is not None for each in ours):
            return True
        interrupted = any(getattr(each, "interrupted", False) for each in others)
        return self.model.stop_training and not interrupted

    def _save(self, epoch: int | None, step: int = 0, *, complete: bool = False) -> None:
        self._mark(epoch)
        if not self.is_writer:
            return
        weights = plain(model_variables(self.model))
        if any(was and not _is_finite(v) for was, v in zip(self._finite, weights, strict=True)):
            self.last_error = f"the weights of epoch {epoch}, step {step} are not finite"
            return
        state = {
            "saved": datetime.now().astimezone().isoformat(timespec="seconds"),
            "identity": self._identity,
            "epoch": epoch,
            "step": step,
            "complete": complete,
            "history": plain({"epoch": self._history.epoch, "logs": self._history.history}),
            "callbacks": {name: _state(name, each) for name, each in self._stateful().items()},
            "settings": {name: _settings(each) for name, each in self._stateful().items()},
            "weights": weights,
            "optimizer": plain(self.model.optimizer.variables),
            "metrics": metric_values(self.model) if step else [],
        }
        try:
            self._generations.write(state)
        except OSError as error:
            self.last_error = str(error)
            warnings.warn(f"The checkpoint in {self.directory} failed: {error}.", stacklevel=2)

    def _restore(self) -> None:
        """Brings the state back, at the very point of the fit where it was saved."""
        assert self._pending is not None  # noqa: S101  (for the type checker)
        state, self._pending = self._pending.state, None
        assign(model_variables(self.model), state["weights"])
        assign(self.model.optimizer.variables, state["optimizer"])
        if state["step"]:
            assign_metrics(self.model, state["metrics"])
        self._history.epoch = state["history"]["epoch"]
        self._history.history = state["history"]["logs"]
        for name, each in self._stateful().items():
            if name in state["callbacks"]:
                each.load_state_dict(state["callbacks"][name])
                if state["complete"] and not self.is_complete and hasattr(each, "stopped_epoch"):
                    each.stopped_epoch, each.reason = None, ""
        self._mark(state["epoch"])

    def _mark(self, epoch: int | None) -> None:
        self._saved_epoch, self._saved_time, self._batches = epoch, time.monotonic(), 0

    @property
    def _history(self) -> keras.callbacks.History:
        return self.model.history

    def _stateful(self) -> dict[str, Any]:
        """Returns the other callbacks that have a state, by class and number."""
        found: dict[str, Any] = {}
        for each in self.siblings():
            if each is self or not hasattr(each, "state_dict"):
                continue
            name = type(each).__name__
            count = sum(key.split(".")[0] == name for key in found)
            found[f"{name}.{count + 1}" if count else name] = each
        return found

    def _skip_batches(self) -> None:
        """Lets the steps of the epoch that were made read their batches and do nothing.

        The first is made all the same, so that Keras creates the variables of the metrics; what
        it changes is overwritten. Outside of this fit, which may have failed, all are made.
        """
        model, logs = self.model, {}
        train = model.train_function
        train_on_one = getattr(train, "ordinary", train)

        def skip(iterator: Any) -> dict[str, Any]:
            if self._trains_in_graph():
                next(iterator)
                return {}
            if not self._step or not _keras_internals.callbacks_of_the_fit(self):
                logs.update(train_on_one(iterator))
                return logs
            for _ in range(self._steps_per_execution):
                next(iterator)
            return logs

        skip.train = train
        model.train_function = skip

    def _stop_skipping(self) -> None:
        """Gives the model its function back, also one that a failed fit has left."""
        train = getattr(self.model.train_function, "train", None)
        if train is not None:
            self.model.train_function = train


def _state(name: str, callback: Any) -> dict[str, Any]:
    try:
        return plain(callback.state_dict())
    except (TypeError, ValueError) as error:
        raise InputError(
            f"`state_dict()` of {name} must return None, numbers, strings, arrays, and lists and "
            f"dicts of these. {error}"
        ) from error


def _is_finite(value: np.ndarray) -> bool:
    return value.dtype.kind not in _FLOAT_KINDS or bool(np.isfinite(value).all())


def _settings(callback: Any) -> dict[str, Any]:
    return callback.settings() if isinstance(callback, Callback) else {}


def _parse(every: Any) -> tuple[float, str]:
    """Returns the number and the unit of an interval."""
    if isinstance(every, int):
        return check_int("every", every, low=1), "epoch"
    match = _LENGTH.fullmatch(every) if isinstance(every, str) else None
    if match is None or float(match[1]) <= 0:
        raise InputError(
            "`every` must be a number of epochs, or a length such as '2 epochs', '500 updates' or "
            f"'10 minutes'. Received: {every!r}."
        )
    number, unit = float(match[1]), match[2]
    if unit in ("epoch", "update"):
        number = check_int("every", int(number) if number == int(number) else number, low=1)
    return number, unit
