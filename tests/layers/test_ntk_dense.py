import numpy as np
import pytest
from scipy import stats

from kerasrecipes._checks import InputError
from kerasrecipes.layers import NTKDense
from tests.backends import WIDEST, array, assert_close

X = np.random.default_rng(0).normal(3.0, 2.0, size=(400, 6))


def test_equals_the_formula():
    layer = NTKDense(5, dtype=WIDEST, seed=0)
    y = array(layer(X))
    assert_close(y, X @ array(layer.kernel) / np.sqrt(6) + array(layer.bias), atol=1e-10)


def test_kernel_starts_as_standard_normal():
    layer = NTKDense(300, seed=0)
    layer.build((None, 100))
    assert stats.kstest(array(layer.kernel).ravel(), "norm").pvalue > 0.01
    assert not array(layer.bias).any()


def test_adapted_outputs_have_unit_deviation_and_units_bend_within_the_data():
    layer = NTKDense(2000, seed=0)
    layer.adapt(X)
    z = X @ array(layer.kernel) / np.sqrt(6)
    assert_close(z.std(axis=0), np.ones(2000), rtol=1e-4)
    # -b is a weighted mean of 5 outputs: within their range, and with their mean on average
    start = -array(layer.bias)
    assert (z.min(axis=0) <= start).all()
    assert (start <= z.max(axis=0)).all()
    offset = start - z.mean(axis=0)
    assert abs(offset.mean()) < 0.05
    # E sum w_i^2 = 5 E w^2 for w uniform on the simplex: 2 / (5 + 1)
    assert offset.var() == pytest.approx(2 / 6, rel=0.1)


def test_a_constant_input_keeps_its_kernel():
    layer = NTKDense(4, seed=0)
    layer.build((None, 6))
    before = array(layer.kernel)
    layer.adapt(np.ones((10, 6)))
    np.testing.assert_array_equal(array(layer.kernel), before)
    assert np.isfinite(array(layer.bias)).all()


def test_errors():
    with pytest.raises(InputError, match="`units` must be an integer >= 1"):
        NTKDense(0)
    layer = NTKDense(3)
    layer.build((None, 6))
    for data in (np.ones((3, 5)), np.full((3, 6), np.nan), np.ones((0, 6))):
        with pytest.raises(InputError, match="`data` must be finite numbers"):
            layer.adapt(data)
