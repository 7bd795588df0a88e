"""Every target: head, loss, metrics, encoding and guess, against scikit-learn and NumPy."""

import keras
import numpy as np
import pytest
from sklearn import metrics as sk

from kerasrecipes import targets
from kerasrecipes._checks import InputError
from kerasrecipes._export import members
from tests.backends import needs
from tests.harness import check_config_round_trip, check_save_round_trip, representative

RNG = np.random.default_rng(0)
X = RNG.normal(size=(96, 4)).astype("float32")
SCORE = X @ RNG.normal(size=4)
SAMPLES = {
    "Regression": (targets.Regression(), 1e4 + 1e3 * SCORE),
    "PositiveRegression": (targets.PositiveRegression(), 50 * np.exp(SCORE / 4)),
    "BoundedRegression": (targets.BoundedRegression(-5, 5), 5 * np.tanh(SCORE)),
    "Count": (targets.Count(), RNG.poisson(np.exp(1 + SCORE / 4))),
    "Binary": (targets.Binary(), (SCORE > 0.5).astype(int)),
    "Multiclass": (targets.Multiclass(3), np.digitize(SCORE, [-0.5, 1.0])),
    "Multilabel": (targets.Multilabel(2), np.stack([SCORE > 0, X[:, 0] > 1], 1).astype(int)),
}
OTHERS = {
    "RegressionRobust": (targets.Regression(robust=True), SAMPLES["Regression"][1]),
    "RegressionTwo": (targets.Regression(2), np.stack([SCORE, 100 * X[:, 1]], 1)),
    "BoundedTanh": (targets.BoundedRegression(-1, 1), np.tanh(SCORE)),
    "BinaryNames": (targets.Binary(["no", "yes"]), np.where(SCORE > 0, "yes", "no")),
    "MulticlassNames": (
        targets.Multiclass(["a", "b", "c"]),
        np.take(["b", "c", "a"], [0, 1, 2] * 32),
    ),
}
ALL = {**SAMPLES, **OTHERS}


def model_for(target, **dense):
    inputs = keras.Input((4,))
    outputs = keras.layers.Dense(16, activation="relu")(inputs)
    for layer in target.output_layers(**dense):
        outputs = layer(outputs)
    model = keras.Model(inputs, outputs)
    model.compile(keras.optimizers.Adam(0.02), target.loss(), metrics=target.metrics())
    return model


def test_no_target_escapes():
    assert set(members("targets")) == set(SAMPLES)
    assert set(members("losses")) == {"ScaledLoss", "SmoothedCrossentropy"}


@pytest.mark.parametrize("name", ALL)
def test_config_round_trip(name):
    target, y = ALL[name]
    for each in (target, target.adapt(y)):
        clone = check_config_round_trip(each)
        assert clone == each
        assert clone.units == each.units


OFTEN = "Regression", "Count", "Binary", "Multiclass", "Multilabel"


@pytest.mark.parametrize("name", representative(ALL, *OFTEN))
def test_learns_and_survives_saving(name, tmp_path):
    target, raw = ALL[name]
    target, y = target.adapt(raw), target.encode(raw)
    model = model_for(target)
    first = model.evaluate(X, y, verbose=0, return_dict=True)
    model.fit(X, y, epochs=15, batch_size=16, verbose=0)
    assert model.evaluate(X, y, verbose=0, return_dict=True)["loss"] < first["loss"]
    loaded = check_save_round_trip(model, X, tmp_path, atol=1e-4)
    after = loaded.evaluate(X, y, verbose=0, return_dict=True)
    assert after == pytest.approx(model.evaluate(X, y, verbose=0, return_dict=True), rel=1e-5)


@pytest.mark.parametrize("name", ALL)
def test_untrained_adapted_model_makes_the_random_guess(name):
    target, raw = ALL[name]
    target, y = target.adapt(raw), target.encode(raw)
    model = model_for(target, kernel_initializer="zeros")
    loss = model.evaluate(X, y, verbose=0, return_dict=True)["loss"]
    assert loss == pytest.approx(target.random_guess_loss(raw), rel=2e-2)


def test_random_guess_in_closed_form():
    assert targets.Multiclass(7).random_guess_loss() == pytest.approx(np.log(7))
    assert targets.Multilabel(3).random_guess_loss() == pytest.approx(np.log(2))
    y = RNG.integers(0, 3, 50)
    expected = sk.log_loss(y, np.tile(np.bincount(y) / 50, (50, 1)), labels=[0, 1, 2])
    assert targets.Multiclass(3).random_guess_loss(y) == pytest.approx(expected)
    values = RNG.normal(3, 2, 50)
    assert targets.Regression().random_guess_loss(values) == pytest.approx(values.var(), rel=1e-5)
    counts = RNG.poisson(4, 50)
    mean = counts.mean()
    assert targets.Count().random_guess_loss(counts) == pytest.approx(
        float(np.mean(mean - counts * np.log(mean))), rel=1e-5
    )
    with pytest.raises(InputError, match="`y`"):
        targets.Regression().random_guess_loss()


