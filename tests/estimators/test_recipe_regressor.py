"""RecipeRegressor: units, outputs, targets and tables."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score

import kerasrecipes as kr
from kerasrecipes.estimators import RecipeRegressor

X, Y = load_diabetes(return_X_y=True)


def linear(**arguments):
    """A linear model, the cheapest that learns something."""
    known = {"hidden": (), "learning_rate": 0.03, "epochs": 4, "batch_size": 16, "seed": 0}
    known["validation"] = None
    return RecipeRegressor("mlp", **{**known, **arguments})


@pytest.fixture(scope="module")
def fitted():
    return linear().fit(X, Y)


def test_a_linear_network_comes_close_to_least_squares(fitted):
    assert fitted.predict(X).shape == (442,)
    by_keras = fitted.model_.predict(X, verbose=0)[:, 0]
    np.testing.assert_allclose(fitted.predict(X), by_keras, rtol=1e-5)
    assert fitted.score(X, Y) == r2_score(Y, fitted.predict(X))
    assert fitted.score(X, Y) > LinearRegression().fit(X, Y).score(X, Y) - 0.05


def test_the_unit_of_the_labels_does_not_matter(fitted):
    other = linear().fit(X, 1000.0 * Y - 5.0)
    np.testing.assert_allclose((other.predict(X) + 5.0) / 1000.0, fitted.predict(X), rtol=1e-3)


def test_several_outputs_and_columns():
    both = np.stack([Y, -Y], axis=1)
    assert linear().fit(X, both).score(X, both) > 0.4
    column = linear(epochs=1).fit(X, Y[:, None])
    assert column.predict(X).shape == (442, 1)


def test_tables_with_gaps_and_categories():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"area": rng.uniform(20, 200, 200), "town": rng.choice(["a", "b"], 200)})
    price = table["area"] * np.where(table["town"] == "a", 2.0, 4.0)
    table.loc[::9, "area"] = None
    found = RecipeRegressor(form="mlp", hidden=(16,), learning_rate=0.05, epochs=6, seed=0)
    found.set_params(batch_size=8).fit(table, price)
    assert found.recipe_ == "tabular"
    assert found.score(table, price) > 0.7
    loaded = pickle.loads(pickle.dumps(found))
    np.testing.assert_array_equal(loaded.predict(table), found.predict(table))


def test_inside_a_transformed_target():
    found = TransformedTargetRegressor(linear(), func=np.log, inverse_func=np.exp).fit(X, Y)
    assert found.score(X, Y) > 0.3


@pytest.mark.parametrize(
    ("target", "name"),
    [
        ("count", "count"),
        ({"kind": "bounded_regression", "low": 0, "high": 400}, "bounded_regression"),
        (kr.targets.Regression(robust=True), "regression"),
    ],
)
def test_the_target_is_an_argument(target, name):
    found = linear(target=target, epochs=1).fit(X, Y)
    assert found.model_.target.name == name
    assert name == "regression" or found.predict(X).min() >= 0
    assert found.model_.target.get_config().get("robust", True)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("binary", "Classes are for `RecipeClassifier`"),
        (kr.targets.Multiclass(3), "Classes are for `RecipeClassifier`"),
        ("cuont", "Did you mean"),
        (3, "a target, its name, or a dict"),
        ({"low": 0}, "a dict with its name as 'kind'"),
    ],
)
def test_other_targets_are_refused(target, message):
    with pytest.raises(kr.InputError, match=message):
        linear(target=target).fit(X, Y)


def test_names_are_no_numbers():
    with pytest.raises(ValueError, match="must hold numbers"):
        linear().fit(X, np.where(Y > 100, "high", "low"))


def test_weights_decide_whom_the_fit_follows():
    low = np.where(Y < np.median(Y), 1.0, 0.01)
    low, high = (linear().fit(X, Y, sample_weight=w).predict(X).mean() for w in (low, 1.01 - low))
    assert low < high - 20
