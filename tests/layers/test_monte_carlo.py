import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasrecipes._checks import InputError
from kerasrecipes.layers import DenseBlock, StochasticDepth, monte_carlo, monte_carlo_predict
from tests.backends import array, assert_close

RNG = np.random.default_rng(0)
X = RNG.normal(size=(20, 6)).astype("float32")


def dropout_regression(rate=0.4):
    inputs = keras.Input((6,))
    x = keras.layers.Dropout(rate, seed=0)(inputs)
    return keras.Model(inputs, keras.layers.Dense(1)(x))


def test_mean_and_spread_equal_the_closed_form():
    model, rate, passes = dropout_regression(), 0.4, 3000
    result = monte_carlo_predict(model, X, passes=passes, seed=0)
    kernel = array(model.layers[-1].kernel).astype("float64")
    variance = rate / (1 - rate) * (X.astype("float64") ** 2 @ kernel**2)
    assert result.passes == passes
    error = np.sqrt(variance / passes)
    assert (abs(result.mean - X @ kernel) < 4.5 * error).all()
    assert_close(result.standard_deviation, np.sqrt(variance), rtol=0.1)


def test_moments_are_those_of_the_passes():
    model = dropout_regression()
    two, three = (
        monte_carlo_predict(model, X, passes=n, batch_size=len(X), seed=5) for n in (2, 3)
    )
    # The two passes are known up to their order from their mean and spread.
    half = two.standard_deviation / np.sqrt(2)
    third = 3 * three.mean - 2 * two.mean
    expected = np.stack([two.mean + half, two.mean - half, third]).std(0, ddof=1)
    assert_close(three.standard_deviation, expected, atol=1e-6)


def test_batch_normalisation_stays_in_inference_mode():
    model = keras.Sequential([keras.Input((6,)), DenseBlock(8, dropout=0.5, seed=0)])
    block = model.layers[0]
    block.norm.moving_mean.assign(RNG.normal(size=8))
    moving = [array(block.norm.moving_mean), array(block.norm.moving_variance)]
    plain = model.predict(X, verbose=0)
    result = monte_carlo_predict(model, X, passes=300, seed=0)
    assert_close(result.mean, plain, atol=0.25 * plain.max())
    assert (result.standard_deviation[plain > 0] > 0).all()
    for a, b in zip(moving, (block.norm.moving_mean, block.norm.moving_variance), strict=True):
        np.testing.assert_array_equal(a, array(b))


def test_the_model_is_left_as_it_was():
    model = dropout_regression()
    model.compile("sgd", "mse")
    plain = model.predict(X, verbose=0)
    states = [array(v) for v in model.non_trainable_variables]
    monte_carlo_predict(model, X, passes=3)
    np.testing.assert_array_equal(model.predict(X, verbose=0), plain)
    for before, after in zip(states, model.non_trainable_variables, strict=True):
        np.testing.assert_array_equal(before, array(after))
    assert all("call" not in vars(layer) for layer in model.layers)


def test_datasets_and_large_arrays_give_the_same_moments(monkeypatch):
    model = dropout_regression()
    kernel = array(model.layers[-1].kernel).astype("float64")
    error = 4.5 * np.sqrt(0.4 / 0.6 * (X.astype("float64") ** 2 @ kernel**2) / 40)
    data = tf.data.Dataset.from_tensor_slices(X).batch(7)
    streamed = monte_carlo_predict(model, data, passes=40, seed=0)
    assert (abs(streamed.mean - X @ kernel) < error).all()
    monkeypatch.setattr(monte_carlo, "_MOST_ELEMENTS", 3 * X.size + 1)
    pieces = monte_carlo_predict(model, X, passes=40, seed=0)
    assert (abs(pieces.mean - X @ kernel) < error).all()
    assert pieces.passes == 40


def test_seeds():
    model = dropout_regression()
    first, again, other, free, free_again = (
        monte_carlo_predict(model, X, passes=3, seed=seed).mean for seed in (0, 0, 1, None, None)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)
    assert not np.allclose(free, free_again)


def model_of(layer, shape):
    inputs = keras.Input(shape)
    return keras.Model(inputs, layer(inputs))


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (keras.layers.SpatialDropout1D(0.5), (4, 3)),
        (keras.layers.GaussianDropout(0.5), (3,)),
        (keras.layers.AlphaDropout(0.5), (3,)),
        (StochasticDepth(0.5), (3,)),
        (keras.layers.LSTM(3, dropout=0.5), (4, 3)),
        pytest.param(
            keras.layers.Bidirectional(keras.layers.GRU(3, recurrent_dropout=0.5)),
            (4, 3),
            marks=pytest.mark.slow,
        ),
        (keras.layers.RNN([keras.layers.SimpleRNNCell(3, dropout=0.5) for _ in "ab"]), (4, 3)),
        (keras.layers.TimeDistributed(keras.Sequential([keras.layers.Dropout(0.5)])), (4, 3)),
        (lambda x: keras.layers.MultiHeadAttention(2, 3, dropout=0.5)(x, x), (4, 3)),
        (lambda x: keras.layers.Attention(dropout=0.5)([x, x]), (4, 3)),
    ],
)
def test_every_kind_of_dropout_is_on(layer, shape):
    x = RNG.normal(size=(5, *shape)).astype("float32")
    result = monte_carlo_predict(model_of(layer, shape), x, passes=8, seed=0)
    assert (result.standard_deviation > 0).mean() > 0.5


def test_other_random_layers_stay_off():
    inputs = keras.Input((6,))
    noisy = keras.layers.GaussianNoise(1.0)(inputs)
    model = keras.Model(inputs, [keras.layers.Dropout(0.1)(inputs), noisy])
    result = monte_carlo_predict(model, X, passes=3, batch_size=7)
    assert result.standard_deviation[0].max() > 0
    np.testing.assert_array_equal(result.standard_deviation[1], 0)


def test_errors():
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(2), DenseBlock(2)])
    with pytest.raises(InputError, match="has no dropout layer"):
        monte_carlo_predict(model, X)
    with pytest.raises(InputError, match="`passes` must be an integer >= 2"):
        monte_carlo_predict(dropout_regression(), X, passes=1)
