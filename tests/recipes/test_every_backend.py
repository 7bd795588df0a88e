"""Recipes under every Keras backend: TensorFlow, JAX and PyTorch."""

import keras
import numpy as np
import pandas as pd
import pytest

import kerasrecipes as kr
from kerasrecipes import InputError
from tests.backends import BACKEND

pytestmark = pytest.mark.slow  # on TensorFlow; tests/test_backends.py runs it on the others
RNG = np.random.default_rng(0)
Y = np.arange(32) % 2
ROWS = RNG.normal(size=(32, 3)).astype("float32")
IMAGES = RNG.random((32, 8, 8, 1)).astype("float32")
SERIES = RNG.normal(size=(32, 6, 2)).astype("float32")
SERIES[:, 4:] = -1  # padding
TOKENS = RNG.integers(1, 9, size=(32, 6))
TABLE = pd.DataFrame({"size": ROWS[:, 0], "place": np.where(ROWS[:, 1] > 0, "town", "sea")})
TEXTS = [("good day " if y else "bad night ") + str(i) for i, y in enumerate(Y)]
SMALL = {"dropout": 0.1, "seed": 0}
R = kr.recipes


def backbone():
    layers = [keras.layers.Conv2D(2, 3, name="first"), keras.layers.GlobalAveragePooling2D()]
    return keras.Sequential([keras.Input((8, 8, 1)), *layers])


MAKERS = {
    "mlp": (lambda t: R.mlp((3,), t, hidden=(4,), schedule="cosine", **SMALL), ROWS),
    "tabular": (lambda t: R.tabular(TABLE, t, **SMALL), TABLE),
    "cnn": (lambda t: R.cnn((8, 8, 1), t, filters=(4,), **SMALL), IMAGES),
    "resnet": (lambda t: R.resnet((8, 8, 1), t, filters=(4,), **SMALL), IMAGES),
    "fine_tune": (lambda t: R.fine_tune(backbone(), t, unfreeze="all", **SMALL), IMAGES),
    "temporal": (lambda t: R.temporal((6, 2), t, mask_value=-1.0, **SMALL), SERIES),
    "rnn": (lambda t: R.rnn((6, 2), t, units=(4,), mask_value=-1.0, **SMALL), SERIES),
    "transformer": (
        lambda t: R.transformer((6,), t, vocabulary_size=9, layers=1, **SMALL),
        TOKENS,
    ),
}


@pytest.mark.parametrize("name", MAKERS)
def test_trains_and_survives_saving(name, tmp_path):
    make, x = MAKERS[name]
    model = make(kr.targets.Binary())
    assert np.isfinite(model.fit(x, Y, epochs=1, verbose=0).history["loss"]).all()
    expected = model.predict(x, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded.predict(x, verbose=0), expected, atol=1e-5)
    assert loaded.evaluate(x, Y, verbose=0) == pytest.approx(
        model.evaluate(x, Y, verbose=0), rel=1e-4
    )


@pytest.mark.skipif(BACKEND == "tensorflow", reason="there it works")
def test_texts_within_a_model_need_tensorflow():
    with pytest.raises(InputError, match="strings inside a model need TensorFlow's"):
        R.text(TEXTS, kr.targets.Binary())


def test_texts_as_numbers_need_nothing():
    layer = kr.data.vectorization(TEXTS)
    x = keras.ops.convert_to_numpy(layer(np.array(TEXTS)))
    model = R.mlp(x.shape[1:], kr.targets.Binary(), hidden=(4,), seed=0)
    assert np.isfinite(model.fit(x, Y, epochs=1, verbose=0).history["loss"]).all()
