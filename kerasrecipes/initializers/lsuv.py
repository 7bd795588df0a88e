"""Layer-sequential unit variance."""

import contextlib
import dataclasses
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
import numpy as np

from kerasrecipes._checks import InputError, check_choice, check_int, check_number, fail
from kerasrecipes._export import export
from kerasrecipes._find import LINEAR, find
from kerasrecipes._seeds import child_seed

_KINDS = (*LINEAR, keras.layers.SeparableConv1D, keras.layers.SeparableConv2D)


@dataclasses.dataclass(frozen=True)
class LsuvStep:
    """What `lsuv` did to one layer.

    Attributes:
        kernel: Path of the kernel.
        before: Variance of the layer's output before its activation, at the start.
        after: The same at the end.
        factor: What the kernel was multiplied by, after the orthonormal start if there was one.

    Example:
    >>> LsuvStep("dense/kernel", before=4.0, after=1.0, factor=0.5).factor
    0.5
    """

    kernel: str
    before: float
    after: float
    factor: float


@export("initializers", saved=False)
def lsuv(
    model: keras.layers.Layer,
    x: Any,
    *,
    orthonormal: bool = True,
    skip: Sequence[str] = (),
    tolerance: float = 0.01,
    max_sweeps: int = 10,
    seed: int | None = None,
) -> list[LsuvStep]:
    """Rescales each kernel of a model so that what it puts out has unit variance on a batch.

    Kernels start as random orthonormal matrices. Then, layer by layer in the order of the
    forward pass, with z_l the output of layer l before its activation:
        W_l <- W_l / sqrt(Var(z_l))
    over the examples, positions and units of the batch together, and over all calls of a layer
    that is shared. Dense, EinsumDense and convolutional layers at any depth take part, unless
    frozen. The model runs as in inference, where fresh batch normalisation is the identity and
    dropout is off. Only kernels change; on an error none does.

    Args:
        model: A model, of any kind.
        x: One batch of inputs, as the model takes them; some hundred examples will do.
        orthonormal: Whether kernels start orthonormal, else as they are. Defaults to True.
        skip: Names of layers to leave alone with all inside them, such as ("head",). Defaults to
            none.
        tolerance: Largest |Var(z_l) - 1| at the end, float > 0. Defaults to 0.01; the paper has
            0.1.
        max_sweeps: Times to go through the layers, int >= 1. One is enough unless layers are
            shared or have biases. Defaults to 10.
        seed: Integer for reproducible orthonormal kernels, or None.

    Returns: One `LsuvStep` per layer, in the order of the forward pass.

    Raises: InputError if there is no such layer, if `skip` names none, and for a layer whose
        output is constant, not finite or indifferent to its kernel, as with weight normalisation.

    Example:
    >>> import keras, numpy as np
    >>> inputs = keras.Input((20,))
    >>> model = keras.Model(inputs, keras.layers.Dense(50, "relu", name="hidden")(inputs))
    >>> x = np.random.default_rng(0).normal(size=(256, 20)).astype("float32")
    >>> [(step.kernel, round(step.after, 2)) for step in lsuv(model, x, seed=0)]
    [('hidden/kernel', 1.0)]

    Reference: Mishkin & Matas 2016, arXiv:1511.06422.
    """
    check_number("tolerance", tolerance, low=0.0, open_low=True)
    check_int("max_sweeps", max_sweeps, low=1)
    if not isinstance(model, keras.layers.Layer):
        fail("model", "a Keras model or layer", model)
    model(x, training=False)  # builds what is not built
    before = _variances(model, x, _chosen(model, skip))
    layers = list(before)
    original = [keras.ops.convert_to_numpy(_kernel(layer)) for layer in layers]
    try:
        if orthonormal:
            _orthonormalize(layers, seed)
        factors, after = _rescale(model, x, layers, tolerance, max_sweeps)
    except Exception:
        for layer, values in zip(layers, original, strict=True):
            _kernel(layer).assign(values)
        raise
    return [
        LsuvStep(_kernel(layer).path, before[layer], after[layer], factors[layer])
        for layer in layers
    ]


