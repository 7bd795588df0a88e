"""Monte Carlo dropout: predictions and their spread from one network."""

import dataclasses
import functools
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np

from kerasrecipes._checks import InputError, check_int
from kerasrecipes._export import export
from kerasrecipes._find import find
from kerasrecipes._keras_internals import strategy_scope
from kerasrecipes._patch import patched_calls
from kerasrecipes._seeds import child_seed
from kerasrecipes.layers.stochastic_depth import StochasticDepth

_DROPOUTS = (
    keras.layers.Dropout,
    keras.layers.SpatialDropout1D,
    keras.layers.SpatialDropout2D,
    keras.layers.SpatialDropout3D,
    keras.layers.AlphaDropout,
    keras.layers.GaussianDropout,
    StochasticDepth,
)
_MOST_ELEMENTS = 2**22  # of input at once: 16 MB of float32


@dataclasses.dataclass(frozen=True)
class MonteCarloPrediction:
    """The mean and spread of several random predictions.

    Attributes:
        mean: Mean over the passes, float64, in the structure of the model's output.
        standard_deviation: Sample standard deviation over the passes (divisor passes - 1), same
            structure.
        passes: Number of passes.

    Example:
    >>> import numpy as np
    >>> prediction = MonteCarloPrediction(np.array([1.0]), np.array([0.5]), passes=50)
    >>> (prediction.mean - 2 * prediction.standard_deviation).tolist()
    [0.0]
    """

    mean: Any
    standard_deviation: Any
    passes: int


@export("layers", saved=False)
def monte_carlo_predict(
    model: keras.Model,
    x: Any,
    *,
    passes: int = 50,
    batch_size: int | None = None,
    seed: int | None = None,
) -> MonteCarloPrediction:
    """Predicts several times with dropout on; returns the mean and the spread.

    Every pass samples one thinned network, so with predictions y_1 ... y_n:
        mean = sum_i y_i / n,  standard deviation = sqrt(sum_i (y_i - mean)^2 / (n - 1))
    Only dropout is random: every dropout layer of Keras, `StochasticDepth`, and the dropout inside
    attention and recurrent layers. Batch normalisation and all else stay in inference mode. The
    model is left as it was, its random states included, so training goes on as if nothing had
    happened.

    Args:
        model: Built Keras model with at least one active dropout.
        x: What `model.predict` takes; a dataset must give its rows in the same order every time.
        passes: Number of predictions, int >= 2. Defaults to 50.
        batch_size: Rows per step, as in `model.predict`. Defaults to None.
        seed: Integer for reproducible masks, or None for new ones. Defaults to None.

    Returns: `MonteCarloPrediction`.

    Raises: InputError if the model has no active dropout.

    Example:
    >>> import keras, numpy as np
    >>> model = keras.Sequential([keras.Input((400,)), keras.layers.Dropout(0.5)])
    >>> result = monte_carlo_predict(model, np.ones((1, 400)), passes=20, seed=0)
    >>> bool(abs(result.mean.mean() - 1) < 0.05)
    True
    >>> bool(abs((result.standard_deviation**2).mean() - 1) < 0.05)
    True

    Reference: Gal & Ghahramani 2016, arXiv:1506.02142.
    """
    passes = check_int("passes", passes, low=2)
    layers = [layer for layer in find(model, keras.layers.Layer) if _drops(layer)]
    if not layers:
        raise InputError(
            f"`model` must have dropout to sample from, but {model.name!r} has no dropout layer "
            "with a rate above 0. Build it with `dropout=0.2`, say."
        )
    with strategy_scope(model):
        sampler = _Sampler(model)
        sampler.compile(jit_compile=False)
    predict = functools.partial(sampler.predict, batch_size=batch_size, verbose=0)
    generators = find(model, keras.random.SeedGenerator)
    states = [keras.ops.convert_to_numpy(generator.state) for generator in generators]
    try:
        _reseed(generators, seed)
        with patched_calls(layers, _always_training):
            return _moments(_draws(predict, x, passes))
    finally:
        for generator, state in zip(generators, states, strict=True):
            generator.state.assign(state)


class _Sampler(keras.Model):
    """The model with a predict function of its own, so that the model's stays as it is."""

    def __init__(self, model: keras.Model) -> None:
        super().__init__(name="monte_carlo_sampler")
        self.model = model

    def call(self, inputs: Any) -> Any:
        return self.model(inputs, training=False)


def _drops(layer: keras.layers.Layer) -> bool:
    if isinstance(layer, _DROPOUTS):
        return layer.rate > 0
    if isinstance(layer, keras.layers.RNN):
        return any(_rate(cell) > 0 for cell in find(layer.cell, keras.layers.Layer))
    return isinstance(layer, keras.layers.Attention) and _rate(layer) > 0


def _rate(layer: Any) -> float:
    rates = [getattr(layer, name, 0) for name in ("dropout", "recurrent_dropout")]
    return max((rate for rate in rates if isinstance(rate, (int, float))), default=0)


def _always_training(layer: keras.layers.Layer, call: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(call)
    def with_training(*args: Any, **kwargs: Any) -> Any:
        return call(*args, **{**kwargs, "training": True})

    return with_training


def _reseed(generators: list[keras.random.SeedGenerator], seed: int | None) -> None:
    if seed is None:
        seed = int(keras.ops.convert_to_numpy(keras.random.SeedGenerator().state)[0])
    for index, generator in enumerate(generators):
        start = keras.random.SeedGenerator(child_seed(check_int("seed", seed), index))
        generator.state.assign(start.state)


def _draws(predict: Callable[[Any], Any], x: Any, passes: int) -> Iterator[Any]:
    """Yields the prediction of each pass; small arrays go through `predict` many at a time."""
    leaves = keras.tree.flatten(x)
    if not all(hasattr(leaf, "__array__") for leaf in leaves):
        yield from (predict(x) for _ in range(passes))
        return
    x = keras.tree.map_structure(np.asarray, x)
    rows = len(keras.tree.flatten(x)[0])
    together = max(1, _MOST_ELEMENTS // max(1, sum(map(np.size, leaves))))
    for start in range(0, passes, together):
        copies = range(min(together, passes - start))
        many = keras.tree.map_structure(lambda a, c=copies: np.concatenate([a for _ in c]), x)
        y = predict(many)
        for i in copies:
            yield keras.tree.map_structure(lambda a, i=i: a[i * rows : (i + 1) * rows], y)


def _moments(predictions: Iterator[Any]) -> MonteCarloPrediction:
    """Welford's update: nothing is kept but the running mean and sum of squares."""
    count, mean, squares = 0, None, None
    for prediction in predictions:
        y = keras.tree.map_structure(lambda each: np.asarray(each, "float64"), prediction)
        count += 1
        if mean is None:
            mean, squares = y, keras.tree.map_structure(np.zeros_like, y)
            continue
        old = mean
        mean = keras.tree.map_structure(lambda m, v, n=count: m + (v - m) / n, old, y)
        squares = keras.tree.map_structure(
            lambda s, v, m, new: s + (v - m) * (v - new), squares, y, old, mean
        )
    spread = keras.tree.map_structure(lambda s: np.sqrt(s / (count - 1)), squares)
    return MonteCarloPrediction(mean, spread, count)
