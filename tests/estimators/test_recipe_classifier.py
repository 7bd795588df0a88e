"""RecipeClassifier inside scikit-learn: its tools, its data, its labels, and its files."""

import copy
import pickle

import joblib
import keras
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.utils import compute_sample_weight

import kerasrecipes as kr
from kerasrecipes.estimators import RecipeClassifier
from kerasrecipes.estimators._validation import train_and_validation

X, Y = load_iris(return_X_y=True)
RNG = np.random.default_rng(0)
CHEAP = {
    "hidden": (),
    "optimizer": "sgd",
    "clip_norm": None,
    "learning_rate": 0.1,
    "epochs": 2,
    "batch_size": 8,
    "validation": None,
    "seed": 0,
}


def linear(recipe="mlp", **arguments):
    """A linear model of two epochs on all rows, the cheapest that learns something."""
    return RecipeClassifier(recipe, **{**CHEAP, **arguments})


def mixed_table(rows=200):
    table = pd.DataFrame(
        {
            "size": RNG.normal(size=rows),
            "kind": RNG.choice(["u", "v", "w"], rows),
            "new": RNG.random(rows) < 0.3,
            "grade": pd.Categorical(RNG.choice(["p", "q"], rows)),
        }
    )
    labels = np.where((table["kind"] == "u") | (table["size"] > 1), "yes", "no")
    table.loc[::17, "size"] = np.nan
    table.loc[::19, "kind"] = None
    return table, labels


@pytest.fixture(scope="module")
def fitted():
    return linear().fit(X, Y)


# --- what it predicts


def test_probabilities_are_those_of_the_network(fitted):
    scaled = (X - X.mean(axis=0)) / X.std(axis=0)
    kernel, bias = (keras.ops.convert_to_numpy(w) for w in fitted.model_.trainable_weights)
    powers = np.exp(scaled @ kernel + bias)
    by_hand = powers / powers.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(fitted.predict_proba(X), by_hand, rtol=1e-4)
    by_keras = fitted.model_.predict(X, verbose=0)
    np.testing.assert_allclose(fitted.predict_proba(X), by_keras, rtol=1e-5)
    np.testing.assert_array_equal(fitted.predict(X), by_hand.argmax(axis=1))


def test_few_rows_and_many_are_predicted_alike(fitted):
    many = np.tile(X, (2, 1))
    np.testing.assert_allclose(
        fitted.predict_proba(many)[:150], fitted.predict_proba(X), rtol=1e-5, atol=1e-9
    )


def test_the_best_epoch_on_the_validation_rows_comes_back():
    options = {"learning_rate": 3.0, "epochs": 12, "patience": 3, "validation": 0.2}
    found = linear(**options).fit(X, Y)
    losses = found.history_["val_loss"]
    best = int(np.argmin(losses))
    assert len(losses) == best + 4 < 12
    _, held_out = train_and_validation(len(X), Y, 0.2, 0)
    again = found.model_.evaluate(X[held_out], Y[held_out], verbose=0, return_dict=True)
    assert again["loss"] == pytest.approx(losses[best], rel=1e-5)


def test_without_validation_all_rows_train_for_all_epochs():
    found = linear(epochs=3).fit(X, Y)
    assert len(found.history_["loss"]) == 3
    assert not [name for name in found.history_ if name.startswith("val_")]
    mean = next(layer for layer in found.model_.layers if hasattr(layer, "mean")).mean
    np.testing.assert_allclose(np.ravel(mean), X.mean(axis=0), rtol=1e-5)


def test_the_seed_decides():
    first, again, other = (linear(seed=seed, epochs=1).fit(X, Y) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first.predict_proba(X), again.predict_proba(X))
    assert np.abs(first.predict_proba(X) - other.predict_proba(X)).max() > 0.01


# --- parameters


def test_arguments_of_the_recipe_are_parameters():
    estimator = linear(dropout=0.25)
    assert estimator.get_params()["dropout"] == 0.25
    assert clone(estimator).get_params() == estimator.get_params()
    assert estimator.set_params(dropout=0.5, epochs=7) is estimator
    assert estimator.get_params()["dropout"] == 0.5
    assert estimator.epochs == 7
    assert "dropout=0.5" in repr(estimator)
    assert "dropout" in estimator._repr_html_()


def test_a_shallow_copy_has_parameters_of_its_own():
    estimator = linear(dropout=0.25)
    copy.copy(estimator).set_params(dropout=0.5)
    assert estimator.get_params()["dropout"] == 0.25


