"""The only module that uses names which Keras keeps private, each use with its reason."""

import contextlib
import inspect
import itertools
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras

from kerasrecipes._checks import InputError


def wrapped(optimizer: Any) -> list[Any]:
    """Returns the optimizer and those inside it (`LossScaleOptimizer`, `Lookahead`, `SAM`)."""
    inner = getattr(optimizer, "inner_optimizer", None)
    return [optimizer] if inner is None else [optimizer, *wrapped(inner)]


def inner_optimizer(optimizer: Any) -> Any:
    """Returns the optimizer inside all wrappers, which makes the updates."""
    return wrapped(optimizer)[-1]


def learning_rate_schedule(optimizer: Any) -> Any:
    """Returns what the optimizer was given as `learning_rate`: a schedule, variable or function.

    `optimizer.learning_rate` is public, but gives the current rate only.
    """
    return _checked(optimizer, "_learning_rate")


def build_loss_and_metrics(model: Any, y: Any) -> None:
    """Builds what the first step of a compiled model would build while it is traced.

    A graph that is shared with another model is not traced for it, and nothing public builds these.

    Args:
        model: A built and compiled functional model.
        y: Labels as `keras.KerasTensor`s.
    """
    for name in ("_compile_loss", "_compile_metrics"):
        part = _checked(model, name)
        if part is not None and not part.built:
            part.build(y, model.output)


class NoKerasDecay:
    """Switches Keras's own weight decay off, for an optimizer that decays by itself.

    Keras decays every variable at the same rate, by a hook that each backend implements and
    that no public argument switches off for an optimizer which has `weight_decay` set.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Makes sure that Keras still has the hook."""
        super().__init_subclass__(**kwargs)
        _checked(keras.optimizers.Optimizer, "_apply_weight_decay")

    def _apply_weight_decay(self, variables: Sequence[Any]) -> None:
        """Does nothing."""


class SumsOnce:
    """Lets an optimizer say that gradients are summed over replicas already.

    Keras sums them at last, after all that public methods could do, and by a method of its own.
    Where Keras has no such method, `can_sum_once` is false.
    """

    _is_summed = False
    can_sum_once = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Looks whether Keras has the method."""
        super().__init_subclass__(**kwargs)
        cls.can_sum_once = hasattr(keras.optimizers.Optimizer, "_all_reduce_sum_gradients")

    @contextlib.contextmanager
    def summed(self) -> Iterator[None]:
        """Tells Keras that the gradients are sums, for an update."""
        self._is_summed = True
        try:
            yield
        finally:
            self._is_summed = False

    def _all_reduce_sum_gradients(self, grads_and_vars: Any) -> Any:
        if self._is_summed:
            return list(grads_and_vars)
        return super()._all_reduce_sum_gradients(grads_and_vars)  # type: ignore[misc]


def _checked(thing: Any, name: str) -> Any:
    try:
        return getattr(thing, name)
    except AttributeError as error:
        raise _unsupported("optimizers", name) from error


def strategy_scope(model: keras.Model) -> contextlib.AbstractContextManager[Any]:
    """Returns the scope of the model's distribution strategy, under TensorFlow, else no scope."""
    strategy = getattr(model, "distribute_strategy", None)
    return contextlib.nullcontext() if strategy is None else strategy.scope()


def callbacks_of_the_fit(callback: Any, frame: Any = None) -> list[Any]:
    """Returns the callbacks of the fit that `callback` is in now, in their order; [] outside.

    Args:
        callback: A callback.
        frame: Where to begin to look. Defaults to the caller.
    """
    fit = fit_of(callback, sys._getframe(1) if frame is None else frame)
    return [] if fit is None else list(fit.callbacks)


def fit_of(callback: Any, frame: Any = None) -> keras.callbacks.CallbackList | None:
    """Returns the list of callbacks of the fit that `callback` is in now; None outside.

    Keras hands a callback the model, but not the list that it is in. `fit` has it as `callbacks`,
    and its own methods as `self`; one of these is among the callers.
    """
    return next((found for found, _ in _fits(callback, frame or sys._getframe(1))), None)


