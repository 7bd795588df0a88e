"""Clipping against optax and NumPy."""

import keras
import numpy as np
import optax
import pytest

from kerasrecipes import optimizers
from kerasrecipes.optimizers import clipping

RNG = np.random.default_rng(0)
SHAPES = [(5, 4), (4,), (3, 3, 2, 6)]
GRADIENTS = [RNG.normal(size=shape).astype("float32") * 3 for shape in SHAPES]
WEIGHTS = [RNG.normal(size=shape).astype("float32") for shape in SHAPES]


def clip_by_global_norm(gradients, threshold):
    kind = clipping.Clipping(global_clipnorm=threshold)
    return kind(gradients, WEIGHTS, norm=clipping.safe_norm(gradients))[0]


def through_optax(transform):
    state = transform.init(WEIGHTS)
    return transform.update(GRADIENTS, state, WEIGHTS)[0]


@pytest.mark.parametrize(
    ("ours", "peer"),
    [
        (clipping.clip_by_value(GRADIENTS, 0.5), optax.clip(0.5)),
        (clip_by_global_norm(GRADIENTS, 2.0), optax.clip_by_global_norm(2.0)),
        (clip_by_global_norm(GRADIENTS, 1e6), optax.identity()),
    ],
    ids=["value", "global", "nothing to clip"],
)
def test_agrees_with_optax(ours, peer):
    for a, b in zip(ours, through_optax(peer), strict=True):
        np.testing.assert_allclose(keras.ops.convert_to_numpy(a), b, rtol=1e-5)


def test_clipping_by_norm_is_per_variable():
    expected = [g * min(1, 8.0 / np.linalg.norm(g)) for g in GRADIENTS]
    for a, b in zip(clipping.clip_by_norm(GRADIENTS, 8.0), expected, strict=True):
        np.testing.assert_allclose(keras.ops.convert_to_numpy(a), b, rtol=1e-5)


def test_adaptive_clipping_works_on_the_units_of_a_kernel():
    clipped = clipping.clip_adaptively(GRADIENTS, WEIGHTS, 0.01)
    for gradient, weight, result in zip(GRADIENTS, WEIGHTS, clipped, strict=True):
        result = keras.ops.convert_to_numpy(result)
        axes = tuple(range(gradient.ndim - 1)) or (0,)
        norm = np.sqrt((gradient**2).sum(axes, keepdims=True))
        limit = 0.01 * np.maximum(np.sqrt((weight**2).sum(axes, keepdims=True)), 1e-3)
        np.testing.assert_allclose(result, gradient * np.minimum(1, limit / norm), rtol=1e-5)
    kernel = optax.adaptive_grad_clip(0.01)
    expected = kernel.update(GRADIENTS[:1], kernel.init(WEIGHTS[:1]), WEIGHTS[:1])[0][0]
    np.testing.assert_allclose(keras.ops.convert_to_numpy(clipped[0]), expected, rtol=1e-5)


def test_zero_and_missing_gradients_pass_through():
    zero = np.zeros((2, 2), "float32")
    for function in (clipping.clip_by_norm, clip_by_global_norm):
        first, second = function([zero, None], 1.0)
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(first), zero)
        assert second is None


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_non_finite_gradients_are_not_made_to_look_finite(bad):
    for function in (clipping.clip_by_norm, clip_by_global_norm):
        (result,) = function([np.array([1.0, bad], "float32")], 1.0)
        assert not np.isfinite(keras.ops.convert_to_numpy(result)).all()


def test_clipping_keeps_the_direction():
    before = np.concatenate([g.ravel() for g in GRADIENTS])
    after = np.concatenate(
        [keras.ops.convert_to_numpy(g).ravel() for g in clip_by_global_norm(GRADIENTS, 1)]
    )
    assert np.linalg.norm(after) == pytest.approx(1.0, rel=1e-5)
    assert before @ after == pytest.approx(np.linalg.norm(before), rel=1e-5)


HUGE = [np.array([1e20, 0.0], "float32"), np.array([[3e20], [4e20]], "float32")]


@pytest.mark.parametrize(
    "kind", [{"clipnorm": 1.0}, {"global_clipnorm": 1.0}, {"adaptive_clip": 0.5}], ids=str
)
def test_huge_gradients_are_clipped_like_others(kind):
    """Their squares are too great for float32, their norms are not."""
    weights = [np.ones_like(g) for g in HUGE]
    optimizer = optimizers.SGD(1.0, momentum=0.0, **kind)
    variables = [keras.Variable(w) for w in weights]
    optimizer.apply([keras.ops.convert_to_tensor(g) for g in HUGE], variables)
    whole = np.sqrt(sum((g.astype("float64") ** 2).sum() for g in HUGE))
    for variable, weight, gradient in zip(variables, weights, HUGE, strict=True):
        own = np.linalg.norm(gradient.astype("float64"))
        limit = {"clipnorm": 1 / own, "global_clipnorm": 1 / whole}.get(
            next(iter(kind)), 0.5 * np.linalg.norm(weight) / own
        )
        np.testing.assert_allclose(variable.numpy(), weight - gradient * limit, rtol=1e-6)
    assert optimizer.statistics()["gradient_norm"] == pytest.approx(whole, rel=1e-6)
    assert optimizer.statistics()["clipped_fraction"] == 1.0


def test_tiny_gradients_have_a_norm():
    norm = clipping.safe_norm([np.array([3e-30, 4e-30], "float32"), np.zeros((0, 2), "float32")])
    assert float(norm) == pytest.approx(5e-30, rel=1e-6)
    assert float(clipping.safe_norm([None])) == 0.0


def test_the_plain_norm_is_infinite_where_squares_are():
    """`NonFinite` skips what would make the squares of Adam infinite."""
    gradient = np.array([3e19, 4e19], "float32")
    assert float(clipping.global_norm([gradient])) == np.inf
    assert float(clipping.safe_norm([gradient])) == pytest.approx(5e19, rel=1e-6)


def test_a_clipped_part_counts_however_small_its_share_of_the_norm():
    optimizer = optimizers.SGD(1.0, momentum=0.0, adaptive_clip=0.5)
    variables = [keras.Variable([1e6, 1e6]), keras.Variable([1e-3, 1e-3])]
    gradients = [keras.ops.convert_to_tensor([1e5, 1e5]), keras.ops.convert_to_tensor([1.0, 1.0])]
    optimizer.apply(gradients, variables)
    assert optimizer.statistics()["clipped_fraction"] == 1.0