def test_metrics_agree_with_scikit_learn():
    for name, compare in {
        "Regression": {"mae": sk.mean_absolute_error, "r2": sk.r2_score},
        "Binary": {"accuracy": lambda y, p: sk.accuracy_score(y, p > 0.5), "loss": sk.log_loss},
        "Multiclass": {"accuracy": lambda y, p: sk.accuracy_score(y, p.argmax(1))},
    }.items():
        target, raw = SAMPLES[name]
        target, y = target.adapt(raw), target.encode(raw)
        model = model_for(target)
        model.fit(X, y, epochs=5, verbose=0)
        seen = model.evaluate(X, y, verbose=0, return_dict=True)
        p = model.predict(X, verbose=0).astype("float64")
        p = p[:, 0] if p.shape[1] == 1 else p
        for metric, function in compare.items():
            assert seen[metric] == pytest.approx(function(y, p), rel=1e-4), (name, metric)


@needs("tensorflow", "Keras looks for the logits behind a sigmoid or softmax nowhere else")
def test_losses_are_stable_far_from_zero():
    for target, y in ((targets.Binary(), [0]), (targets.Multiclass(3), [2])):
        inputs = keras.Input((target.units,))
        outputs = inputs
        for layer in target.output_layers(kernel_initializer="identity"):
            outputs = layer(outputs)
        model = keras.Model(inputs, outputs)
        model.compile("sgd", target.loss())
        logits = np.zeros((1, target.units), "float32")
        logits[0, 0] = 60.0
        history = model.fit(logits, np.array(y), verbose=0).history
        assert history["loss"][0] == pytest.approx(60.0)


def test_bounds_hold():
    far = np.array([[-1e4] * 4, [1e4] * 4], "float32")
    for name, low, high in (
        ("PositiveRegression", 0, np.inf),
        ("Count", 0, np.inf),
        ("BoundedRegression", -5, 5),
        ("BoundedTanh", -1, 1),
    ):
        p = model_for(ALL[name][0]).predict(far, verbose=0)
        assert (p >= low).all()
        assert (p <= high).all()


def test_activation_of_the_bounded_target():
    assert targets.BoundedRegression(-1, 1).activation == "tanh"
    assert targets.BoundedRegression(0, 1).activation == "sigmoid"
    assert [layer.name for layer in targets.BoundedRegression(0, 1).output_layers()] == [
        "head",
        "predictions",
    ]


def test_adapted_regression_is_indifferent_to_the_unit():
    raw = SAMPLES["Regression"][1]
    scores = []
    for factor in (1.0, 1e-6):
        keras.utils.set_random_seed(3)
        target = targets.Regression().adapt(raw * factor)
        model = model_for(target)
        history = model.fit(X, target.encode(raw * factor), epochs=3, verbose=0, shuffle=False)
        scores.append(history.history["loss"])
    np.testing.assert_allclose(scores[0], scores[1], rtol=1e-3)


def test_scaled_loss_against_numpy():
    y, p = RNG.normal(size=(2, 20, 2))
    scale = np.array([0.5, 3.0])
    r = (y - p) / scale
    huber = np.where(abs(r) <= 1, r**2 / 2, abs(r) - 0.5)
    for kind, expected in (("mse", (r**2).mean()), ("huber", huber.mean())):
        loss = targets.ScaledLoss(kind, scale=[0.5, 3.0])
        assert float(loss(y, p)) == pytest.approx(expected, rel=1e-5)
        check_config_round_trip(loss)


def test_smoothed_crossentropy_takes_numbers_columns_and_one_hot():
    p = RNG.dirichlet(np.ones(4), size=9).astype("float32")
    y = RNG.integers(0, 4, 9)
    one_hot = np.eye(4)[y]
    smooth = 0.9 * one_hot + 0.1 / 4
    expected = -(smooth * np.log(p)).sum(1).mean()
    loss = targets.SmoothedCrossentropy(label_smoothing=0.1)
    for labels in (y, y[:, None], one_hot):
        assert float(loss(labels, p)) == pytest.approx(expected, rel=1e-5)
    check_config_round_trip(loss)


