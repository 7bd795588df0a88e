"""Each check of the data fires on data made wrong in just that way, and nothing else does."""

import keras
import numpy as np
import pytest

import kerasrecipes as kr
from tests.sanity.cases import VALUES, VV, XV, YV, X, Y, binary, check, fired, network, values


def changed(x, column, new):
    x = x.copy()
    x[:, column] = new
    return x


def test_sound_data_and_models_are_silent():
    for model, y, yv in (
        (network(), Y, YV),
        (values(), VALUES, VV),
        (binary(), Y > 0, YV > 0),
    ):
        report = check(model, y=y, validation=(XV, yv))
        assert fired(report) == {}
        assert report.passed


def test_nan_and_infinite_features():
    for value in (np.nan, np.inf):
        x = X.copy()
        x[7, 2] = value
        found = check(network(), x, only=["finite_features"])["finite_features"]
        assert (found.status, found.seen, found.high) == ("fail", 1, 0)
        assert "1 training rows, row 7 first" in found.note
    x = XV.copy()
    x[:3, 1] = np.nan
    found = check(network(), validation=(x, YV), only=["finite_features"])["finite_features"]
    assert found.status == "fail"
    assert "3 validation rows, row 0 first" in found.note


def test_a_relu_that_hides_nan_does_not_take_gaps():
    """On a CPU ReLU(NaN) is 0: the prediction is finite, the gradient is not."""
    x = X.copy()
    x[7, 2] = np.nan
    layers = [keras.Input(X.shape[1:]), keras.layers.Dense(8, activation="relu")]
    model = keras.Sequential([*layers, keras.layers.Dense(3, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    found = check(model, x, only=["finite_features"])["finite_features"]
    assert (found.status, found.seen) == ("fail", 1)


def test_gaps_that_the_model_takes_are_none():
    x = X.copy()
    x[::9, 2] = np.nan
    model = kr.recipes.tabular(x, kr.targets.Multiclass(3).adapt(Y), form="mlp", hidden=(8,))
    report = check(model, x)
    assert report["finite_features"].status == "pass"
    assert "rows with gaps, which the model takes" in report["finite_features"].note
    assert fired(report) == {}


def test_unscaled_features():
    one = check(network(), changed(X, 3, X[:, 3] * 1000))
    assert fired(one)["feature_scale"] == "fail"
    assert "column 3" in one["feature_scale"].note
    assert one["feature_scale"].seen == pytest.approx(1000, rel=0.2)
    shifted = check(network(), X + 8, only=["feature_scale"])
    assert fired(shifted) == {"feature_scale": "warn"}
    tiny = check(network(), X * 1e-4, only=["feature_scale"])
    assert fired(tiny) == {"feature_scale": "fail"}
    assert "below 0.001" in tiny["feature_scale"].note


def test_a_scaling_layer_in_the_model_counts():
    x = X * 1000 + 5000
    for scale in (kr.data.normalization(x), kr.data.normalization(x, scaling="minmax")):
        report = check(network(scale, 16, 16), x, validation=(XV * 1000 + 5000, YV))
        assert fired(report) == {}
    late = network(keras.layers.Dropout(0.2), 16, keras.layers.BatchNormalization())
    assert fired(check(late, x, only=["feature_scale"])) == {"feature_scale": "fail"}


def test_images_and_recurrent_inputs_are_looked_at():
    images = np.repeat(X[:, :4].reshape(-1, 2, 2, 1), 2, axis=3) * 255
    layers = [keras.layers.Conv2D(4, 2, activation="relu"), keras.layers.Flatten()]
    model = network(*layers, shape=(2, 2, 2))
    assert fired(check(model, images, validation=None, only=["feature_scale"]))
    model = network(keras.layers.LSTM(4), shape=(2, 3))
    sequences = X.reshape(-1, 2, 3)
    for x, expected in ((sequences, {}), (sequences * 200, {"feature_scale": "fail"})):
        assert fired(check(model, x, validation=None, only=["feature_scale"])) == expected


@pytest.mark.parametrize("value", [0.0, 5.0])
def test_constant_feature(value):
    report = check(network(), changed(X, 4, value), validation=(changed(XV, 4, value), YV))
    assert fired(report) == {"constant_features": "warn"}
    assert report["constant_features"].note == "column 4."


def test_background_of_pixels_is_no_constant_feature():
    pixels = np.maximum(X, 0)
    pixels[:, 0] = 0
    assert fired(check(network(), pixels, only=["constant_features"])) == {}
    pixels[:, 0] = 0.5
    assert fired(check(network(), pixels, only=["constant_features"]))


@pytest.mark.parametrize("factor", [1.0, -2.0])
def test_duplicate_feature(factor):
    report = check(network(), changed(X, 5, factor * X[:, 1] + 1), validation=None)
    assert fired(report) == {"duplicate_features": "warn", "validation_set": "warn"}
    assert "column 1 = column 5" in report["duplicate_features"].note


def test_nearly_equal_features_are_not_duplicates():
    near = X[:, 1] + 1e-2 * X[:, 0]
    assert fired(check(network(), changed(X, 5, near), only=["duplicate_features"])) == {}


@pytest.mark.parametrize(
    ("model", "y", "says"),
    [
        (network, Y + 1, "3 is not in 0 to 2"),
        (network, Y - 1, "-1 is not in 0 to 2"),
        (binary, np.where(Y > 0, 1, -1), "-1 is not in 0 to 1"),
        (values, np.where(np.arange(180) == 3, np.nan, VALUES), "1 are NaN"),
        (lambda: values(activation="sigmoid"), VALUES, "is not in"),
        (lambda: values(activation="tanh"), VALUES * 3, "is not in"),
        (lambda: values(activation="softplus"), VALUES, "is not in 0 to inf"),
    ],
    ids=["from 1", "from -1", "plus minus one", "gap", "sigmoid", "tanh", "softplus"],
)
def test_labels_out_of_range(model, y, says):
    report = check(model(), y=y, validation=None)
    assert report["label_range"].status == "fail"
    assert says in report["label_range"].note
    # With such labels nothing is computed, or the loss tells too.
    assert set(fired(report)) <= {"label_range", "validation_set", "forward", "first_loss"}


def test_labels_that_a_target_refuses():
    model = kr.recipes.mlp((6,), kr.targets.Multiclass(3), hidden=(8,))
    report = check(model, y=Y + 1, validation=(XV, YV + 1), skip=())
    assert fired(report) == {"label_range": "fail"}
    assert "`y` must hold class numbers from 0 to 2" in report["label_range"].note
    assert report["forward"].note == "the labels are wrong: see label_range"


def test_labels_within_a_scaled_output():
    target = kr.targets.BoundedRegression(-10, 10)
    model = kr.recipes.mlp((6,), target, hidden=(8,))
    y = np.clip(VALUES, -10, 10)
    assert fired(check(model, y=y, validation=None, only=["label_range"])) == {}


def test_missing_class():
    few = Y > 0
    report = check(network(), X[few], Y[few])
    assert fired(report) == {"missing_classes": "fail"}
    assert report["missing_classes"].note == "Not in training: class 0."
    only = YV < 2
    report = check(network(), validation=(XV[only], YV[only]))
    assert fired(report) == {"missing_classes": "warn"}
    assert report["missing_classes"].note == "Not in validation: class 2."


def test_missing_class_has_its_name():
    target = kr.targets.Multiclass(["low", "middle", "high"])
    model = kr.recipes.mlp((6,), target, hidden=(8,))
    names = np.array(["low", "high"])[(Y > 0).astype(int)]
    report = check(model, y=names, only=["missing_classes"])
    assert "Not in training: class 'middle'" in report["missing_classes"].note


def test_unbalanced_classes():
    keep = (Y > 0) | (np.cumsum(Y == 0) <= 4)
    report = check(network(), X[keep], Y[keep])
    assert fired(report) == {"class_balance": "warn"}
    found = report["class_balance"]
    assert found.seen == pytest.approx(max((Y == 1).sum(), (Y == 2).sum()) / 4)
    assert "class 0 has 4 of" in found.note
    weighted = (X[keep], Y[keep], np.ones(keep.sum()))
    report = kr.sanity.check(network(), weighted, only=["class_balance"])
    assert report["class_balance"].note == "the rows are weighted"


def test_labels_of_several_kinds_are_counted_each():
    y = np.stack([Y > 0, np.arange(len(Y)) < 3], axis=1).astype("float32")
    model = network(output=[keras.layers.Dense(2, "sigmoid")], loss="binary_crossentropy")
    report = check(model, y=y, validation=None, only=["class_balance", "missing_classes"])
    assert fired(report) == {"class_balance": "warn"}
    y[:, 1] = 0
    report = check(model, y=y, validation=None, only=["class_balance", "missing_classes"])
    assert fired(report) == {"missing_classes": "fail"}


def test_no_validation_set():
    report = check(network(), validation=None)
    assert fired(report) == {"validation_set": "warn"}
    assert report["validation_set"].seen == 0
    assert report["shared_rows"].status == "skipped"
    assert fired(check(network(), validation=(XV[:5], YV[:5]), only=["validation_set"]))


def test_rows_shared_between_training_and_validation():
    both = np.concatenate([XV, X[:10]]), np.concatenate([YV, Y[:10]])
    report = check(network(), validation=both)
    assert fired(report) == {"shared_rows": "fail"}
    assert (report["shared_rows"].seen, report["shared_rows"].high) == (10, 1)
    few = np.concatenate([XV, X[:3]]), np.concatenate([YV, Y[:3]])
    assert fired(check(network(), validation=few)) == {"shared_rows": "warn"}
    all_of_them = check(network(), validation=(X, Y), only=["shared_rows"])
    assert all_of_them["shared_rows"].seen == len(X)


def test_rows_that_are_equal_by_chance_are_not_shared():
    coarse, coarse_v = np.round(X[:, :2]), np.round(XV[:, :2])
    model = network(shape=(2,))
    report = check(model, coarse, validation=(coarse_v, YV), only=["shared_rows"])
    assert report["shared_rows"].status == "pass"
    assert report["shared_rows"].seen > 10


def test_a_feature_gives_the_target_away():
    for code in (Y, 7.0 - 3 * Y, np.array([5.0, 1.0, 3.0])[Y]):
        report = check(network(), changed(X, 2, code), only=["leaked_target"])
        assert fired(report) == {"leaked_target": "fail"}
        assert report["leaked_target"].note == "column 2 alone tells the target."
    for leak in (VALUES, np.exp(VALUES), VALUES + 1e-3 * X[:, 0]):
        report = check(
            values(), changed(X, 2, leak), VALUES, validation=None, only=["leaked_target"]
        )
        assert fired(report) == {"leaked_target": "fail"}


def test_a_good_feature_gives_nothing_away():
    noisy = Y + 0.3 * X[:, 3]
    report = check(network(), changed(X, 2, noisy), only=["leaked_target"])
    assert report["leaked_target"].status == "pass"
    assert report["leaked_target"].seen > 0.7
    rare = np.arange(len(X)) < 4
    report = check(binary(), y=rare, validation=None, only=["leaked_target"])
    assert report["leaked_target"].status == "pass"


def test_columns_have_the_names_of_the_table():
    import pandas as pd

    table = pd.DataFrame(X, columns=list("abcdef"))
    table["f"] = 1.0
    report = check(network(), table, only=["constant_features", "leaked_target"])
    assert report["constant_features"].note == "f."


def test_a_text_column_can_give_the_target_away():
    import pandas as pd

    table = pd.DataFrame(X, columns=list("abcdef"))
    table["f"] = np.array(["x", "y", "z"])[Y]
    target = kr.targets.Multiclass(3).adapt(Y)
    model = kr.recipes.tabular(table, target, form="mlp", hidden=(8,))
    report = check(model, table, validation=None, only=["leaked_target"])
    assert report["leaked_target"].note == "f alone tells the target."


def test_what_is_no_table_is_skipped():
    texts = np.array([f"word{i % 7} other" for i in range(180)], object)
    layer = kr.data.vectorization(texts)
    model = kr.recipes.mlp((), kr.targets.Multiclass(3), preprocessing=layer, hidden=(8,))
    report = check(model, texts, validation=None)
    for name in ("constant_features", "duplicate_features", "leaked_target"):
        assert report[name].note == "the inputs are no table of numbers"
    assert report["forward"].status == "pass"
    assert set(fired(report)) <= {"validation_set"}


def test_duplicates_are_found_whatever_the_rounding():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(3000, 6)).astype("float32")
    y = np.digitize(x[:, 0] * x[:, 1], [-0.5, 0.5])
    x[:, 5] = 3.3 * x[:, 1] - 7
    found = check(network(), x, y, validation=None, only=["duplicate_features"])
    assert found["duplicate_features"].seen == 1


def test_labels_that_are_no_whole_numbers():
    report = check(network(), y=Y * 0.75, validation=None, only=["label_range"])
    assert "0.75 is no class" in report["label_range"].note


def test_a_list_is_one_array_for_each_input():
    first, second = keras.Input((3,)), keras.Input((3,))
    both = keras.layers.Concatenate()([first, second])
    hidden = keras.layers.Dense(8, "relu", kernel_initializer="he_normal")(both)
    model = keras.Model([first, second], keras.layers.Dense(3, "softmax")(hidden))
    model.compile("adam", "sparse_categorical_crossentropy")
    report = check(model, [X[:, :3], X[:, 3:]], validation=([XV[:, :3], XV[:, 3:]], YV))
    assert fired(report) == {}
    assert {each.name for each in report.skipped} == {
        "bias_before_norm",
        "numeric_gradients",
        "initializer",
    }
