import keras
import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

from kerasrecipes import InputError
from kerasrecipes.data.augment import MixUp
from kerasrecipes.data.augment.batch_step import beta

# Row i of EYE is one-hot, so a mixed row tells its share and its partner.
EYE = np.eye(50, dtype="float32")


def mixed(alpha=1.0, *, seed=0, x=EYE, y=None, **arguments):
    y = np.arange(len(x)) if y is None else y
    return [np.array(part) for part in MixUp(alpha, classes=50, seed=seed)(x, y, **arguments)]


def test_inputs_and_labels_have_the_same_shares():
    x, y = mixed()
    np.testing.assert_allclose(x, y, atol=1e-6)
    np.testing.assert_allclose(x.sum(1), 1, atol=1e-6)
    assert ((x > 0).sum(1) <= 2).all()
    off = x - np.diag(np.diag(x))
    assert ((off > 0).sum(0) <= 1).all()  # a permutation: each row is a partner once


@pytest.mark.parametrize("alpha", [0.001, 0.02, 0.2, 1.0, 5.0])
def test_shares_follow_the_beta_distribution(alpha):
    found = np.array(beta(5000, alpha, keras.random.SeedGenerator(0)), "float64")
    assert ((found >= 0) & (found <= 1)).all()
    for level in (1e-6, 0.01, 0.3, 0.5, 0.9):
        expected = scipy.stats.beta(alpha, alpha).cdf(level)
        spread = np.sqrt(expected * (1 - expected) / 5000)
        assert abs((found <= level).mean() - expected) < 5 * spread


def test_plain_keras_underflows_for_a_small_alpha():
    found = np.array(keras.random.beta((5000,), 0.001, 0.001, seed=1))
    assert found.var() < 0.1  # instead of 1 / (4 * 1.002)


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (4, 3, 1), (2, 4, 3, 3)])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "uint8"])
def test_ranks_and_dtypes(shape, dtype):
    x = np.random.default_rng(0).integers(0, 100, (50, *shape)).astype(dtype)
    found, y = mixed(x=x)
    assert found.shape == x.shape
    assert found.dtype == ("float32" if dtype == "uint8" else dtype)
    partner = (y - np.diag(np.diag(y))).argmax(1)
    share = np.diag(y).reshape(-1, *[1] * len(shape))
    expected = share * x + (1 - share) * x[partner]
    np.testing.assert_allclose(found, expected, rtol=2e-3 if dtype == "float16" else 1e-4)


@pytest.mark.parametrize("y_shape", [(50,), (50, 1)])
@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8", "float32"])
def test_class_numbers_of_every_kind(y_shape, dtype):
    _, y = mixed(y=np.arange(50).reshape(y_shape).astype(dtype))
    assert (y.shape, y.dtype) == ((50, 50), "float32")
    np.testing.assert_array_equal(y, mixed()[1])


@pytest.mark.parametrize("classes", [None, 50])
def test_one_hot_rows(classes):
    _, y = MixUp(1.0, classes=classes, seed=0)(EYE, EYE.astype("int32"))
    np.testing.assert_array_equal(y, mixed()[1])


def test_one_number_per_row_is_mixed_as_it_stands():
    values = np.linspace(-1, 1, 50).astype("float32")
    for y in (values, values[:, None]):
        x, found = MixUp(1.0, classes=1, seed=0)(EYE, y)
        assert found.shape == y.shape
        np.testing.assert_allclose(np.array(found).ravel(), np.array(x) @ values, atol=1e-6)


def test_weighted_loss_is_the_mixture_of_the_weighted_losses():
    rng = np.random.default_rng(0)
    weight = rng.uniform(size=50) * (rng.uniform(size=50) > 0.3)
    x, y, w = mixed(sample_weight=weight)
    partner = (x - np.diag(np.diag(x))).argmax(1)
    share = np.diag(x).astype("float64")
    logs = np.log(rng.dirichlet(np.ones(50), 50))
    rows = np.arange(50)
    own, other = logs[rows, rows], logs[rows, partner]
    expected = share * weight * own + (1 - share) * weight[partner] * other
    np.testing.assert_allclose(w * (y * logs).sum(1), expected, atol=1e-5)
    np.testing.assert_allclose(w, share * weight + (1 - share) * weight[partner], atol=1e-6)
    np.testing.assert_allclose(y.sum(1), 1, atol=1e-5)


def test_equal_weights_change_nothing():
    x, y, w = mixed(sample_weight=np.full(50, 3.0))
    np.testing.assert_allclose(y, mixed()[1], atol=1e-6)
    np.testing.assert_allclose(w, 3, rtol=1e-6)


@pytest.mark.parametrize("alpha", [0, -1.0, float("inf"), "0.2", None])
def test_bad_alpha(alpha):
    with pytest.raises(InputError, match="`alpha`"):
        MixUp(alpha)


@pytest.mark.parametrize("classes", [0, 1.5, "ten"])
def test_bad_classes(classes):
    with pytest.raises(InputError, match="`classes`"):
        MixUp(classes=classes)


@pytest.mark.parametrize(
    ("x", "y", "weight", "classes", "name"),
    [
        (EYE, None, None, 50, "y"),
        (EYE, {"a": EYE}, None, 50, "y"),
        (EYE, np.arange(50), None, None, "y"),
        (EYE, np.arange(50)[:, None], None, None, "y"),
        (EYE, EYE, None, 49, "y"),
        (EYE, np.zeros((50, 2, 2)), None, 2, "y"),
        (EYE, np.array(["a"] * 50), None, 2, "y"),
        (EYE, np.arange(50), EYE, 50, "sample_weight"),
        (EYE.astype("int32"), np.arange(50), None, 50, "x"),
        (np.array(["a"] * 50), np.arange(50), None, 50, "x"),
        ({"a": EYE}, np.arange(50), None, 50, "x"),
    ],
)
def test_batches_that_do_not_fit(x, y, weight, classes, name):
    with pytest.raises(InputError, match=f"`{name}`"):
        MixUp(classes=classes)(x, y, weight)


@pytest.mark.parametrize(("label", "word"), [(-1, "from 0"), (3, "from 0 to 2"), (0.5, "whole")])
@pytest.mark.parametrize("traced", [False, True])
def test_class_numbers_out_of_range(label, word, traced):
    step = MixUp(classes=3)
    step = tf.function(step) if traced else step
    with pytest.raises(tf.errors.InvalidArgumentError, match=word):
        step(tf.constant(EYE[:2]), tf.constant([0, label], "float32"))
