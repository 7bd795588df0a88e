import numpy as np
import pytest

from kerasrecipes._checks import InputError
from kerasrecipes.layers import SqueezeExcite
from tests.backends import WIDEST, array, assert_close

RNG = np.random.default_rng(0)


def gate(layer, means):
    w1, b1, w2, b2 = (array(weight) for weight in layer.weights)
    return 1 / (1 + np.exp(-(np.maximum(means @ w1 + b1, 0) @ w2 + b2)))


@pytest.mark.parametrize("spatial", [(7,), (5, 6), (3, 4, 2)])
def test_equals_numpy(spatial):
    x = RNG.normal(size=(3, *spatial, 8))
    layer = SqueezeExcite(2, dtype=WIDEST, seed=0)
    y = layer(x)
    means = x.reshape(3, -1, 8).mean(1)
    scale = gate(layer, means).reshape(3, *[1] * len(spatial), 8)
    assert_close(y, x * scale, atol=1e-12)


def test_masked_steps_do_not_count():
    x = RNG.normal(size=(2, 7, 8))
    mask = np.broadcast_to(np.arange(7) < 4, (2, 7))
    layer = SqueezeExcite(2, dtype=WIDEST, seed=0)
    y = array(layer(x, mask=mask))
    assert_close(y[:, :4], layer(x[:, :4]), atol=1e-12)


@pytest.mark.parametrize(("ratio", "minimum", "units"), [(16, 4, 4), (4, 1, 8), (100, 1, 1)])
def test_width_of_the_gate(ratio, minimum, units):
    layer = SqueezeExcite(ratio, minimum=minimum)
    layer.build((None, None, 32))
    assert tuple(layer.squeeze.kernel.shape) == (32, units)


def test_seeds():
    first, again, other = (SqueezeExcite(2, seed=seed) for seed in (0, 0, 1))
    for layer in (first, again, other):
        layer.build((None, None, 16))
    np.testing.assert_array_equal(first.squeeze.kernel, again.squeeze.kernel)
    assert not np.allclose(first.squeeze.kernel, other.squeeze.kernel)
    assert not np.allclose(first.squeeze.kernel, np.transpose(first.excite.kernel))


def test_errors():
    with pytest.raises(InputError, match="`ratio` must be an integer >= 1"):
        SqueezeExcite(0)
    with pytest.raises(InputError, match="`minimum` must be an integer >= 1"):
        SqueezeExcite(4, minimum=0)