def fit_arguments(callback: Any) -> dict[str, Any]:
    """Returns the arguments of the fit that `callback` is in now, by name; {} outside.

    `fit` has parted off `validation_split` by then, as `validation_data`.
    """
    names = inspect.signature(keras.Model.fit).parameters
    for _, local in _fits(callback, sys._getframe(1)):
        if "validation_data" in local:
            found = {name: local[name] for name in names if name in local and name != "self"}
            return {**found, **getattr(local.get("self"), "fit_arguments", {})}
    return {}


def _fits(callback: Any, frame: Any) -> Iterator[tuple[keras.callbacks.CallbackList, Any]]:
    """Yields the list that `callback` is in, and the local names of each caller that has it."""
    while frame is not None:
        for name in ("self", "callbacks"):
            found = frame.f_locals.get(name)
            if isinstance(found, keras.callbacks.CallbackList) and callback in found.callbacks:
                yield found, frame.f_locals
        frame = frame.f_back


def data_adapter() -> Any:
    """Returns the base class of what `fit` takes as data without a change."""
    try:
        from keras.src.trainers.data_adapters.data_adapter import DataAdapter
    except ImportError as error:
        raise _unsupported("data adapters", "DataAdapter") from error
    return DataAdapter


def mask_of(tensor: Any) -> Any:
    """Returns the mask that Keras has put on an output, or None."""
    return getattr(tensor, "_keras_mask", None)


def put_mask(tensor: Any, mask: Any) -> None:
    """Puts a mask on a symbolic output, where Keras looks for it."""
    tensor._keras_mask = mask


def run_through(model: keras.Model, inputs: Any, call: Callable[..., Any]) -> Any:
    """Returns the outputs of a functional model for symbolic inputs, each step made by `call`.

    Args:
        model: A functional model.
        inputs: Symbolic inputs, in the structure of the model's.
        call: Takes an operation and the arguments that it is called with; returns its outputs.
    """
    if not hasattr(model, "_run_through_graph"):
        raise _unsupported("models", "_run_through_graph")
    return model._run_through_graph(inputs, operation_fn=lambda operation: operation, call_fn=call)


def name_apart(outputs: Any) -> None:
    """Renames operations that lead to symbolic outputs, so that no two have one name.

    Keras names an operation that is no layer by a count that starts anew in each process, which
    may be the name of one that was loaded.
    """
    operations = _operations_behind(outputs)
    layers = [each for each in operations if isinstance(each, keras.layers.Layer)]
    taken = {layer.name for layer in layers}
    for operation in operations:
        if isinstance(operation, keras.layers.Layer):
            continue
        free = (f"{operation.name}_{count}" for count in itertools.count(1))
        name = operation.name if operation.name not in taken else None
        operation.name = name or next(each for each in free if each not in taken)
        taken.add(operation.name)


def _operations_behind(outputs: Any) -> list[Any]:
    found: dict[int, Any] = {}
    waiting = [each._keras_history for each in keras.tree.flatten(outputs)]
    seen = set()
    while waiting:
        operation, index, _ = waiting.pop()
        if (id(operation), index) in seen:
            continue
        seen.add((id(operation), index))
        found[id(operation)] = operation
        waiting += [each._keras_history for each in operation._inbound_nodes[index].input_tensors]
    return list(found.values())


def begin_fit_at(model: keras.Model, epoch: int) -> None:
    """Lets the fit that begins go on at `epoch`; 0 leaves it to `initial_epoch` of `fit`.

    `fit` reads this after the callbacks' `on_train_begin`. It sticks, so set it to 0 afterwards.
    """
    if not hasattr(model, "_initial_epoch"):
        raise _unsupported("models", "_initial_epoch")
    model._initial_epoch = epoch


def _unsupported(things: str, name: str) -> InputError:
    return InputError(
        f"Keras {keras.__version__} is not supported: its {things} have no `{name}`. "
        "Install a version in the range that kerasrecipes asks for."
    )
