"""Gradient norm, clipped fraction and update ratio against NumPy."""

import keras
import numpy as np
import pytest

from kerasrecipes import optimizers

GRADIENTS = np.random.default_rng(0).normal(size=(6, 5)).astype("float32")
W0 = np.linspace(-1, 1, 5).astype("float32")


def updated(optimizer):
    first, second = keras.Variable(W0[:3]), keras.Variable(W0[3:])
    weights = [W0]
    for gradient in GRADIENTS:
        parts = [keras.ops.convert_to_tensor(g) for g in (gradient[:3], gradient[3:])]
        optimizer.apply(parts, [first, second])
        weights.append(np.concatenate([first.numpy(), second.numpy()]))
    return weights


def test_means_equal_numpy():
    optimizer = optimizers.Adam(0.1, global_clipnorm=2.0, track_updates=True)
    weights = updated(optimizer)
    norms = np.linalg.norm(GRADIENTS, axis=1)
    steps = [np.linalg.norm(b - a) for a, b in zip(weights, weights[1:], strict=False)]
    ratios = [s / np.linalg.norm(w) for s, w in zip(steps, weights, strict=False)]
    expected = {
        "gradient_norm": norms.mean(),
        "clipped_fraction": (norms > 2).mean(),
        "update_ratio": np.mean(ratios),
    }
    assert 0 < expected["clipped_fraction"] < 1
    assert optimizer.statistics() == pytest.approx(expected, rel=1e-5)
    optimizer.reset_statistics()
    assert optimizer.statistics() == {}


@pytest.mark.parametrize(
    ("clipping", "expected"),
    [
        ({"clipvalue": 1.0}, np.mean(np.abs(GRADIENTS).max(1) > 1)),
        ({"clipvalue": 100.0}, 0.0),
        ({"clipnorm": 1e-3}, 1.0),
        ({"adaptive_clip": 1e-3}, 1.0),
    ],
    ids=str,
)
def test_every_kind_of_clipping_tells_its_fraction(clipping, expected):
    optimizer = optimizers.SGD(0.01, **clipping)
    updated(optimizer)
    found = optimizer.statistics()
    assert found["clipped_fraction"] == pytest.approx(expected)
    norms = np.linalg.norm(GRADIENTS, axis=1)
    assert found["gradient_norm"] == pytest.approx(norms.mean(), rel=1e-5)


def test_nothing_is_recorded_unless_asked_for():
    plain = optimizers.SGD(0.01)
    updated(plain)
    assert plain.statistics() == {}
    tracked = optimizers.SGD(0.01, track_updates=True)
    updated(tracked)
    assert set(tracked.statistics()) == {"gradient_norm", "update_ratio"}


def test_a_whole_update_counts_once_under_accumulation():
    optimizer = optimizers.SGD(
        0.1, momentum=0.0, global_clipnorm=1e9, track_updates=True, gradient_accumulation_steps=3
    )
    weights = updated(optimizer)
    norms = [np.linalg.norm(GRADIENTS[i : i + 3].mean(0)) for i in (0, 3)]
    found = optimizer.statistics()
    assert found["gradient_norm"] == pytest.approx(np.mean(norms), rel=1e-5)
    before = [weights[2], weights[5]]
    ratios = [0.1 * n / np.linalg.norm(w) for n, w in zip(norms, before, strict=True)]
    assert found["update_ratio"] == pytest.approx(np.mean(ratios), rel=1e-5)