def _rescale(
    model: keras.layers.Layer,
    x: Any,
    layers: list[keras.layers.Layer],
    tolerance: float,
    max_sweeps: int,
) -> tuple[dict[keras.layers.Layer, float], dict[keras.layers.Layer, float]]:
    """Goes through the layers until all variances are 1; returns factors and variances."""
    factors = dict.fromkeys(layers, 1.0)
    variances: dict[keras.layers.Layer, float] = {}
    for _ in range(max_sweeps):
        for layer in layers:
            factor = 1 / math.sqrt(_checked(_variances(model, x, layers)[layer], layer))
            kernel = _kernel(layer)
            kernel.assign(keras.ops.convert_to_numpy(kernel) * factor)
            factors[layer] *= factor
        variances = _variances(model, x, layers)
        off = [layer for layer in layers if not abs(variances[layer] - 1) <= tolerance]
        if not off:
            return factors, variances
    raise InputError(
        f"`model` has a layer whose output does not reach unit variance in {max_sweeps} sweeps: "
        f"{_kernel(off[0]).path!r} is at {variances[off[0]]:.4g}. If something rescales its "
        "kernel (weight normalisation), leave it out with `skip`; else raise `max_sweeps` or "
        "`tolerance`."
    )


def _orthonormalize(layers: list[keras.layers.Layer], seed: int | None) -> None:
    for index, layer in enumerate(layers):
        kernel = _kernel(layer)
        draw = keras.initializers.Orthogonal(seed=child_seed(seed, index))
        kernel.assign(keras.ops.cast(draw(kernel.shape, dtype="float32"), kernel.dtype))


def _kernel(layer: keras.layers.Layer) -> Any:
    """Returns the kernel; of the two of a separable convolution the last."""
    return layer.pointwise_kernel if hasattr(layer, "pointwise_kernel") else layer.kernel


def _chosen(model: keras.layers.Layer, skip: Sequence[str]) -> list[keras.layers.Layer]:
    layers = find(model, _KINDS)
    paths = {layer: _kernel(layer).path.split("/")[:-1] for layer in layers}
    names = {name for path in paths.values() for name in path}
    for name in skip:
        check_choice("skip", name, sorted(names))
    chosen = [layer for layer in layers if not set(skip) & set(paths[layer])]
    chosen = [layer for layer in chosen if _kernel(layer).trainable]
    if not chosen:
        raise InputError(
            "`model` must hold a Dense or convolutional layer that is not frozen or skipped. "
            f"Received: {len(layers)} such layers, skip={list(skip)}."
        )
    return chosen


def _checked(variance: float, layer: keras.layers.Layer) -> float:
    if not (math.isfinite(variance) and variance > 0):
        raise InputError(
            f"`x` must give a finite, varying output at {_kernel(layer).path!r} before its "
            f"activation. Received: a variance of {variance:g}. Check the inputs for constant "
            "or non-finite features, or leave the layer out with `skip`."
        )
    return variance


def _variances(
    model: keras.layers.Layer, x: Any, layers: list[keras.layers.Layer]
) -> dict[keras.layers.Layer, float]:
    """Returns the variance before the activation of each layer, in the order of their calls."""
    seen: dict[keras.layers.Layer, Any] = {}

    def record(layer: keras.layers.Layer, z: Any) -> None:
        values = np.asarray(keras.ops.convert_to_numpy(keras.ops.cast(z, "float32")), "float64")
        moments = np.array([values.size, values.sum(), np.square(values).sum()])
        seen[layer] = seen.get(layer, 0) + moments

    with _recording(layers, record):
        model(x, training=False)
    return {
        layer: float(squares / n - (total / n) ** 2) for layer, (n, total, squares) in seen.items()
    }


@contextlib.contextmanager
def _recording(
    layers: list[keras.layers.Layer], record: Callable[[keras.layers.Layer, Any], None]
) -> Iterator[None]:
    """Within the context each layer shows its values before the activation to `record`."""
    original = [layer.activation for layer in layers]

    def shown(layer: keras.layers.Layer, activation: Callable[..., Any]) -> Callable[..., Any]:
        def activate(z: Any) -> Any:
            record(layer, z)
            return activation(z)

        return activate

    try:
        for layer, activation in zip(layers, original, strict=True):
            del layer.activation  # torch lets no function take the place of a layer
            layer.activation = shown(layer, activation)
        yield
    finally:
        for layer, activation in zip(layers, original, strict=True):
            layer.activation = activation
