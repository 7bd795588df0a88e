"""The automatic clipping threshold against NumPy's percentile."""

import keras
import numpy as np
import pytest

from kerasrecipes import optimizers
from kerasrecipes.optimizers.norm_history import LENGTH


def test_threshold_is_the_percentile_of_the_norms_so_far():
    norms = np.abs(np.random.default_rng(0).normal(size=40)).astype("float32") + 0.1
    optimizer = optimizers.SGD(1.0, momentum=0.0, global_clipnorm="auto")
    variable = keras.Variable(np.zeros(4))
    for count, norm in enumerate(norms, start=1):
        before = variable.numpy()
        optimizer.apply([keras.ops.full((4,), norm / 2)], [variable])
        limit = np.percentile(norms[:count].astype("float64"), 90)
        moved = np.linalg.norm(variable.numpy() - before)
        assert moved == pytest.approx(min(norm, limit), rel=1e-4)
    clipped = optimizer.statistics()["clipped_fraction"]
    expected = [n > np.percentile(norms[:c], 90) for c, n in enumerate(norms, start=1)]
    assert clipped == pytest.approx(np.mean(expected))


def test_only_the_latest_norms_count():
    optimizer = optimizers.SGD(1e-3, momentum=0.0, global_clipnorm="auto")
    variable = keras.Variable(np.zeros(1))
    optimizer.build([variable])
    for _ in range(3):
        optimizer.apply([keras.ops.full((1,), 1e6)], [variable])
    optimizer._norm_history._norms.assign(np.r_[[1e6] * 3, np.ones(LENGTH - 3)])
    optimizer._norm_history._count.assign(LENGTH)
    for _ in range(3):
        optimizer.apply([keras.ops.full((1,), 2.0)], [variable])
    kept = optimizer._norm_history._norms.numpy()
    assert kept.max() == 2.0
    assert (kept == 2.0).sum() == 3


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_non_finite_norm_is_not_remembered(bad):
    optimizer = optimizers.SGD(1.0, momentum=0.0, global_clipnorm="auto")
    variable = keras.Variable(np.zeros(2))
    optimizer.apply([keras.ops.ones(2)], [variable])
    optimizer.apply([keras.ops.full((2,), bad)], [variable])
    variable.assign(np.zeros(2))
    optimizer.apply([keras.ops.full((2,), 100.0)], [variable])
    norms = np.sqrt(2) * np.array([1.0, 100.0])
    moved = np.linalg.norm(variable.numpy())
    assert moved == pytest.approx(np.percentile(norms, 90), rel=1e-5)
