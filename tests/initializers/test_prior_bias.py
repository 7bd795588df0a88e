"""Output biases that predict the class prior."""

import keras
import numpy as np
import pytest
from scipy import special, stats

import kerasrecipes as kr
from kerasrecipes.initializers import PriorBias
from tests.backends import WIDEST, array, assert_close
from tests.harness import check_config_round_trip, check_mixed_precision, check_save_round_trip


def values(initializer, units):
    return array(initializer((units,), WIDEST))


@pytest.mark.parametrize("prior", [1e-4, 0.2, 0.5, 0.999])
def test_binary_is_the_log_odds(prior):
    bias = values(PriorBias(prior, "sigmoid"), 1)
    assert_close(bias, special.logit([prior]), rtol=1e-12)
    assert_close(special.expit(bias), prior, rtol=1e-12)


def test_multilabel_is_the_log_odds_of_each():
    p = [0.9, 0.5, 0.01]
    assert_close(values(PriorBias(p, "sigmoid"), 3), special.logit(p), rtol=1e-12)


def test_multiclass_is_the_log_prior():
    p = [0.7, 0.2, 0.1]
    bias = values(PriorBias(p, "softmax"), 3)
    assert_close(special.softmax(bias), p, rtol=1e-12)


def test_one_number_serves_all_units():
    assert_close(values(PriorBias(0.2, "sigmoid"), 3), special.logit([0.2] * 3))


def test_predicts_what_the_biases_of_the_targets_predict():
    y = np.array([0, 0, 0, 1, 2, 2])
    softmax = PriorBias.from_counts(np.bincount(y))
    adapted = kr.targets.Multiclass(3).adapt(y).prior_bias()
    predicted = special.softmax(values(softmax, 3))
    assert_close(predicted, special.softmax(adapted), rtol=1e-12)
    sigmoid = PriorBias.from_counts([2], examples=6)
    adapted = kr.targets.Binary().adapt(y == 2).prior_bias()
    assert_close(values(sigmoid, 1), adapted, rtol=1e-12)


def test_the_first_loss_is_the_entropy_of_the_classes():
    rng = np.random.default_rng(0)
    y = rng.choice(3, size=3000, p=[0.9, 0.08, 0.02])
    x = rng.normal(size=(3000, 4)).astype("float32")
    inputs = keras.Input((4,))
    head = keras.layers.Dense(
        3,
        "softmax",
        kernel_initializer=keras.initializers.RandomNormal(stddev=1e-3, seed=0),
        bias_initializer=PriorBias.from_counts(np.bincount(y)),
    )
    model = keras.Model(inputs, head(inputs))
    model.compile(keras.optimizers.SGD(0.01), "sparse_categorical_crossentropy")
    entropy = stats.entropy(np.bincount(y) / len(y))
    assert model.evaluate(x, y, verbose=0) == pytest.approx(entropy, rel=1e-2)
    model.fit(x, y, epochs=1, verbose=0)
    assert model.evaluate(x, y, verbose=0) < 1.05 * entropy


def test_round_trip_and_save(tmp_path):
    check_config_round_trip(PriorBias(0.3, "sigmoid"))
    initializer = check_config_round_trip(PriorBias([0.7, 0.2, 0.1], "softmax"))
    layer = keras.layers.Dense(3, bias_initializer=initializer)
    x = np.ones((4, 2), "float32")
    check_mixed_precision(layer, x)
    inputs = keras.Input((2,))
    check_save_round_trip(keras.Model(inputs, layer(inputs)), x, tmp_path)


def test_dtype_of_the_weights():
    for dtype in ("float16", "float32", WIDEST):
        bias = PriorBias(0.3, "sigmoid")((1,), dtype)
        assert keras.backend.standardize_dtype(bias.dtype) == dtype
    assert keras.backend.standardize_dtype(PriorBias(0.3, "sigmoid")((1,)).dtype) == "float32"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: PriorBias(0.0, "sigmoid"), r"`probabilities`.*in \(0, 1\).*from_counts"),
        (lambda: PriorBias(float("nan"), "sigmoid"), "`probabilities`"),
        (lambda: PriorBias([0.5, 0.4], "softmax"), "`probabilities`.*add up to 1"),
        (lambda: PriorBias([], "softmax"), "`probabilities`"),
        (lambda: PriorBias("many", "softmax"), "`probabilities`"),
        (lambda: PriorBias(0.5, "softmx"), "`activation`.*Did you mean 'softmax'"),
        (lambda: PriorBias([0.5, 0.5], "softmax")((3,)), "`probabilities`.*2 for biases"),
        (lambda: PriorBias.from_counts([3, -1]), "`counts`"),
        (lambda: PriorBias.from_counts([3], examples=2), "`examples`"),
    ],
)
def test_errors(make, message):
    with pytest.raises(kr.InputError, match=message):
        make()
