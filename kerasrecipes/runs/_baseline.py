"""The simplest model that another has to beat: linear, fitted by scikit-learn on the same rows."""

import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np
import scipy.sparse
from sklearn.linear_model import LogisticRegression, Ridge

from kerasrecipes import recipes
from kerasrecipes.data.normalization import normalization
from kerasrecipes.runs.prepare import Rows
from kerasrecipes.tuning._tables import encoded

FITTED = ("binary", "multiclass", "regression")
_NAME = "linear"
_BATCH = 512
_ITERATIONS = 1_000
_NEVER = -30.0
_MOST_UNITS = 256


@dataclass(frozen=True, eq=False)
class Baseline:
    """A linear model.

    Attributes:
        name: What it is, in words.
        model: A Keras model with its weights, which takes the same rows as the network.
        features: The part of it that is before the weights that are fitted.
        seconds: Time that it took.
    """

    name: str
    model: keras.Model
    features: keras.Model
    seconds: float


def baseline(recipe: str, rows: Rows, seed: int) -> Baseline | None:
    """Returns logistic or ridge regression on the training rows; None for other targets."""
    if rows.target.name not in FITTED:
        return None
    began = time.perf_counter()
    x, y = rows.parts["train"]
    model = _linear(recipe, x, rows.target, seed)
    is_table = recipe == "tabular"
    symbols = {each.name: each for each in model.inputs} if is_table else model.inputs[0]
    features = keras.Model(symbols, model.get_layer("head").input)
    found = Baseline("", model, features, 0.0)
    name = fit_to(found, x, y, rows.target)
    return replace(found, name=name, seconds=time.perf_counter() - began)


def fit_to(linear: Baseline, x: Any, y: Any, target: Any) -> str:
    """Fits a linear model to rows; returns what it is, in words."""
    inputs = _features(linear.features, encoded(linear.model, x))
    if target.name == "regression":
        name, kernel, bias = _ridge(inputs, y, target)
    else:
        name, kernel, bias = _logistic(inputs, y, target.units)
    linear.model.get_layer("head").set_weights([kernel, bias])
    return name


def mean_of(models: Sequence[Any], target: Any, name: str) -> keras.Model:
    """Returns a model that predicts the mean of some that take the same rows.

    These lose their optimizers, which files of the mean would have to hold.
    """
    first = models[0]
    for each in models:
        each.optimizer, each.compiled = None, False
    symbols = {
        each.name: keras.Input(each.shape[1:], dtype=each.dtype, name=each.name)
        for each in first.inputs
    }
    inputs = symbols if isinstance(first, recipes.TableModel) else next(iter(symbols.values()))
    outputs = keras.layers.Average(name="mean")([each(inputs) for each in models])
    model = type(first)(inputs, outputs, name=name)
    model.recipe = first.recipe
    model.compile("adam", loss=target.loss(), metrics=target.metrics())
    model.optimizer.build(model.trainable_variables)
    return model


def _linear(recipe: str, x: Any, target: Any, seed: int) -> keras.Model:
    """Returns an untrained network without hidden layers."""
    if recipe == "tabular":
        return recipes.tabular(
            x,
            target,
            form="mlp",
            hidden=(),
            category_units=_most_categories(x),
            seed=seed,
            name=_NAME,
        )
    if recipe == "text":
        return recipes.text(x, target, form="ngrams", hidden=(), dropout=0.0, seed=seed, name=_NAME)
    layer = normalization(x, axis=-1 if x.ndim == 2 else None)
    return recipes.mlp(x.shape[1:], target, hidden=(), preprocessing=layer, seed=seed, name=_NAME)


def _most_categories(x: Any) -> int:
    """Returns the length of vectors that can tell all categories apart, within limits."""
    counts = [x[name].nunique() for name in x if x[name].dtype.kind not in "biuf"]
    return min(_MOST_UNITS, max(counts, default=8))


def _features(model: keras.Model, x: Any) -> Any:
    """Returns what the head of a linear model sees, sparse where most of it is zero."""
    rows = len(next(iter(x.values())) if isinstance(x, dict) else x)
    parts = []
    for start in range(0, rows, _BATCH):
        part = slice(start, start + _BATCH)
        some = {n: a[part] for n, a in x.items()} if isinstance(x, dict) else x[part]
        found = np.asarray(model.predict_on_batch(some))
        parts.append(scipy.sparse.csr_matrix(found))
    sparse = scipy.sparse.vstack(parts)
    return sparse if sparse.nnz < 0.2 * np.prod(sparse.shape) else sparse.toarray()


def _ridge(inputs: Any, y: np.ndarray, target: Any) -> tuple[str, np.ndarray, np.ndarray]:
    """Returns the weights of a head whose outputs are in standard deviations of the labels."""
    labels = (np.reshape(y, (len(y), -1)) - target.center) / target.scale
    found = Ridge().fit(inputs, labels)
    kernel = np.reshape(found.coef_, (labels.shape[1], -1)).T
    return "ridge regression", kernel, np.reshape(found.intercept_, -1)


def _logistic(inputs: Any, y: np.ndarray, units: int) -> tuple[str, np.ndarray, np.ndarray]:
    """Returns the weights of a head for classes; one that no row has is never predicted."""
    with warnings.catch_warnings():
        # Of tables with few rows of many classes, which the checks tell of.
        warnings.filterwarnings("ignore", "The number of unique classes is greater", UserWarning)
        found = LogisticRegression(max_iter=_ITERATIONS).fit(inputs, np.ravel(y))
    kernel, bias = found.coef_.T, found.intercept_
    if units > 1:
        classes = found.classes_.astype("int64")
        if len(classes) == 2:
            kernel, bias = np.hstack([-kernel, kernel]) / 2, np.hstack([-bias, bias]) / 2
        whole = np.zeros((kernel.shape[0], units)), np.full(units, _NEVER)
        whole[0][:, classes], whole[1][classes] = kernel, bias
        kernel, bias = whole
    return "logistic regression", kernel, bias
