import sys

import keras
import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler

from kerasrecipes import InputError
from kerasrecipes.data import batches, normalization
from tests.backends import BACKEND, array
from tests.harness import check_save_round_trip

RNG = np.random.default_rng(0)
X = (RNG.normal(size=(500, 4)) * [1, 20, 0.03, 5] + [0, 3, -7, 100]).astype("float32")
SKLEARN = {"standard": StandardScaler, "minmax": MinMaxScaler, "robust": RobustScaler}


@pytest.mark.parametrize("scaling", SKLEARN)
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
def test_equals_scikit_learn(scaling, dtype):
    x = X.astype(dtype)
    fresh = x[:50] + 1
    reference = SKLEARN[scaling]().fit(x.astype("float64"))
    found = array(normalization(x, scaling=scaling)(fresh))
    assert found.dtype == "float32"
    # The bound of the docstring: 1.2e-7 * |x| / scale for each column.
    scale = X.std(axis=0) if scaling != "minmax" else np.ptp(X, axis=0)
    bound = 1e-6 + 3e-7 * abs(fresh).max(axis=0) / (1 if dtype == "int64" else scale)
    assert (abs(found - reference.transform(fresh.astype("float64"))) < bound).all()


def test_statistics_are_those_of_float64_in_any_number_of_chunks(monkeypatch):
    whole = normalization(X)
    module = sys.modules[normalization.__module__]
    monkeypatch.setattr(module, "CHUNK_VALUES", 28)
    parts = normalization(X)
    np.testing.assert_allclose(parts.mean, whole.mean, atol=1e-6)
    np.testing.assert_allclose(parts.variance, whole.variance, rtol=1e-6)
    np.testing.assert_allclose(whole.variance[0], X.astype("float64").var(axis=0), rtol=1e-6)


def test_large_offset_keeps_its_precision_where_stock_adapt_loses_it():
    x = (1e6 + RNG.normal(size=(20_000, 3))).astype("float32")
    exact = StandardScaler().fit_transform(x.astype("float64"))
    stock = keras.layers.Normalization()
    stock.adapt(x)
    assert abs(array(stock(x)) - exact).max() > 1
    assert abs(array(normalization(x)(x)) - exact).max() < 0.12


@pytest.mark.parametrize("scaling", SKLEARN)
@pytest.mark.parametrize("constant", [0.0, 0.1, 1e6, -3e-20])
def test_constant_column_becomes_zero_and_new_values_stay_small(scaling, constant):
    x = np.column_stack([np.full(999, constant), RNG.normal(size=999)])
    layer = normalization(x, scaling=scaling)
    assert (array(layer(x))[:, 0] == 0).all()
    fresh = np.array([[constant + 1, 0.0]])
    np.testing.assert_allclose(array(layer(fresh))[0, 0], 1, atol=0.07)


@pytest.mark.parametrize("scaling", SKLEARN)
@pytest.mark.parametrize("unit", [1e-12, 1e25])
def test_units_beyond_the_stock_layer(scaling, unit, tmp_path):
    x = np.column_stack([unit * (3 + RNG.normal(size=400)), RNG.normal(size=400)])
    exact = SKLEARN[scaling]().fit_transform(x)
    stock = keras.layers.Normalization(mean=x.mean(0), variance=x.var(0))
    with np.errstate(over="ignore"):
        assert not abs(array(stock(x))[:, 0].std() - 1) < 0.5
    layer = normalization(x, scaling=scaling)
    np.testing.assert_allclose(layer(x), exact, atol=1e-5)
    model = keras.Sequential([keras.Input((2,)), layer])
    check_save_round_trip(model, x.astype("float32"), tmp_path, atol=0)


def test_robust_with_mostly_constant_column_uses_scale_one():
    x = np.zeros((100, 1))
    x[:10, 0] = 7
    np.testing.assert_array_equal(normalization(x, scaling="robust")(x), x)


