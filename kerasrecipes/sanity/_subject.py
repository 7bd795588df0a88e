"""What the checks look at, each part computed once."""

import functools
import inspect
import math
from typing import Any, NamedTuple

import keras
import numpy as np

from kerasrecipes import _keras_internals
from kerasrecipes.callbacks._snapshot import Snapshot
from kerasrecipes.sanity import _loss
from kerasrecipes.sanity._gradients import step
from kerasrecipes.sanity._outcome import UnavailableError
from kerasrecipes.sanity._quiet import unregularized, unsynchronized
from kerasrecipes.sanity._rows import Rows
from kerasrecipes.sanity._trace import Trace, trace
from kerasrecipes.sanity._trial import Trial, try_out

_CHUNKS = 8


class Step(NamedTuple):
    """A step on the probe rows, in training mode without regularisation.

    Attributes:
        loss: Mean of the losses of parts of the rows.
        error: Its standard error; infinity for one row, which does not tell.
        whole: The loss of all rows at once, which differs where a loss is summed.
        gradients: The gradient by each trainable weight; None if there is none.
    """

    loss: float
    error: float
    whole: float
    gradients: list[np.ndarray | None]


class Subject:
    """A model, its data, and what comes of one with the other.

    Attributes:
        model: The model.
        train: Training rows.
        validation: Validation rows, or None.
        steps: Updates that a trial may take.
    """

    def __init__(
        self,
        model: keras.Model,
        train: Rows,
        validation: Rows | None,
        *,
        rows: int,
        steps: int,
        seed: int,
    ) -> None:
        self.model = model
        self.train = train
        self.validation = validation
        self.steps = steps
        self.state = Snapshot(model)
        generator = np.random.default_rng(seed)
        order = generator.permutation(train.count)
        self.probe_rows = np.sort(order[:rows])
        self._order = order

    @property
    def is_new(self) -> bool:
        """Whether the model has not been trained since it was compiled."""
        return int(keras.ops.convert_to_numpy(self.model.optimizer.iterations)) == 0

    @functools.cached_property
    def facts(self) -> _loss.LossFacts:
        """What is known of the loss."""
        return _loss.loss_facts(self.model)

    @property
    def labels(self) -> np.ndarray:
        """The labels of all training rows.

        Raises:
            UnavailableError: If there are none, or several arrays of them.
        """
        if not isinstance(self.train.y, np.ndarray):
            raise UnavailableError("there is not one array of labels")
        return self.train.y

    @functools.cached_property
    def probe(self) -> tuple[Any, Any]:
        """Inputs and labels of the probe rows, as tensors and as they are."""
        x, y = self.train.taken(self.probe_rows)
        return keras.tree.map_structure(tensor, x), y

    def call(self, x: Any, *, training: bool) -> Any:
        """Calls the model."""
        parameters = inspect.signature(self.model.call).parameters
        return self.model(x, training=training) if "training" in parameters else self.model(x)

    @property
    def replicas(self) -> int:
        """Number of replicas, by which Keras divides each loss in the scope of their strategy."""
        strategy = getattr(self.model, "distribute_strategy", None)
        return 1 if strategy is None else strategy.num_replicas_in_sync

    def loss(self, x: Any, y: Any, outputs: Any) -> Any:
        """Returns the compiled loss of outputs."""
        return self.model.compute_loss(x, y, outputs, None, True)

    @functools.cached_property
    def _first(self) -> tuple[Trace, Step] | Exception:
        try:
            self.check_labels()
            return self._run()
        except Exception as error:  # whatever a model of the user's raises
            return error

    def check_labels(self) -> None:
        """Raises UnavailableError for labels on which no loss can be computed."""
        if self.train.y is None:
            raise UnavailableError("there are no labels")
        if self.train.wrong_labels:
            raise UnavailableError("the labels are wrong: see label_range")

    @property
    def error(self) -> Exception | None:
        """What the model raises on the data, or None."""
        return self._first if isinstance(self._first, Exception) else None

    @property
    def trace(self) -> Trace:
        """The layers' calls on the probe rows, in training mode without regularisation."""
        return self._checked()[0]

    @property
    def step(self) -> Step:
        """Loss and gradients on the probe rows."""
        return self._checked()[1]

    def _checked(self) -> tuple[Trace, Step]:
        if isinstance(self._first, UnavailableError):
            raise self._first
        if isinstance(self._first, Exception):
            raise UnavailableError("the model does not run on the data: see forward")
        return self._first

    def _run(self) -> tuple[Trace, Step]:
        x, y = self.probe
        with self.state.kept(), unsynchronized(self.model), unregularized(self.model):
            traced = trace(self.model, lambda: self.call(x, training=True))
            losses = self._losses(x, y, traced.outputs)
            loss, error = float(np.mean(losses)), math.inf
            if len(losses) > 1:
                error = float(np.std(losses, ddof=1) / len(losses) ** 0.5)
            labels = keras.tree.map_structure(tensor, y)

            def whole(x: Any, y: Any) -> Any:
                return self.loss(x, y, self.call(x, training=True)) * self.replicas

            with _keras_internals.strategy_scope(self.model):
                weights = self.model.trainable_variables
                value, gradients = step(whole, weights, compiled=False)(x, labels)
        return traced, Step(loss, error, value, gradients)

    def _losses(self, x: Any, y: Any, outputs: Any) -> np.ndarray:
        """Returns the losses of parts of the rows."""
        rows = len(self.probe_rows)
        parts = np.array_split(np.arange(rows), min(_CHUNKS, max(rows // 2, 2), rows))
        found = []
        for part in parts:
            first, last = int(part[0]), int(part[-1]) + 1
            x_part, y_part, outputs_part = (
                keras.tree.map_structure(lambda each: tensor(each[first:last]), whole)  # noqa: B023
                for whole in (x, y, outputs)
            )
            loss = self.loss(x_part, y_part, outputs_part)
            found.append(float(keras.ops.convert_to_numpy(loss)))
        return np.array(found)

    @functools.cached_property
    def outputs(self) -> np.ndarray:
        """What the model puts out for the probe rows in inference, of a model with one output."""
        self._checked()
        with self.state.kept(), unsynchronized(self.model):
            outputs = self.call(self.probe[0], training=False)
        flat = keras.tree.flatten(outputs)
        if len(flat) != 1:
            raise UnavailableError("the model has several outputs")
        return np.asarray(keras.ops.convert_to_numpy(flat[0]), "float64")

    def floor(self, x: Any, y: Any) -> float:
        """Returns the least loss that there is on some rows; 0 where that is not known."""
        try:
            shape = (len(y), *self.outputs.shape[1:])
            if self.facts.kind == "unknown":
                return 0.0
            best = keras.ops.convert_to_tensor(self.facts.best_outputs(y, shape))
        except (UnavailableError, ValueError, IndexError):
            return 0.0
        return self.data_loss(x, y, best)

    def data_loss(self, x: Any, y: Any, outputs: Any) -> float:
        """Returns the compiled loss of outputs, without penalties."""
        labels = keras.tree.map_structure(tensor, y)
        with unregularized(self.model):
            penalty = sum(float(keras.ops.convert_to_numpy(each)) for each in self.model.losses)
            return float(keras.ops.convert_to_numpy(self.loss(x, labels, outputs))) - penalty

    @functools.cached_property
    def trial(self) -> Trial:
        """The training on a few rows without regularisation."""
        self._checked()
        with _keras_internals.strategy_scope(self.model), unsynchronized(self.model):
            return try_out(self)

    def few_rows(self, count: int) -> tuple[Any, Any]:
        """Returns inputs and labels of a few rows with different inputs, and different labels."""
        digests = self.train.digests()
        seen: set[bytes] = set()
        groups: dict[bytes, list[int]] = {}
        for row in map(int, self._order):
            if digests[row] in seen:
                continue
            seen.add(digests[row])
            label = b"" if self.train.y is None else _label(self.train.y, row)
            groups.setdefault(label, []).append(row)
            if len(seen) >= 50 * count:
                break
        rows: list[int] = []
        while len(rows) < count and any(groups.values()):
            rows.extend(group.pop(0) for group in groups.values() if group)
        x, y = self.train.taken(np.array(rows[:count]))
        return keras.tree.map_structure(tensor, x), y


def _label(y: Any, row: int) -> bytes:
    return b"".join(np.asarray(leaf[row]).tobytes() for leaf in keras.tree.flatten(y))


def tensor(value: Any) -> Any:
    """Returns an array as a tensor, texts too."""
    if isinstance(value, np.ndarray) and value.dtype.kind in "OU":
        import tensorflow as tf

        return tf.constant(value.tolist())
    return keras.ops.convert_to_tensor(value)
