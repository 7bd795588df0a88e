"""The linear model that `auto` compares with, against scikit-learn on features made by hand."""

import keras
import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits, load_wine
from sklearn.linear_model import LogisticRegression, Ridge

import kerasrecipes as kr
from kerasrecipes.data.examples import Examples
from kerasrecipes.data.split import Pair
from kerasrecipes.runs._baseline import baseline, mean_of
from kerasrecipes.runs.prepare import Rows

RNG = np.random.default_rng(0)
FRAME = pd.DataFrame({"a": RNG.normal(size=200), "city": RNG.choice(list("uvwxyz"), 200)})
VALUE = 100 + 20 * FRAME.a.to_numpy() + 30 * (FRAME.city == "u").to_numpy()


def rows(x, y, target):
    return Rows(Examples(x, y, None, "", ""), target.adapt(y), {"train": Pair(x, y)})


def test_logistic_of_a_table_equals_sklearn():
    x, y = load_wine(return_X_y=True, as_frame=True)
    y = y.to_numpy()
    found = baseline("tabular", rows(x, y, kr.targets.Multiclass(3)), seed=0)
    assert found.name == "logistic regression"
    layer = found.model.get_layer("scaled")
    inputs = np.asarray(layer(x.to_numpy("float32")))
    expected = LogisticRegression(max_iter=1000).fit(inputs, y).predict_proba(inputs)
    np.testing.assert_allclose(found.model.predict(x, verbose=0), expected, atol=1e-3)


def test_logistic_of_two_classes():
    y = (VALUE > 110).astype("int64")
    found = baseline("tabular", rows(FRAME, y, kr.targets.Binary()), seed=0)
    assert found.model.evaluate(FRAME, y, verbose=0, return_dict=True)["accuracy"] > 0.9


def test_ridge_of_a_table_has_the_unit_of_the_labels():
    found = baseline("tabular", rows(FRAME, VALUE, kr.targets.Regression()), seed=0)
    assert found.name == "ridge regression"
    one_hot = pd.get_dummies(FRAME, columns=["city"], dtype=float)
    expected = Ridge().fit(one_hot, VALUE).predict(one_hot)
    p = found.model.predict(FRAME, verbose=0)[:, 0]
    # Outliers are bounded before the model, and only there.
    assert np.median(np.abs(p - expected)) < 1  # of values from 40 to 180
    assert np.corrcoef(p, VALUE)[0, 1] > 0.99


def test_a_class_that_no_training_row_has_is_never_predicted():
    y = (VALUE > 110) * 2
    target = kr.targets.Multiclass(3)
    found = baseline("tabular", rows(FRAME, y, target), seed=0)
    p = found.model.predict(FRAME, verbose=0)
    assert p[:, 1].max() < 1e-6
    assert (p.argmax(1) == y).mean() > 0.9


def test_texts_and_images():
    texts = np.array([f"{'good' if i % 2 else 'bad'} film {i}" for i in range(60)], object)
    y = np.arange(60) % 2
    found = baseline("text", rows(texts, y, kr.targets.Binary()), seed=0)
    assert (found.model.predict(texts, verbose=0)[:, 0].round() == y).all()
    digits = load_digits()
    x, y = digits.images[:300].astype("uint8"), digits.target[:300]
    found = baseline("cnn", rows(x, y, kr.targets.Multiclass(10)), seed=0)
    assert (found.model.predict(x, verbose=0).argmax(1) == y).mean() > 0.97


def test_it_can_be_saved(tmp_path):
    found = baseline("tabular", rows(FRAME, VALUE, kr.targets.Regression()), seed=0)
    found.model.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    np.testing.assert_allclose(
        loaded.predict(FRAME, verbose=0), found.model.predict(FRAME, verbose=0), rtol=1e-5
    )


def test_mean_of_two_models_survives_saving(tmp_path):
    target = kr.targets.Regression().adapt(VALUE)
    found = baseline("tabular", rows(FRAME, VALUE, kr.targets.Regression()), seed=0)
    network = kr.recipes.tabular(FRAME, target, hidden=(4,), members=2, seed=0)
    mean = mean_of([network, found.model], target, "both")
    expected = (network.predict(FRAME, verbose=0) + found.model.predict(FRAME, verbose=0)) / 2
    np.testing.assert_allclose(mean.predict(FRAME, verbose=0), expected, rtol=1e-5)
    mean.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    np.testing.assert_allclose(loaded.predict(FRAME, verbose=0), expected, rtol=1e-5)
    assert loaded.evaluate(FRAME, VALUE, verbose=0, return_dict=True).keys() == {
        *("loss", "mae", "rmse", "r2"),
    }


@pytest.mark.parametrize("target", [kr.targets.Count(), kr.targets.PositiveRegression()])
def test_other_targets_have_none(target):
    y = np.abs(VALUE).round().astype("int64")
    assert baseline("tabular", rows(FRAME, y, target), seed=0) is None