def test_a_copy_of_a_fitted_one_holds_keras_objects_that_were_never_trained():
    optimizer = keras.optimizers.SGD(0.05)
    estimator = linear(optimizer=optimizer, learning_rate=None, epochs=1).fit(X, Y)
    assert not optimizer.built
    first = estimator.predict_proba(X)
    np.testing.assert_array_equal(clone(estimator).fit(X, Y).predict_proba(X), first)


def test_unknown_names_are_refused_by_fit():
    estimator = linear().set_params(droput=0.1)
    with pytest.raises(kr.InputError, match="`droput` must be .* Did you mean 'dropout'"):
        estimator.fit(X, Y)
    with pytest.raises(ValueError, match="Invalid parameter 'inner'"):
        linear().set_params(inner__droput=0.1)


def test_nothing_is_predicted_before_the_fit():
    with pytest.raises(NotFittedError):
        linear().predict(X)


# --- scikit-learn's tools


def test_cross_validation():
    scores = cross_val_score(linear(learning_rate=0.3, epochs=4), X, Y, cv=3)
    assert scores.mean() > 0.9


def test_a_search_takes_arguments_of_the_recipe_inside_a_pipeline():
    pipeline = make_pipeline(StandardScaler(), linear())
    grid = {"recipeclassifier__learning_rate": [1e-6, 0.1], "recipeclassifier__epochs": [3]}
    search = GridSearchCV(pipeline, grid, cv=2).fit(X, Y)
    assert search.best_params_["recipeclassifier__learning_rate"] == 0.1
    best = search.best_estimator_[-1]
    assert len(best.history_["loss"]) == 3
    assert best.model_.recipe.arguments["learning_rate"] == 0.1
    assert search.score(X, Y) > 0.8


def test_calibration():
    calibrated = CalibratedClassifierCV(linear(), cv=2, ensemble=False).fit(X, Y)
    assert calibrated.predict_proba(X).shape == (150, 3)
    assert calibrated.score(X, Y) > 0.8


def test_columns_that_scikit_learn_has_encoded():
    table, labels = mixed_table()
    table = table.fillna({"size": 0.0, "kind": "none"})
    columns = make_column_transformer(
        (OneHotEncoder(), ["kind", "grade"]), (StandardScaler(), ["size"]), sparse_threshold=0
    )
    found = make_pipeline(columns, linear(epochs=4)).fit(table, labels)
    assert found.score(table, labels) > 0.8


@pytest.mark.slow
def test_two_processes_find_what_one_finds():
    one, two = (cross_val_score(linear(), X, Y, cv=2, n_jobs=n) for n in (1, 2))
    np.testing.assert_array_equal(one, two)


# --- rows


def test_tables_with_categories_and_gaps_go_in_as_they_are():
    table, labels = mixed_table()
    given = {"form": "mlp", "hidden": (16,), "learning_rate": 0.03, "seed": 0}
    found = RecipeClassifier(epochs=12, batch_size=16, **given).fit(table, labels)
    assert found.recipe_ == "tabular"
    assert found.classes_.tolist() == ["no", "yes"]
    assert found.feature_names_in_.tolist() == list(table.columns)
    assert found.score(table, labels) > 0.9
    unknown = table.head(3).assign(kind="never seen", size=None)
    assert np.isfinite(found.predict_proba(unknown)).all()
    with pytest.raises(ValueError, match="same order"):
        found.predict(table[["kind", "size", "new", "grade"]])


def test_a_matrix_stands_for_the_columns_of_a_table():
    table = pd.DataFrame(X, columns=["a", "b", "c", "d"])
    found = RecipeClassifier(form="mlp", hidden=(), epochs=1, seed=0).fit(table, Y)
    expected = found.predict_proba(table)
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        np.testing.assert_array_equal(found.predict_proba(X), expected)
    found.fit(X, Y)
    assert not hasattr(found, "feature_names_in_")
    with pytest.warns(UserWarning, match="was fitted without feature names"):
        np.testing.assert_array_equal(found.predict_proba(table), found.predict_proba(X))


def test_images():
    images = RNG.integers(0, 255, (40, 8, 8)).astype("uint8")
    found = RecipeClassifier(filters=(4,), epochs=1, seed=0).fit(images, np.arange(40) % 3)
    assert found.recipe_ == "cnn"
    assert found.predict(images[:5]).shape == (5,)
    with pytest.raises(kr.InputError, match=r"rows of shape \(8, 8\)"):
        found.predict(np.zeros((2, 8, 9), "uint8"))


