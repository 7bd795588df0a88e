"""The classical initializers: their variance at every size, and their distribution."""

import math

import keras
import numpy as np
import pytest
from scipy import stats

import kerasrecipes as kr
from kerasrecipes.initializers import glorot, he, lecun, output, pytorch, pytorch_bias
from tests.harness import check_config_round_trip

DISTRIBUTIONS = ["normal", "uniform", "untruncated_normal"]
FANS = [3, 10, 64, 512, 4096]
# What a unit normal cut off at two standard deviations has left of its own.
CUT = stats.truncnorm(-2, 2).std()
FAMILIES = {
    "glorot": (glorot, lambda n_in, n_out: 2 / (n_in + n_out)),
    "he": (he, lambda n_in, n_out: 2 / n_in),
    "he, slope 0.2": (
        lambda d, *, seed: he(d, slope=0.2, seed=seed),
        lambda n_in, n_out: 2 / 1.04 / n_in,
    ),
    "lecun": (lecun, lambda n_in, n_out: 1 / n_in),
}


def draw(initializer, shape, draws):
    """Values of `draws` kernels, each from a seed of its own."""
    config = initializer.get_config()
    made = [type(initializer).from_config({**config, "seed": seed}) for seed in range(draws)]
    return np.concatenate([keras.ops.convert_to_numpy(m(shape)).ravel() for m in made])


def check_distribution(values, distribution, variance):
    """Mean, variance (both within five standard errors) and shape (Kolmogorov-Smirnov)."""
    values = values.astype("float64")
    spread = math.sqrt(variance)
    expected = {
        "normal": stats.truncnorm(-2, 2, scale=spread / CUT),
        "untruncated_normal": stats.norm(scale=spread),
        "uniform": stats.uniform(-math.sqrt(3) * spread, 2 * math.sqrt(3) * spread),
    }[distribution]
    n = len(values)
    assert expected.var() == pytest.approx(variance)
    assert abs(values.mean()) < 5 * spread / math.sqrt(n)
    kurtosis = float(expected.stats(moments="k")) + 3
    assert values.var() / variance == pytest.approx(1, abs=5 * math.sqrt((kurtosis - 1) / n))
    assert stats.kstest(values[:20_000], expected.cdf).pvalue > 1e-4


@pytest.mark.parametrize("fan_in", FANS)
@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
@pytest.mark.parametrize("family", FAMILIES)
def test_variance_and_shape_of_the_distribution(family, distribution, fan_in):
    make, variance = FAMILIES[family]
    fan_out = max(32, 60_000 // fan_in)
    values = draw(make(distribution, seed=None), (fan_in, fan_out), 2)
    check_distribution(values, distribution, variance(fan_in, fan_out))


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
@pytest.mark.parametrize("shape", [(3, 5), (2, 2, 3, 4), (3, 3, 3, 2, 4)])
def test_small_kernels_and_convolutions(shape, distribution):
    """The fans of a convolution are kernel size times channels."""
    size = math.prod(shape[:-2])
    for make, variance in FAMILIES.values():
        values = draw(make(distribution, seed=None), shape, 60_000 // math.prod(shape) // 20)
        n_in, n_out = size * shape[-2], size * shape[-1]
        assert values.var() == pytest.approx(variance(n_in, n_out), rel=0.12)


@pytest.mark.parametrize("fan_in", FANS)
def test_pytorch_follows_its_documentation(fan_in):
    """Linear: U(+-1/sqrt(n_in)), which its source writes as Kaiming of slope sqrt(5)."""
    shape = (fan_in, max(16, 40_000 // fan_in))
    values = keras.ops.convert_to_numpy(pytorch(seed=0)(shape)).ravel()
    check_distribution(values, "uniform", 1 / (3 * fan_in))
    assert np.abs(values).max() <= 1 / math.sqrt(fan_in)
    kaiming = he("uniform", slope=math.sqrt(5), seed=0)(shape)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(kaiming).ravel(), values, rtol=1e-5)


@pytest.mark.parametrize("fan_in", FANS)
def test_pytorch_bias(fan_in):
    values = keras.ops.convert_to_numpy(pytorch_bias(fan_in, seed=0)((20_000,)))
    check_distribution(values, "uniform", 1 / (3 * fan_in))


def test_output_is_normal_whatever_the_width():
    for shape in [(3, 9000), (900, 10)]:
        values = keras.ops.convert_to_numpy(output(seed=1)(shape)).ravel()
        check_distribution(values, "untruncated_normal", 0.01)


def test_stock_keras_is_used_where_there_is_a_class():
    names = {
        type(make(distribution)).__name__
        for make in (glorot, he, lecun)
        for distribution in ("normal", "uniform")
    }
    assert names == {f"{a}{b}" for a in ("Glorot", "He", "Lecun") for b in ("Normal", "Uniform")}


EVERY = [
    glorot("untruncated_normal", seed=1),
    he(slope=0.3, seed=1),
    lecun("uniform", seed=1),
    pytorch(seed=1),
    pytorch_bias(4, seed=1),
    output(seed=1),
]


@pytest.mark.parametrize("initializer", EVERY)
def test_round_trip_seeds_and_half_precision(initializer):
    clone = check_config_round_trip(initializer)
    first = keras.ops.convert_to_numpy(initializer((8, 8)))
    np.testing.assert_array_equal(first, keras.ops.convert_to_numpy(clone((8, 8))))
    other = type(initializer).from_config({**initializer.get_config(), "seed": 2})
    assert np.abs(first - keras.ops.convert_to_numpy(other((8, 8)))).max() > 1e-3
    half = initializer((8, 8), dtype="float16")
    assert keras.backend.standardize_dtype(half.dtype) == "float16"


def test_a_seed_generator_gives_new_numbers_each_time():
    make = he(seed=keras.random.SeedGenerator(0))
    first, second = (keras.ops.convert_to_numpy(make((8, 8))) for _ in range(2))
    assert np.abs(first - second).max() > 1e-3


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: he("cauchy"), "distribution"),
        (lambda: he("orthogonal"), "distribution"),
        (lambda: he(slope=-1.0), "slope"),
        (lambda: output(0.0), "stddev"),
        (lambda: pytorch_bias(0), "fan_in"),
    ],
)
def test_errors(make, name):
    with pytest.raises(kr.InputError, match=f"`{name}`"):
        make()
