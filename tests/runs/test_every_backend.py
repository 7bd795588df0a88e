"""Estimators, searches, run folders and plain exports under every Keras backend."""

import keras
import numpy as np
import pytest

import kerasrecipes as kr
from kerasrecipes import InputError, runs
from tests.backends import BACKEND

# Slow on TensorFlow; tests/test_backends.py runs it on the others.
pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("plain_pictures")]
RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4)).astype("float32")
Y = (X[:, 0] > 0).astype("int32")


def test_a_run_is_trained_evaluated_reported_and_exported(tmp_path):
    run = runs.train("iris-mlp", overrides=["fit.epochs=2"], out=tmp_path / "runs", quiet=True)
    folder = getattr(run, "folder", run)
    runs.evaluate(folder)
    assert "val_loss" in kr.reporting.report(folder)
    kr.diagnosis.diagnose(folder)
    model = keras.saving.load_model(folder / "model.keras")
    kr.exporting.export(model, tmp_path / "plain.keras")
    plain = keras.saving.load_model(tmp_path / "plain.keras")
    expected = model.predict(X, verbose=0)
    np.testing.assert_allclose(plain.predict(X, verbose=0), expected, atol=1e-6)


def test_estimators_and_searches(tmp_path):
    found = kr.estimators.RecipeClassifier("mlp", epochs=1, seed=0).fit(X, Y)
    assert found.predict_proba(X).shape == (60, 2)
    space = {"units": [4, 8], "layers": 1}
    search = {"trials": 1, "epochs": 1, "seed": 0, "directory": tmp_path, "space": space}
    best = kr.tuning.search("mlp", (4,), kr.targets.Binary(), (X, Y), **search)
    assert best.model.predict(X, verbose=0).shape == (60, 1)


@pytest.mark.skipif(BACKEND == "tensorflow", reason="there they work")
def test_what_needs_tensorflow_says_so(tmp_path):
    model = kr.recipes.mlp((4,), kr.targets.Binary(), hidden=(4,))
    for use in (
        lambda: kr.exporting.export(model, tmp_path / "model.onnx"),
        lambda: kr.exporting.export(model, tmp_path / "model.tflite"),
        lambda: kr.exporting.export(model, tmp_path / "model"),
        lambda: kr.finders.learning_rate(model, (X, Y)),
        lambda: kr.finders.batch_size(model, (X, Y)),
        lambda: kr.data.augment.apply(kr.data.batches(X, Y), [keras.layers.GaussianNoise(0.1)]),
        lambda: kr.recipes.mlp((4,), kr.targets.Binary(), strategy="auto"),
    ):
        with pytest.raises(InputError, match="TensorFlow"):
            use()
