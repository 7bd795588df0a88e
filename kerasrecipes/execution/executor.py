"""Executor."""

import contextlib
import inspect
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf
from rich.console import Console

from kerasrecipes.execution.cost import chunk_of, seconds_of_step, way_to_train
from kerasrecipes.execution.dispatch import Dispatch
from kerasrecipes.execution.evaluation import Evaluation
from kerasrecipes.execution.execution import Execution
from kerasrecipes.execution.obstacles import (
    obstacle_of_arguments,
    obstacle_of_callbacks,
    obstacle_of_model,
)
from kerasrecipes.execution.pipelines import Pipelines
from kerasrecipes.execution.prediction import Prediction
from kerasrecipes.execution.rows import Rows, evaluation_size, key_at, rows_of, split
from kerasrecipes.execution.training import Training

_NOT_IN_MEMORY = "the data are not rows of numbers in memory"
_OF_ROWS = ("y", "sample_weight", "batch_size", "class_weight", "validation_split")


class Executor:
    """Lets a model train, evaluate and predict by graphs over many batches.

    It wraps the functions that Keras's `fit`, `evaluate` and `predict` call. Where rows are in
    memory it gives these places of rows to go over; all else is theirs.

    Args:
        model: A model on one device.

    Attributes:
        arguments: Those of the fit that is running; {} outside.
    """

    def __init__(self, model: keras.Model) -> None:
        self._model = model
        self._training = {
            "any size": Training(model),
            "one size": Training(model, alike=True),
            "compiled": Training(model, alike=True, jit=True),
        }
        self._running: Any = None
        self._pipelines = Pipelines(model)
        self._validates_by_graph = False
        self._evaluation = Evaluation(model)
        self._prediction = Prediction(model)
        self._rows_by_key: dict[int, Rows] = {}
        self._evaluation_size: int | None = None
        self._seconds_of_step: dict[int, float] = {}
        self.arguments: dict[str, Any] = {}

    @staticmethod
    def is_on_gpu() -> bool:
        """Returns whether TensorFlow trains on a GPU here."""
        return bool(tf.config.list_logical_devices("GPU"))

    def wrap(self, name: str) -> None:
        """Wraps the function of this name that Keras has just made for the model.

        What it had before is of the past, and so are its graphs.
        """
        graph, of_graph = {
            "train_function": (self._train, tuple(self._training.values())),
            "test_function": (self._test, (self._evaluation,)),
            "predict_function": (self._predict, (self._prediction,)),
        }[name]
        for each in of_graph:
            each.forget()
        self._evaluation_size, self._seconds_of_step = None, {}
        kind = name.removesuffix("_function")
        self._pipelines.forget(kind)
        pipeline = self._pipelines.function(kind)
        setattr(self._model, name, Dispatch(getattr(self._model, name), graph, pipeline))

    @property
    def goes_over_rows(self) -> bool:
        """Whether the fit that is running goes over rows in memory."""
        return self._running is not None

    def leave_out(self, batches: int) -> None:
        """Leaves out the first batches of the next call of the fit that is running."""
        self._running.leave_out(batches)

    def _train(self, place: int) -> Any:
        return self._running(place)

    def _test(self, place: int) -> Any:
        return self._evaluation(self._rows_by_key[key_at(place)])

    def _predict(self, place: int) -> Any:
        return self._prediction(self._rows_by_key[key_at(place)])

    @contextlib.contextmanager
    def fit(self, given: dict[str, Any], callbacks: Sequence[Any]) -> Iterator[dict[str, Any]]:
        """Lets a fit train by a graph, if nothing is in the way.

        Args:
            given: The arguments of `fit`.
            callbacks: Its callbacks.

        Yields: The arguments for Keras's `fit`.
        """
        reason = self._obstacle_of_fit(callbacks)
        with self.batch_by_batch(), self._validating(by_graph=not reason):
            if reason:
                self._model.execution = Execution(reason=reason)
                if given.get("verbose", "auto") and obstacle_of_callbacks(callbacks, "train"):
                    console = Console(highlight=False, soft_wrap=True)
                    console.print(f"Trains {self._model.execution}.")
                yield given
                return
            given, rows, validation, reason = self._rows(given)
            if rows is not None:
                way = self._fit(given, rows, validation, callbacks)
            else:
                way = self._fit_pipeline(given, validation, callbacks, reason)
            with way as lent:
                yield {**given, **lent}

    @contextlib.contextmanager
    def _fit(
        self,
        given: dict[str, Any],
        rows: Rows,
        validation: Rows | None,
        callbacks: Sequence[Any],
    ) -> Iterator[dict[str, Any]]:
        """Trains by a graph meanwhile; yields the arguments that change."""
        model, size = self._model, rows.batch_size
        if size not in self._seconds_of_step:
            self._seconds_of_step[size] = seconds_of_step(model, rows.first_batch()[0])
        looks = [each.check_every for each in callbacks if hasattr(each, "check_every")]
        chunk = min([chunk_of(self._seconds_of_step[size], rows.steps), *looks])
        steps = (given.get("epochs", 1) - given.get("initial_epoch", 0)) * rows.steps
        training = self._training[way_to_train(model, size, steps)]
        model.execution = Execution(True, chunk, training.jit, "the rows are in memory")
        lent: dict[str, Any] = {name: None for name in _OF_ROWS if name in given}
        lent.update(x=rows.places(chunk), shuffle=False, validation_split=0.0)
        training.begin(rows, chunk)
        self._running = training
        with contextlib.ExitStack() as stack:
            stack.callback(self._end)
            if validation is not None:
                lent["validation_data"] = stack.enter_context(self._in_use(validation))
            stack.enter_context(self._steps_per_execution(chunk))
            self.arguments = self._with_defaults(given)
            yield lent

    def _end(self) -> None:
        if self._running is not None:
            self._running.end()
        self._running = None
        self.arguments = {}

    @contextlib.contextmanager
    def _fit_pipeline(
        self,
        given: dict[str, Any],
        validation: Rows | None,
        callbacks: Sequence[Any],
        reason: str,
    ) -> Iterator[dict[str, Any]]:
        """Trains on what Keras goes over by a graph; yields the arguments that change."""
        self._model.execution = Execution(True, None, reason=reason)
        with contextlib.ExitStack() as stack:
            lent: dict[str, Any] = {}
            if validation is not None:
                lent["validation_data"] = stack.enter_context(self._in_use(validation))
            lent["callbacks"] = stack.enter_context(self._pipelines.fit(given, callbacks))
            stack.callback(self._end)
            self.arguments = self._with_defaults(given)
            yield lent

    @contextlib.contextmanager
    def _validating(self, *, by_graph: bool) -> Iterator[None]:
        """Sets whether the validation of the fit that begins goes over pipelines by a graph."""
        before, self._validates_by_graph = self._validates_by_graph, by_graph
        try:
            yield
        finally:
            self._validates_by_graph = before

    def _with_defaults(self, given: Mapping[str, Any]) -> dict[str, Any]:
        parameters = inspect.signature(keras.Model.fit).parameters.values()
        return {**{each.name: each.default for each in parameters if each.name != "self"}, **given}

    @contextlib.contextmanager
    def _in_use(self, rows: Rows) -> Iterator[tf.data.Dataset]:
        """Yields a dataset of one place, which stands for the rows meanwhile."""
        self._rows_by_key[rows.key] = rows
        try:
            yield rows.once()
        finally:
            del self._rows_by_key[rows.key]

    @contextlib.contextmanager
    def _steps_per_execution(self, steps: int) -> Iterator[None]:
        before, self._model.steps_per_execution = self._model.steps_per_execution, steps
        try:
            yield
        finally:
            self._model.steps_per_execution = before

    @contextlib.contextmanager
    def batch_by_batch(self) -> Iterator[None]:
        """Lets a fit go Keras's way, also within another one."""
        with self._ordinarily(), self._pipelines.batch_by_batch("train"):
            yield

    def _ordinarily(self) -> contextlib.AbstractContextManager[None]:
        """Lets Keras's own functions go batch by batch, also within a fit by a graph."""
        return self._steps_per_execution(1 if self.arguments else self._model.steps_per_execution)

    def _obstacle_of_fit(self, callbacks: Sequence[Any]) -> str:
        return (
            ("another fit of it is running" if self.arguments else "")
            or obstacle_of_model(self._model, "train")
            or obstacle_of_model(self._model, "test")
            or obstacle_of_callbacks(callbacks, "train")
            or obstacle_of_callbacks(callbacks, "test")
        )

    def _rows(self, given: dict[str, Any]) -> tuple[dict[str, Any], Rows | None, Rows | None, str]:
        """Returns the arguments, the rows to train on and to validate with, and why if None.

        Where there are rows to validate with, the arguments are without `validation_split`.
        """
        reason = obstacle_of_arguments(given)
        if reason:
            return given, None, None, reason
        if given.get("validation_split") and given.get("validation_data") is None:
            parted = _split(given)
            if parted is None:
                return given, None, None, _NOT_IN_MEMORY
            given = parted
        names = ("x", "y", "sample_weight", "batch_size", "class_weight")
        rows = rows_of(
            **{name: given[name] for name in names if name in given},
            shuffle=given.get("shuffle", True),
        )
        validation = None if given.get("validation_data") is None else self._validation(given)
        return given, rows, validation, "" if rows is not None else _NOT_IN_MEMORY

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
            with self._evaluates_pipelines(given, by_graph=self._validates_by_graph):
                yield given
            return
        with self._ordinarily():
            reason = self._obstacle(given, "test")
            rows = None if reason else self._rows_to_look_at(given)
            if rows is None:
                with self._evaluates_pipelines(given, by_graph=not reason):
                    yield given
                return
            lent = {name: None for name in _OF_ROWS if name in given}
            with self._in_use(rows) as place:
                yield {**given, **lent, "x": place}

    def _evaluates_pipelines(
        self, given: Mapping[str, Any], *, by_graph: bool
    ) -> contextlib.AbstractContextManager[None]:
        if by_graph:
            return self._pipelines.evaluate(given)
        return self._pipelines.batch_by_batch("test")

    @contextlib.contextmanager
    def predict(self, given: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Lets a prediction go by a graph, if nothing is in the way.

        Args:
            given: The arguments of `predict`.

        Yields: The arguments for Keras's `predict`.
        """
        with self._ordinarily():
            rows = None if self._obstacle(given, "predict") else self._rows_to_look_at(given)
            if rows is None:
                yield given
                return
            with self._in_use(rows) as place:
                yield {**given, "x": place, "batch_size": None}

    def _rows_to_look_at(self, given: Mapping[str, Any]) -> Rows | None:
        if given.get("steps"):
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


def _split(given: dict[str, Any]) -> dict[str, Any] | None:
    """Returns the arguments of a fit with the validation data parted off; None if Keras has to."""
    names = [name for name in ("x", "y", "sample_weight") if given.get(name) is not None]
    parts = split(tuple(given[name] for name in names), given["validation_split"])
    if parts is None:
        return None
    rest = {name: value for name, value in given.items() if name != "validation_split"}
    return {**rest, **dict(zip(names, parts[0], strict=True)), "validation_data": parts[1]}
