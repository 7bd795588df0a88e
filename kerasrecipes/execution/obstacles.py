"""What keeps a fit from training on many batches at a time, in words."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from kerasrecipes.execution.dispatch import Dispatch

_BATCH_HOOKS = {
    "train": ("on_batch_begin", "on_batch_end", "on_train_batch_begin", "on_train_batch_end"),
    "test": ("on_test_batch_begin", "on_test_batch_end"),
    "predict": ("on_predict_batch_begin", "on_predict_batch_end"),
}
_STEPS = {
    "train": ("train_step", "compute_metrics", "get_metrics_result"),
    "test": ("test_step", "compute_metrics", "get_metrics_result"),
    "predict": ("predict_step",),
}
_OF_KERAS = (keras.callbacks.ProgbarLogger, keras.callbacks.History)
_BY_SAVE_FREQ = (keras.callbacks.ModelCheckpoint, keras.callbacks.BackupAndRestore)
_OURS = ("keras.", "kerasrecipes.")


def obstacle_of_model(model: keras.Model, what: str) -> str:
    """Returns why a model cannot train, test or predict in one graph; "" if it can.

    Args:
        model: A model on one device.
        what: "train", "test" or "predict".
    """
    if model.run_eagerly or tf.config.functions_run_eagerly():
        return "it runs eagerly"
    if model.steps_per_execution != 1:
        return f"it was compiled with steps_per_execution={model.steps_per_execution}"
    if model.jit_compile:
        return "it was compiled with jit_compile=True"
    for name in ("max_epochs", "max_steps_per_epoch"):
        if getattr(keras.config, name)():
            return f"keras.config.{name} is set"
    function = getattr(model, f"{what}_function")
    if not (function is None or isinstance(function, Dispatch) or _is_of_keras(function)):
        return f"its {what}_function is not Keras's own"
    if what == "predict" and any(None in shape[1:] for shape in _output_shapes(model)):
        return "the shape of its outputs depends on the rows"
    changed = [name for name in _STEPS[what] if not _module(getattr(model, name)).startswith(_OURS)]
    if changed:
        return f"{type(model).__name__} has a {changed[0]} of its own"
    if any(getattr(layer, "stateful", False) for layer in model.layers):
        return "it has a stateful layer"
    return ""


def obstacle_of_callbacks(callbacks: Sequence[Any], what: str) -> str:
    """Returns which callback looks at every batch, in words; "" if none does."""
    for each in callbacks:
        if _looks_at_batches(each, what):
            return f"{type(each).__name__} looks at every batch"
    return ""


def obstacle_of_arguments(given: Mapping[str, Any]) -> str:
    """Returns which argument of `fit` asks for the pipeline of Keras, in words; "" if none."""
    for name in ("steps_per_epoch", "validation_steps"):
        if given.get(name) is not None:
            return f"`{name}` is given"
    if given.get("shuffle", True) not in (True, False):
        return f"`shuffle` is {given['shuffle']!r}"
    return ""


def _is_of_keras(function: Any) -> bool:
    """Returns whether Keras made a function that its `fit` or `evaluate` calls."""
    return _module(function).startswith("keras.")


def _looks_at_batches(callback: Any, what: str) -> bool:
    """Returns whether a callback has something to do at each batch.

    One that has hooks for batches and is content with those between chunks says so by an
    attribute `needs_every_batch` that is False.
    """
    if type(callback) in _OF_KERAS:
        return False
    if isinstance(callback, _BY_SAVE_FREQ) and type(callback).__module__.startswith("keras."):
        return callback.save_freq != "epoch"
    base = keras.callbacks.Callback
    has_hooks = any(
        name in vars(callback) or getattr(type(callback), name) is not getattr(base, name)
        for name in _BATCH_HOOKS[what]
    )
    return has_hooks and getattr(callback, "needs_every_batch", True)


def _output_shapes(model: keras.Model) -> list[tuple[int | None, ...]]:
    """Returns the shapes of the outputs; a scalar's as if its rows were not known."""
    shapes = [tuple(each.shape) for each in keras.tree.flatten(model.outputs)]
    return [shape or (None, None) for shape in shapes]


def _module(function: Any) -> str:
    return getattr(function, "__module__", None) or type(function).__module__