def test_axis():
    x = RNG.normal(size=(6, 5, 4, 3)) * [1, 2, 3]
    channels = array(normalization(x)(x))
    np.testing.assert_allclose(channels.mean((0, 1, 2)), 0, atol=1e-6)
    np.testing.assert_allclose(channels.std((0, 1, 2)), 1, atol=1e-6)
    rows = array(normalization(x, axis=1)(x))
    np.testing.assert_allclose(rows.std((0, 2, 3)), 1, atol=1e-6)
    tiny = array(normalization(x * 1e-12, axis=1)(x * 1e-12))
    np.testing.assert_allclose(tiny, rows, atol=1e-5)
    whole = array(normalization(x, axis=None)(x))
    np.testing.assert_allclose(whole, (x - x.mean()) / x.std(), atol=1e-6)


@pytest.mark.parametrize("policy", ["float32", "mixed_float16"])
def test_saved_model_takes_raw_rows(policy, tmp_path):
    keras.config.set_dtype_policy(policy)
    x = X * np.float32(1e4)
    model = keras.Sequential([keras.Input((4,)), normalization(x), keras.layers.Dense(3)])
    assert np.isfinite(model.predict(x, verbose=0)).all()
    check_save_round_trip(model, x, tmp_path, atol=0)


def test_works_in_a_model_that_is_built_by_fit():
    # Stock `Normalization(mean=..., variance=...)` fails here: its tensors belong to another graph.
    stock = keras.layers.Normalization(mean=X.mean(0), variance=X.var(0))
    for layer, works in ((stock, BACKEND == "torch"), (normalization(X), True)):
        model = keras.Sequential([layer, keras.layers.Dense(1)])
        model.compile("sgd", "mse")
        if works:
            model.fit(batches(X, X[:, 0]), shuffle=False, verbose=0)
        else:
            with pytest.raises(Exception, match="scope"):
                model.fit(batches(X, X[:, 0]), shuffle=False, verbose=0)


def test_rescale_bytes():
    images = RNG.integers(0, 256, size=(3, 4, 4, 3)).astype("uint8")
    layer = normalization(images, scaling="rescale")
    np.testing.assert_allclose(layer(images), images / 255, rtol=1e-6)
    assert isinstance(layer, keras.layers.Rescaling)


def test_frame_and_booleans():
    frame = pd.DataFrame({"a": [1, 2, 3], "b": [True, False, True]})
    reference = StandardScaler().fit_transform(frame.to_numpy("float64"))
    np.testing.assert_allclose(
        normalization(frame)(frame.to_numpy("float32")), reference, atol=1e-6
    )
    flags = frame[["b"]].to_numpy()
    np.testing.assert_allclose(normalization(flags)(flags), reference[:, 1:], atol=1e-6)


NAN = np.array([[1.0, 2.0], [np.nan, 3.0]])


@pytest.mark.parametrize(
    ("x", "arguments", "message"),
    [
        (NAN, {}, r"NaN or infinity in 1 column\(s\): 0"),
        (pd.DataFrame(NAN, columns=["age", "b"]), {}, "'age'"),
        (np.array([[1.0], [np.inf]]), {"scaling": "robust"}, "NaN or infinity"),
        (np.array([[1.0], [1e300]]), {}, "within the range of float32"),
        (np.arange(3.0), {}, r"shape \(n, ...\)"),
        (np.zeros((0, 3)), {}, r"shape \(n, ...\)"),
        (["a", "b"], {}, "`x` must be numbers"),
        (X, {"scaling": "zscore"}, "`scaling` must be one of"),
        (X, {"axis": 0}, "`axis`"),
        (X, {"axis": 2}, "`axis`"),
        (X, {"axis": True}, "`axis`"),
        (X - 200, {"scaling": "rescale"}, "within 0 to 255"),
        (X[:, :1] * 0 + 0.5, {"scaling": "rescale"}, "They are rescaled already"),
        (NAN, {"scaling": "rescale"}, "within 0 to 255"),
        (np.array([[0.0], [1e-40]]), {}, "in units that give a scale"),
    ],
)
def test_bad_input(x, arguments, message):
    with pytest.raises(InputError, match=message):
        normalization(x, **arguments)
