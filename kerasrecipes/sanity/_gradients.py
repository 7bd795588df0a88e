"""Gradients on every Keras backend."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np

Step = Callable[..., tuple[float, list[np.ndarray | None]]]


def step(function: Callable[..., Any], variables: Sequence[Any], *, compiled: bool) -> Step:
    """Returns a function from tensors to the value of `function` and its gradients.

    Args:
        function: A function from tensors to a scalar.
        variables: Keras variables to differentiate by. A gradient is None where the scalar does
            not depend on the variable, as far as the backend tells.
        compiled: Whether to compile it, for many calls with tensors of the same shapes.
    """
    makers = {"tensorflow": _of_tensorflow, "jax": _of_jax, "torch": _of_torch}
    found = makers[keras.backend.backend()](function, list(variables), compiled)

    def gradients(*tensors: Any) -> tuple[float, list[np.ndarray | None]]:
        value, slopes = found(*tensors)
        return float(keras.ops.convert_to_numpy(value)), [_plain(each) for each in slopes]

    return gradients


def _plain(gradient: Any) -> np.ndarray | None:
    return None if gradient is None else np.asarray(keras.ops.convert_to_numpy(gradient))


def _of_tensorflow(function: Any, variables: list[Any], compiled: bool) -> Any:
    import tensorflow as tf

    def eager(*tensors: Any) -> Any:
        with tf.GradientTape() as tape:
            value = function(*tensors)
        slopes = tape.gradient(value, [_on_this_replica(variable) for variable in variables])
        return value, [None if each is None else tf.convert_to_tensor(each) for each in slopes]

    if not compiled:
        return eager
    graphs = []

    def graph(*tensors: Any) -> Any:
        if not graphs:  # asked for in this way, TensorFlow does not warn of many of them
            graphs.append(tf.function(eager).get_concrete_function(*tensors))
        return graphs[0](*tensors)

    return graph


def _on_this_replica(variable: Any) -> Any:
    """Returns the TensorFlow variable that is read outside the steps of several replicas."""
    return getattr(variable.value, "values", [variable.value])[0]


def _of_jax(function: Any, variables: list[Any], compiled: bool) -> Any:
    import jax

    def stateless(values: Any, tensors: Any) -> Any:
        pairs = list(zip(variables, values, strict=True))
        with keras.StatelessScope(state_mapping=pairs):
            return function(*tensors)

    graph = jax.value_and_grad(stateless)
    graph = jax.jit(graph) if compiled else graph
    return lambda *tensors: graph([variable.value for variable in variables], tensors)


def _of_torch(function: Any, variables: list[Any], compiled: bool) -> Any:
    import torch

    def eager(*tensors: Any) -> Any:
        value = function(*tensors)
        leaves = [variable.value for variable in variables]
        return value, torch.autograd.grad(value, leaves, allow_unused=True)

    return eager


def value_and_slopes(function: Callable[..., Any], tensors: Sequence[Any]) -> Any:
    """Returns the scalar `function(*tensors)` and its gradients by the tensors, as NumPy."""
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as tape:
            tape.watch(tensors)
            value = function(*tensors)
        slopes = tape.gradient(value, list(tensors))
    elif backend == "jax":
        import jax

        every = tuple(range(len(tensors)))
        value, slopes = jax.value_and_grad(function, argnums=every)(*tensors)
    else:
        import torch

        tensors = [each.detach().requires_grad_() for each in tensors]
        value = function(*tensors)
        slopes = torch.autograd.grad(value, tensors, allow_unused=True)
    return float(keras.ops.convert_to_numpy(value)), [_plain(each) for each in slopes]


class Adam:
    """Adam on NumPy arrays: leaves no trace in Keras, and runs under every strategy."""

    def __init__(self, variables: Sequence[Any], rate: float) -> None:
        self._variables = list(variables)
        self._rate = rate
        self._moments: list[list[Any]] = [[0.0, 0.0] for _ in self._variables]
        self._updates = 0

    def apply(self, gradients: Sequence[np.ndarray | None]) -> None:
        """Makes one update of the variables whose gradient is not None."""
        self._updates += 1
        first, second = (1 - beta**self._updates for beta in (0.9, 0.999))
        each = zip(self._variables, self._moments, gradients, strict=True)
        for variable, moments, gradient in each:
            if gradient is None:
                continue
            moments[0] = 0.9 * moments[0] + 0.1 * gradient
            moments[1] = 0.999 * moments[1] + 0.001 * np.square(gradient)
            change = moments[0] / first / (np.sqrt(moments[1] / second) + 1e-7)
            value = keras.ops.convert_to_numpy(variable)
            variable.assign((value - self._rate * change).astype(value.dtype))
