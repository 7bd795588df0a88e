import keras
import numpy as np
import pytest
from keras import ops

from kerasrecipes._checks import InputError
from kerasrecipes.layers import WeightStandardization
from tests.backends import WIDEST, array, assert_close, gradients
from tests.harness import numeric_gradient

RNG = np.random.default_rng(0)
X = RNG.normal(size=(2, 8, 8, 4))


def wrap(layer):
    return WeightStandardization(layer, dtype=WIDEST)


@pytest.mark.parametrize(
    ("layer", "axes"),
    [
        (keras.layers.Dense(5), (0,)),
        (keras.layers.Conv2D(6, 3, groups=2, padding="same"), (0, 1, 2)),
        (keras.layers.Conv2DTranspose(6, 3), (0, 1, 3)),
        (keras.layers.DepthwiseConv2D(3, depth_multiplier=2), (0, 1)),
    ],
)
def test_equals_the_layer_with_a_standardised_kernel(layer, axes):
    wrapped = wrap(layer)
    y = array(wrapped(X))
    plain = type(layer).from_config(layer.get_config())
    plain.build(X.shape)
    kernel = array(layer.kernel)
    standard = (kernel - kernel.mean(axes, keepdims=True)) / kernel.std(axes, keepdims=True)
    plain.set_weights([standard, *layer.get_weights()[1:]])
    assert_close(y, plain(X), atol=1e-6)
    np.testing.assert_array_equal(array(layer.kernel), kernel)
    assert wrapped.compute_output_shape(X.shape) == y.shape


def test_gradient_goes_through_the_standardisation():
    layer = wrap(keras.layers.Dense(2, use_bias=False))
    x = RNG.normal(size=(3, 4))
    layer(x)
    kernel = array(layer.layer.kernel)

    def loss(w):
        standard = (w - w.mean(0)) / np.sqrt(w.var(0) + 1e-10)
        return (np.tanh(x @ standard)).sum()

    (gradient,) = gradients(lambda: ops.sum(ops.tanh(layer(x))), [layer.layer.kernel])
    assert_close(gradient, numeric_gradient(loss, kernel), atol=1e-6)
    assert_close(np.sum(gradient, 0), 0, atol=1e-12)


def test_shift_and_scale_of_the_kernel_change_nothing():
    layer = wrap(keras.layers.Conv2D(3, 3))
    before = array(layer(X))
    layer.layer.kernel.assign(7 * layer.layer.kernel + 2)
    assert_close(layer(X), before, atol=1e-6)


def test_a_dtype_given_is_the_layers_too():
    inner = keras.layers.Dense(2)
    assert WeightStandardization(inner, dtype="float64").layer.dtype_policy.name == "float64"
    inner = keras.layers.Dense(2, dtype="float64")
    assert WeightStandardization(inner).dtype_policy.name == "float64"


def test_errors():
    with pytest.raises(InputError, match="`layer` must be a Dense, Conv"):
        WeightStandardization(keras.layers.BatchNormalization())
    with pytest.raises(InputError, match="`epsilon` must be a number > 0"):
        WeightStandardization(keras.layers.Dense(2), epsilon=0)
    with pytest.raises(InputError, match="more than one weight per output channel"):
        WeightStandardization(keras.layers.Conv2D(3, 1)).build((None, 4, 4, 1))