def test_texts():
    texts = ["a fine film", "a dull film", "fine music", "dull story"] * 10
    found = linear("auto", epochs=4, dropout=0.0, learning_rate=0.5)
    found.n_features_in_ = 4  # of a fit before this one
    found.fit(texts, ["good", "bad"] * 20)
    assert found.recipe_ == "text"
    assert not hasattr(found, "n_features_in_")
    assert found.predict(pd.Series(["what a fine story", "dull"])).tolist() == ["good", "bad"]


def test_a_trained_backbone_is_an_argument():
    images = RNG.normal(size=(30, 6, 6, 1)).astype("float32")
    backbone = kr.recipes.cnn((6, 6, 1), kr.targets.Multiclass(4), filters=(4,), seed=0)
    before = backbone.get_weights()
    options = {"backbone": backbone, "groups": 1, "epochs": 1, "seed": 0}
    found = RecipeClassifier("fine_tune", **options).fit(images, np.arange(30) % 2)
    assert found.predict_proba(images).shape == (30, 2)
    for a, b in zip(before, backbone.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_five_rows_will_do():
    some = [0, 1, 60, 61, 120]
    found = linear(epochs=1, validation=0.4).fit(X[some], Y[some])
    assert "val_loss" in found.history_
    assert found.predict_proba(X).shape == (150, 3)


# --- labels and weights


@pytest.mark.parametrize("names", [["a", "b", "c"], [-5, 3, 40], [2.0, 1.0, 7.0]])
def test_labels_of_any_kind(names):
    labels = np.array(names)[Y]
    found = linear().fit(X, labels)
    assert found.classes_.tolist() == sorted(names)
    assert found.score(X, labels) > 0.8
    assert found.predict(X).dtype == labels.dtype


def test_a_matrix_of_labels():
    several = np.stack([Y == 0, Y == 2], axis=1).astype(int)
    found = linear(epochs=4).fit(X, several)
    assert found.predict_proba(X).shape == (150, 2)
    assert found.score(X, several) > 0.8
    assert found.model_.target.name == "multilabel"


def test_class_weights_are_sample_weights():
    some = np.r_[0:60, 100:110]
    x, y = X[some], np.where(Y[some] == 0, "often", "rare")
    weighted = linear(class_weight="balanced", epochs=1).fit(x, y)
    by_hand = linear(epochs=1).fit(x, y, sample_weight=compute_sample_weight("balanced", y))
    plain = linear(epochs=1).fit(x, y)
    np.testing.assert_array_equal(weighted.predict_proba(X), by_hand.predict_proba(X))
    p, q = (each.predict_proba(X)[:, 1].mean() for each in (weighted, plain))
    assert p > q + 0.01


def test_rows_of_weight_zero_are_not_there_and_the_scale_of_weights_does_not_matter():
    weight = np.where(np.arange(150) % 3, 2.0, 0.0)
    kept = weight > 0
    some = linear(epochs=1).fit(X[kept], Y[kept])
    for scale in (1.0, 1000.0):
        weighted = linear(epochs=1).fit(X, Y, sample_weight=scale * weight)
        np.testing.assert_allclose(weighted.predict_proba(X), some.predict_proba(X), rtol=1e-5)


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (np.zeros(150), "not all zero"),
        (-np.ones(150), "numbers >= 0"),
        (np.ones(149), "shape"),
        (np.full(150, np.nan), "NaN"),
        ((Y == 1).astype(float), "one class, 1"),
    ],
)
def test_other_weights_are_refused(weight, message):
    with pytest.raises(ValueError, match=message):
        linear().fit(X, Y, sample_weight=weight)


# --- files


@pytest.mark.parametrize("how", ["pickle", "joblib", "deepcopy"])
def test_a_copy_predicts_the_same_and_can_be_fitted_again(fitted, how, tmp_path):
    if how == "joblib":
        joblib.dump(fitted, tmp_path / "classifier.joblib")
        loaded = joblib.load(tmp_path / "classifier.joblib")
    else:
        loaded = copy.deepcopy(fitted) if how == "deepcopy" else pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(loaded.predict_proba(X), fitted.predict_proba(X))
    assert loaded.history_ == fitted.history_
    assert loaded.get_params() == fitted.get_params()
    assert loaded.model_.evaluate(X, Y, verbose=0) == fitted.model_.evaluate(X, Y, verbose=0)
    if how == "pickle":
        np.testing.assert_array_equal(loaded.fit(X, Y).predict_proba(X), fitted.predict_proba(X))


def test_one_that_was_never_fitted_can_be_pickled():
    loaded = pickle.loads(pickle.dumps(linear(dropout=0.25)))
    assert loaded.get_params() == linear(dropout=0.25).get_params()
