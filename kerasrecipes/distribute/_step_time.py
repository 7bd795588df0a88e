"""The time of training steps of a model, which is left as it was."""

import contextlib
import statistics
import time
from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np

from kerasrecipes import _keras_internals
from kerasrecipes._checks import InputError, fail
from kerasrecipes.callbacks._variables import assign, build_optimizer, model_variables
from kerasrecipes.schedules.schedule import FitLength, Schedule
from kerasrecipes.targets.multiclass import Multiclass

_WARM_UP = 3
_GIVE = "Give `data=(x, y)`."


def measure(
    model: keras.Model, batch_sizes: Sequence[int], *, data: Any, steps: int
) -> dict[int, float]:
    """Returns the median seconds of a step for each batch size.

    Args:
        model: A compiled model on one device.
        batch_sizes: Numbers of rows.
        data: Tuple of arrays as for `plan`, or None for data that is made up.
        steps: How many steps to time.
    """
    made = {size: _batch(model, data, size) for size in batch_sizes}
    if not model.built:
        x = made[batch_sizes[0]][0]
        model(x)
    build_optimizer(model)
    seconds: dict[int, list[float]] = {size: [] for size in made}
    with _set_back(model), _bound_schedule(model):
        for _ in range(_WARM_UP + steps):
            for size, batch in made.items():  # in turn, so that a busy moment is shared
                seconds[size].append(_one_step(model, batch))
    return {size: statistics.median(each[_WARM_UP:]) for size, each in seconds.items()}


def _one_step(model: keras.Model, batch: tuple[Any, ...]) -> float:
    began = time.perf_counter()
    model.train_on_batch(*batch)  # returns the loss as a number, so the device has come so far
    return time.perf_counter() - began


@contextlib.contextmanager
def _set_back(model: keras.Model) -> Iterator[None]:
    """Sets all variables back at the end, and the step that `fit` has traced."""
    metrics = (variable for metric in model.metrics for variable in metric.variables)
    variables = [*model_variables(model), *model.optimizer.variables, *metrics]
    before = [keras.ops.convert_to_numpy(each) for each in variables]
    traced, model.train_function = model.train_function, None
    try:
        yield
    finally:
        model.train_function = traced
        model.reset_metrics()  # also those that came with the first step
        assign(variables, before)


@contextlib.contextmanager
def _bound_schedule(model: keras.Model) -> Iterator[None]:
    """Lets a schedule that waits for the length of a fit have one meanwhile."""
    optimizer = _keras_internals.inner_optimizer(model.optimizer)
    schedule = _keras_internals.learning_rate_schedule(optimizer)
    if not isinstance(schedule, Schedule) or not schedule.needs_fit:
        yield
    elif hasattr(optimizer, "bind_fit"):
        store: dict[str, Any] = {}
        optimizer.save_own_variables(store)
        optimizer.bind_fit(epoch=0, steps=1000, steps_per_epoch=1000)
        try:
            yield
        finally:
            optimizer.load_own_variables(store)  # knows whether the schedule was bound
    else:
        fit, schedule.fit = schedule.fit, schedule.fit or FitLength(1000, 1000)
        try:
            yield
        finally:
            schedule.fit = fit


def _batch(model: keras.Model, data: Any, size: int) -> tuple[Any, ...]:
    """Returns `size` rows of inputs, labels and weights, on the device."""
    parts = _made_up(model, size) if data is None else _rows(data, size)
    return keras.tree.map_structure(keras.ops.convert_to_tensor, parts)


def _rows(data: Any, size: int) -> tuple[Any, ...]:
    if not isinstance(data, tuple) or not 1 <= len(data) <= 3:
        fail("data", "a tuple `(x, y)` or `(x, y, sample_weight)` of arrays", data)
    lengths = {len(leaf) for leaf in keras.tree.flatten(data)}
    if len(lengths) != 1 or 0 in lengths:
        fail("data", "arrays with equal numbers of rows, at least one", sorted(lengths))
    numbers = np.arange(size) % lengths.pop()
    return keras.tree.map_structure(lambda leaf: np.take(leaf, numbers, axis=0), data)


def _made_up(model: keras.Model, size: int) -> tuple[Any, ...]:
    """Returns random inputs, and labels of zeros, which every loss takes, of the right shape."""
    given, predicted = (getattr(model, name, None) for name in ("inputs", "outputs"))
    if not given or not predicted or len(given) > 1 or len(predicted) > 1:
        raise InputError(
            f"`data` cannot be made up for {model.name!r}, since it does not have one input and "
            f"one output of known shape. {_GIVE}"
        )
    x = _input(given[0], size)
    if model.loss is None:
        return (x,)
    shape = tuple(predicted[0].shape[1:])
    if _takes_class_numbers(model):
        return x, np.zeros((size, *_known(shape[:-1])), "int32")
    return x, np.zeros((size, *_known(shape)), "float32")


def _input(given: Any, size: int) -> np.ndarray:
    shape, dtype = (size, *_known(given.shape[1:])), keras.backend.standardize_dtype(given.dtype)
    if keras.backend.is_float_dtype(dtype):
        return np.random.default_rng(0).normal(size=shape).astype("float32")
    if dtype == "string":
        raise InputError(f"`data` cannot be made up for an input of texts. {_GIVE}")
    return np.zeros(shape, dtype)


def _known(shape: Sequence[int | None]) -> tuple[int, ...]:
    if None in shape:
        raise InputError(
            f"`data` cannot be made up for the shape {tuple(shape)} of an input or output, which "
            f"is not known in full. {_GIVE}"
        )
    return tuple(size for size in shape if size is not None)


def _takes_class_numbers(model: keras.Model) -> bool:
    loss: Any = model.loss
    if isinstance(loss, (list, tuple, dict)):
        raise InputError(f"`data` cannot be made up for several losses. {_GIVE}")
    name = loss if isinstance(loss, str) else getattr(loss, "__name__", type(loss).__name__)
    ours = isinstance(getattr(model, "target", None), Multiclass)
    return ours or "sparse" in name.lower()
