"""Callbacks under every Keras backend: TensorFlow, JAX and PyTorch."""

import keras
import numpy as np
import pytest

import kerasrecipes as kr
from kerasrecipes import InputError
from tests.backends import BACKEND, array

RNG = np.random.default_rng(0)
X = RNG.normal(size=(48, 3)).astype("float32")
Y = (X[:, 0] > 0).astype("int32")
C = kr.callbacks


def recipe_model(**arguments):
    return kr.recipes.mlp((3,), kr.targets.Binary(), hidden=(4,), seed=0, **arguments)


def history(model, *callbacks, epochs=3):
    data = kr.data.batches(X, Y, batch_size=16, seed=0)
    fit = {"epochs": epochs, "verbose": 0, "callbacks": list(callbacks)}
    return model.fit(data, validation_data=(X, Y), **fit).history


def test_the_standard_ones_train_and_go_on(tmp_path):
    """The second fit takes the checkpoint up and ends as one that nothing interrupted."""

    def trained(folder, epochs):
        model = recipe_model(schedule="constant")
        found = history(
            model,
            *C.standard(
                patience=9, plateau=5, checkpoint=folder, nonfinite="rollback", seconds=600
            ),
            epochs=epochs,
        )
        return found, [array(weight) for weight in model.weights]

    trained(tmp_path / "a", 2)
    (again, weights), (whole, expected) = trained(tmp_path / "a", 4), trained(tmp_path / "b", 4)
    assert again["val_loss"] == whole["val_loss"]
    for weight, other in zip(weights, expected, strict=True):
        np.testing.assert_array_equal(weight, other)


class StopsWithin(keras.callbacks.Callback):
    """Ends a fit as Ctrl-C does, in the first batch of the second epoch."""

    interrupted = False

    def on_epoch_begin(self, epoch, logs=None):
        self.interrupted = epoch == 1

    def on_train_batch_end(self, batch, logs=None):
        self.model.stop_training = self.interrupted


def test_a_training_that_ends_within_an_epoch_goes_on(tmp_path):
    history(recipe_model(schedule="constant"), C.Checkpoint(tmp_path), StopsWithin())
    again = C.Checkpoint(tmp_path)
    found = history(recipe_model(schedule="constant"), again)
    assert again.resumed == ((1, 1) if BACKEND == "tensorflow" else (1, 0))
    whole = history(recipe_model(schedule="constant"))
    np.testing.assert_allclose(found["val_loss"], whole["val_loss"], rtol=1e-6)


@pytest.mark.parametrize(
    "make",
    [
        lambda folder: C.LearningRateScheduler(lambda epoch, rate: rate / 2),
        lambda folder: C.ReduceLROnPlateau("loss"),
        lambda folder: C.NonFinite("stop"),
        lambda folder: C.HistoryFile(folder / "history.csv"),
        lambda folder: C.Progress(),
    ],
)
def test_it_trains(make, tmp_path):
    found = history(recipe_model(), make(tmp_path))["loss"]
    assert len(found) == 3
    assert np.isfinite(found).all()


def test_the_average_is_the_mean_of_the_epochs():
    ends = []

    class Ends(keras.callbacks.Callback):
        def on_test_begin(self, logs=None):
            ends.append([array(weight) for weight in self.model.trainable_weights])

    model = recipe_model()
    history(model, Ends(), C.WeightAveraging("swa", start_from_epoch=1, data=X))
    for weight, *each in zip(model.trainable_weights, *ends[1:], strict=True):
        np.testing.assert_allclose(array(weight), np.mean(each, axis=0), atol=1e-6)


@pytest.mark.skipif(BACKEND == "tensorflow", reason="there they work")
@pytest.mark.filterwarnings("ignore:Explicitly requested dtype")  # JAX's, before it is refused
@pytest.mark.parametrize(
    "make",
    [
        lambda: C.NonFinite("skip"),
        lambda: C.SpikeGuard(),
        lambda: C.WeightAveraging("ema"),
        lambda: C.GradientMonitor(),
        lambda: C.ActivationMonitor(),
        lambda: C.Hypergradient(),
        lambda: C.Checkpoint("never", every="2 updates"),
    ],
)
def test_what_needs_tensorflow_says_so(make, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="TensorFlow"):
        history(recipe_model(), make())
