"""All that a trial training changes, kept and brought back bit for bit."""

import contextlib
import random
from collections.abc import Iterable, Iterator
from typing import Any

import keras
import numpy as np

from kerasrecipes._epoch_order import _ORDERS
from kerasrecipes._find import find
from kerasrecipes.callbacks._variables import model_variables

_ABSENT = object()
_OF_FIT = ("history", "stop_training", "train_function", "steps_per_execution")
_OF_LAYERS = "_fit_is_bound"


class Snapshot:
    """The variables of a model, its optimizer and metrics, the data's epochs, and random states.

    Args:
        model: A compiled model.
    """

    def __init__(self, model: keras.Model) -> None:
        self._model = model
        self._values: dict[int, tuple[Any, np.ndarray]] = {}
        generators = [each.state for each in find(model, keras.random.SeedGenerator)]
        metrics = [variable for metric in model.metrics for variable in metric.variables]
        self.add([*model_variables(model), *generators, *metrics, *model.optimizer.variables])
        self._attributes = {name: vars(model).get(name, _ABSENT) for name in _OF_FIT}
        self._bound = [
            (layer, vars(layer)[_OF_LAYERS])
            for layer in find(model, keras.layers.Layer)
            if _OF_LAYERS in vars(layer)
        ]
        self._epochs = [(order, order.epoch) for order in _ORDERS]
        self._random = random.getstate(), np.random.get_state()

    def add(self, variables: Iterable[Any]) -> None:
        """Keeps variables that are not kept yet, as they are now, on each replica."""
        for variable in variables:
            value = getattr(variable, "value", variable)
            variable = value if hasattr(value, "assign") else variable  # TensorFlow's own, if any
            for part in getattr(variable, "values", None) or [variable]:
                if id(part) not in self._values:
                    self._values[id(part)] = part, np.array(keras.ops.convert_to_numpy(part))

    def restore(self) -> None:
        """Sets everything to what it was."""
        for part, value in self._values.values():
            part.assign(value)
        for name, value in self._attributes.items():
            if value is not _ABSENT:
                setattr(self._model, name, value)
            elif name in vars(self._model):
                delattr(self._model, name)
        for layer, bound in self._bound:
            setattr(layer, _OF_LAYERS, bound)
        for order, epoch in self._epochs:
            order.epoch = epoch
        random.setstate(self._random[0])
        np.random.set_state(self._random[1])

    @contextlib.contextmanager
    def kept(self) -> Iterator[None]:
        """Sets everything to what it was at the end of the context, however that comes."""
        try:
            yield
        finally:
            self.restore()
