"""What lets one test run on every Keras backend: TensorFlow, JAX and PyTorch.

Outside TensorFlow Keras rounds to float32, whatever dtype is asked for: JAX has nothing wider,
and on torch Keras's rules of promotion end there. So tests of exact numbers ask for `WIDEST`
and compare by `assert_close`.
"""

import keras
import numpy as np
import pytest

BACKEND = keras.backend.backend()
# Without it JAX takes a step operation by operation; TensorFlow spends seconds on compiling.
JIT = BACKEND == "jax"
WIDEST = "float64" if BACKEND == "tensorflow" else "float32"


def needs(backend, reason):
    """A mark for a test that no other backend can pass, and why."""
    return pytest.mark.skipif(BACKEND != backend, reason=f"needs {backend}: {reason}")


def array(x):
    """A tensor or variable as a NumPy array; torch's `np.array` refuses what has a gradient."""
    return keras.ops.convert_to_numpy(x)


def assert_close(actual, desired, *, rtol=1e-7, atol=0.0):
    """`np.testing.assert_allclose` for tensors, as exact as `WIDEST` allows."""
    if WIDEST == "float32":
        rtol, atol = max(rtol, 2e-5), max(atol, 2e-5)
    actual, desired = (keras.tree.map_structure(array, each) for each in (actual, desired))
    np.testing.assert_allclose(actual, desired, rtol=rtol, atol=atol)


def gradients(function, variables):
    """The gradients of a scalar function of no arguments with respect to Keras variables."""
    if BACKEND == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as tape:
            value = function()
        found = tape.gradient(value, [variable.value for variable in variables])
    elif BACKEND == "jax":
        import jax

        def stateless(values):
            with keras.StatelessScope(list(zip(variables, values, strict=True))):
                return function()

        found = jax.grad(stateless)([variable.value for variable in variables])
    else:
        import torch

        found = torch.autograd.grad(function(), [variable.value for variable in variables])
    return [array(each) for each in found]
