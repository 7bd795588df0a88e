"""Executor."""

import contextlib
import inspect
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf
from rich.console import Console

from kerasrecipes.execution.cost import chunk_of, pays_to_compile, seconds_of_step
from kerasrecipes.execution.evaluation import Evaluation
from kerasrecipes.execution.execution import Execution
from kerasrecipes.execution.obstacles import (
    is_of_keras,
    obstacle_of_arguments,
    obstacle_of_callbacks,
    obstacle_of_model,
)
from kerasrecipes.execution.prediction import Prediction
from kerasrecipes.execution.rows import Rows, evaluation_size, rows_of, split
from kerasrecipes.execution.training import Training

_OF_ROWS = ("y", "sample_weight", "batch_size", "class_weight", "validation_split")


class Executor:
    """Lets a model train, evaluate and predict by graphs over rows in memory.

    It lends Keras's `fit`, `evaluate` and `predict` functions to call and places to go over; all
    else is theirs.

    Args:
        model: A model on one device.

    Attributes:
        arguments: Those of the fit that is running; {} outside.
    """

    def __init__(self, model: keras.Model) -> None:
        self._model = model
        self._training = {jit: Training(model, jit=jit) for jit in (False, True)}
        self._evaluation = Evaluation(model)
        self._prediction = Prediction(model)
        self._ordinary_test: Any = None
        self._times_forgotten = 0
        self._evaluation_size: int | None = None
        self._seconds_of_step: dict[int, float] = {}
        self.arguments: dict[str, Any] = {}

    @staticmethod
    def is_on_gpu() -> bool:
        """Returns whether TensorFlow trains on a GPU here."""
        return bool(tf.config.list_logical_devices("GPU"))

    def has_lent(self, name: str) -> bool:
        """Returns whether the model has a function of this executor by this name now."""
        ours = isinstance(getattr(self._model, name), (Training, Evaluation, Prediction))
        return ours or (name == "train_function" and bool(self.arguments))

    def forget(self) -> None:
        """Forgets all graphs, since what they were traced from has changed."""
        for each in (*self._training.values(), self._evaluation, self._prediction):
            each.forget()
        self._ordinary_test = None
        self._times_forgotten += 1
        self._evaluation_size = None
        self._seconds_of_step = {}

    @contextlib.contextmanager
    def fit(self, given: dict[str, Any], callbacks: Sequence[Any]) -> Iterator[dict[str, Any]]:
        """Lets a fit train by a graph, if nothing is in the way.

        Args:
            given: The arguments of `fit`, without the callbacks.
            callbacks: Its callbacks.

        Yields: The arguments for Keras's `fit`.
        """
        given, rows, validation, reason = self._rows(given, callbacks)
        if rows is None:
            execution = self._model.execution = Execution(reason=reason)
            if given.get("verbose", "auto") and obstacle_of_callbacks(callbacks, "train"):
                Console(highlight=False, soft_wrap=True).print(f"Trains {execution}.")
            yield given
            return
        size = rows.batch_size
        if size not in self._seconds_of_step:
            self._seconds_of_step[size] = seconds_of_step(self._model, rows.first_batch()[0])
        steps = (given.get("epochs", 1) - given.get("initial_epoch", 0)) * rows.steps
        jit = pays_to_compile(self._model, size, steps)
        chunk = chunk_of(self._seconds_of_step[size], rows.steps)
        self._model.execution = Execution(True, chunk, jit, "the rows are in memory")
        training = self._training[jit]
        training.begin(rows, chunk)
        functions: dict[str, Any] = {"train_function": training}
        lent: dict[str, Any] = {name: None for name in _OF_ROWS if name in given}
        lent.update(x=rows.places(chunk), shuffle=False, validation_split=0.0)
        if validation is not None:
            self._evaluation.rows = validation
            functions["test_function"] = self._evaluation
            lent["validation_data"] = validation.once()
        self._ordinary_test = self._model.test_function
        try:
            with self._lend(functions, chunk), self._kept(given):
                yield {**given, **lent}
        finally:
            training.end()
            self._evaluation.rows = None

    @contextlib.contextmanager
    def _kept(self, given: Mapping[str, Any]) -> Iterator[None]:
        """Keeps the arguments of a fit while it runs."""
        parameters = inspect.signature(keras.Model.fit).parameters.values()
        defaults = {each.name: each.default for each in parameters if each.name != "self"}
        self.arguments = {**defaults, **given}
        try:
            yield
        finally:
            self.arguments = {}

    def _rows(
        self, given: dict[str, Any], callbacks: Sequence[Any]
    ) -> tuple[dict[str, Any], Rows | None, Rows | None, str]:
        """Returns the arguments with validation parted off, and rows or why there are none."""
        reason = (
            obstacle_of_model(self._model, "train")
            or obstacle_of_model(self._model, "test")
            or obstacle_of_callbacks(callbacks, "train")
            or obstacle_of_callbacks(callbacks, "test")
            or obstacle_of_arguments(given)
        )
        if reason:
            return given, None, None, reason
        if given.get("validation_split"):
            given = _split(given)
        names = ("x", "y", "sample_weight", "batch_size", "class_weight")
        rows = rows_of(
            **{name: given[name] for name in names if name in given},
            shuffle=given.get("shuffle", True),
        )
        if rows is None:
            return given, None, None, "the data are not rows of numbers in memory"
        if given.get("validation_data") is None:
            return given, rows, None, ""
        validation = self._validation(given)
        if validation is None:
            return given, None, None, "the validation data are not rows of numbers in memory"
        return given, rows, validation, ""

    def _validation(self, given: Mapping[str, Any]) -> Rows | None:
        data = given["validation_data"]
        parts = data if isinstance(data, (tuple, list)) else (data,)
        size = given.get("validation_batch_size") or given.get("batch_size")
        return rows_of(*parts, batch_size=size or self._size_left_to_us())

    @contextlib.contextmanager
    def evaluate(self, given: dict[str, Any], *, within_fit: bool) -> Iterator[dict[str, Any]]:
        """Lets an evaluation go by a graph, if nothing is in the way.

        Args:
            given: The arguments of `evaluate`.
            within_fit: Whether it is the validation of the fit that is running.

        Yields: The arguments for Keras's `evaluate`.
        """
        if within_fit:
            yield given
            return
        with self._ordinarily():
            rows = self._rows_to_look_at(given, "test")
            if rows is None:
                yield given
                return
            before, self._evaluation.rows = self._evaluation.rows, rows
            lent = {name: None for name in _OF_ROWS if name in given}
            try:
                with self._lend({"test_function": self._evaluation}, rows.steps):
                    yield {**given, **lent, "x": rows.places(rows.steps)}
            finally:
                self._evaluation.rows = before

    @contextlib.contextmanager
    def predict(self, given: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Lets a prediction go by a graph, if nothing is in the way.

        Args:
            given: The arguments of `predict`.

        Yields: The arguments for Keras's `predict`.
        """
        with self._ordinarily():
            rows = self._rows_to_look_at(given, "predict")
            if rows is None:
                yield given
                return
            before, self._prediction.rows = self._prediction.rows, rows
            try:
                with self._lend({"predict_function": self._prediction}, 1):
                    yield {**given, "x": rows.once(), "batch_size": None}
            finally:
                self._prediction.rows = before

    def _rows_to_look_at(self, given: Mapping[str, Any], what: str) -> Rows | None:
        if given.get("steps") or self._obstacle(given, what):
            return None
        names = [name for name in ("x", "y", "sample_weight") if name in given]
        size = given.get("batch_size") or self._size_left_to_us()
        return rows_of(**{name: given[name] for name in names}, batch_size=size)

    def _size_left_to_us(self) -> int:
        """Returns how many rows to look at together where the caller leaves that open."""
        if self._evaluation_size is None:
            self._evaluation_size = evaluation_size(self._model)
        return self._evaluation_size

    def _obstacle(self, given: Mapping[str, Any], what: str) -> str:
        callbacks = given.get("callbacks") or []
        if isinstance(callbacks, keras.callbacks.CallbackList):
            callbacks = callbacks.callbacks  # pyright: ignore[reportAttributeAccessIssue]
        callbacks = keras.tree.flatten(callbacks)
        return obstacle_of_model(self._model, what) or obstacle_of_callbacks(callbacks, what)

    @contextlib.contextmanager
    def _ordinarily(self) -> Iterator[None]:
        """Lets the model have Keras's own functions meanwhile, if a fit has others."""
        if not self.arguments:
            yield
            return
        with self._lend({"test_function": self._ordinary_test}, 1):
            yield
            self._ordinary_test = self._model.test_function

    @contextlib.contextmanager
    def _lend(self, functions: Mapping[str, Any], steps: int) -> Iterator[None]:
        """Lets the model have other functions meanwhile, and call them for so many steps.

        It has its own ones beforehand and afterwards, as a fit of Keras would leave them.
        """
        model, times = self._model, self._times_forgotten
        for name in functions:
            getattr(model, f"make_{name}")()
        own = {name: getattr(model, name) for name in (*functions, "steps_per_execution")}
        _set(model, {**functions, "steps_per_execution": steps})
        try:
            yield
        finally:
            _set(model, own)
            if times != self._times_forgotten:
                for name in functions:
                    getattr(model, f"make_{name}")(force=is_of_keras(own[name]))


def _set(model: keras.Model, attributes: Mapping[str, Any]) -> None:
    for name, value in attributes.items():
        setattr(model, name, value)


def _split(given: dict[str, Any]) -> dict[str, Any]:
    """Returns the arguments of a fit with the validation data parted off."""
    names = [name for name in ("x", "y", "sample_weight") if given.get(name) is not None]
    train, validation = split(tuple(given[name] for name in names), given["validation_split"])
    rest = {name: value for name, value in given.items() if name != "validation_split"}
    return {**rest, **dict(zip(names, train, strict=True)), "validation_data": validation}