def test_infer():
    assert targets.infer(np.array([0, 1, 1])) == targets.Binary()
    assert targets.infer(np.array([[0.1, 2.0], [1.0, 3.0]])) == targets.Regression(2)
    assert targets.infer(np.array([[0, 1, 1], [1, 0, 0]])) == targets.Multilabel(3)
    assert targets.infer(np.array([1, 2, 3])) == targets.Regression()
    assert targets.infer(np.array(["x", "y", "z"])) == targets.Multiclass(["x", "y", "z"])
    assert targets.infer(np.arange(101)) == targets.Regression()
    assert targets.infer(np.array([2, 0, 1], object)) == targets.Multiclass(3)
    assert targets.Multiclass(np.unique(["b", "a", "c"])).class_names == ("a", "b", "c")
    numpy_mean = targets.PositiveRegression(mean=np.float32(2))
    assert numpy_mean == targets.PositiveRegression(mean=2.0)


def test_get():
    assert targets.get("regression") == targets.Regression()
    target = targets.get({"kind": "bounded_regression", "low": 0, "high": 2})
    assert target == targets.BoundedRegression(0, 2)
    assert targets.get(target) is target


BAD = [
    (lambda: targets.Multiclass(1), "`classes` must be an integer >= 2"),
    (lambda: targets.Multiclass(2.5), "`classes` must be an integer"),
    (lambda: targets.Multiclass(["a", "a"]), "distinct names"),
    (lambda: targets.Multiclass(2, prior=[1.0]), "`prior`"),
    (lambda: targets.Binary(["a", "b", "c"]), "Use `Multiclass`"),
    (lambda: targets.Binary(prior=1.5), "`prior`"),
    (lambda: targets.Multilabel(2, prior=[0.5, 1.0]), "`prior`"),
    (lambda: targets.BoundedRegression(2, 1), "`high` must be a number > 2"),
    (lambda: targets.Regression(0), "`units`"),
    (lambda: targets.ScaledLoss("mae"), "`kind`"),
    (lambda: targets.SmoothedCrossentropy(label_smoothing=1.0), "`label_smoothing`"),
    (lambda: targets.Regression().loss(label_smoothing=0.1), "`label_smoothing`"),
    (lambda: targets.Multiclass(3).encode([0, 3]), "from 0 to 2. Received: 3 at row 1"),
    (lambda: targets.Multiclass(3).encode([0.5]), "whole class numbers"),
    (lambda: targets.Multiclass(3).encode([0.0, np.nan]), "finite"),
    (lambda: targets.Multiclass(3).encode(["a"]), "names in order"),
    (lambda: targets.Multiclass(["cat", "dog"]).encode(["cot"]), "Did you mean 'cat'"),
    (lambda: targets.Multiclass(3).encode([]), "empty"),
    (lambda: targets.Multiclass(3).encode([[0, 1], [1, 0]]), "shape"),
    (lambda: targets.Regression().encode([1.0, np.inf]), "row 1"),
    (lambda: targets.Regression().encode(["a"]), "numbers for a regression target"),
    (lambda: targets.Regression(2).encode([1.0]), r"2 value\(s\)"),
    (lambda: targets.Multilabel(2).encode([[0, 2]]), "0 and 1 only"),
    (lambda: targets.Multilabel(2).encode([0, 1]), "shape"),
    (lambda: targets.Count().encode([1.5]), "whole counts"),
    (lambda: targets.BoundedRegression(0, 1).encode([2.0]), r"must lie in \[0, 1\]"),
    (lambda: targets.get("multiclas"), "Did you mean 'Multiclass'"),
    (lambda: targets.get({"kind": "multiclass"}), "needs `classes`"),
    (lambda: targets.get({"kind": "multiclass", "clases": 3}), "Did you mean 'classes'"),
    (lambda: targets.get({"kind": "scaled_loss"}), "must name one of the targets"),
    (lambda: targets.get(3), "`target`"),
    (lambda: targets.infer(["a", "a"]), "two classes"),
    (lambda: targets.infer(np.array(["a", None, "b"], object)), "without one, the first at row 1"),
    (lambda: targets.Binary(["a", "b"]).encode(np.array(["a", np.nan], object)), "at row 1"),
    (lambda: targets.Multiclass([1, 2, 3]), "names that are not numbers"),
    (lambda: targets.Regression(scale=0.0), "`scale`"),
    (lambda: targets.Regression(robust="no"), "`robust`"),
    (lambda: targets.Regression().encode(1e9 + np.arange(9.0)), "Subtract an offset"),
    (lambda: targets.Binary(["a", "b"]).encode(["a", "  "]), "without one, the first at row 1"),
    (lambda: targets.Regression(2, scale=[1, 2, 3]), "`scale`"),
    (lambda: targets.PositiveRegression(mean="x"), "`mean`"),
]


@pytest.mark.parametrize(("make", "message"), BAD, ids=[message for _, message in BAD])
def test_bad_input(make, message):
    with pytest.raises(InputError, match=message):
        make()
