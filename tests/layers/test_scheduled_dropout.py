import math

import keras
import numpy as np
import pytest

import kerasrecipes as kr
from kerasrecipes._checks import InputError
from kerasrecipes.layers import ScheduledDropout
from tests.backends import BACKEND, array, needs
from tests.harness import StopAt

X = np.ones((400, 250), "float32")
READS = pytest.mark.skipif(BACKEND == "jax", reason="JAX shows no variable during fit")


def flat_cos(t):
    """The closed form of the paper's facts."""
    return 1.0 if t < 0.5 else (1 + math.cos(math.pi * (2 * t - 1))) / 2


def bound(rate=0.4, steps=10, **arguments):
    layer = ScheduledDropout(rate, seed=0, **arguments)
    layer.build(X.shape)
    layer.bind_fit(epoch=0, steps=steps, steps_per_epoch=5)
    return layer


def test_share_of_zeros_follows_the_closed_form():
    layer = bound()
    for step in range(10):
        y = array(layer(X, training=True))
        rate = 0.4 * flat_cos(step / 10)
        assert (y == 0).mean() == pytest.approx(rate, abs=0.006), step
        np.testing.assert_allclose(y[y != 0], 1 / (1 - rate), rtol=1e-5)
    np.testing.assert_array_equal(array(layer(X, training=True)), X)


def test_it_does_nothing_outside_training():
    layer = bound()
    np.testing.assert_array_equal(array(layer(X)), X)
    assert int(array(layer.batches)) == 0


def test_unknown_length_is_an_error_and_a_constant_needs_none():
    layer = ScheduledDropout(0.5)
    with pytest.raises(InputError, match="The length of FlatCosine is not known"):
        layer(X, training=True)
    y = array(ScheduledDropout(0.5, schedule=None)(X, training=True))
    assert (y == 0).mean() == pytest.approx(0.5, abs=0.01)


def rates_of_a_fit(model, layer, **arguments):
    seen = []
    look = keras.callbacks.LambdaCallback(
        on_train_batch_begin=lambda batch, logs: seen.append(float(layer.current_rate()))
    )
    data = kr.data.batches(X[:20, :4], X[:20, 0], batch_size=4, seed=0)  # 5 steps
    model.fit(data, verbose=0, callbacks=[look], **arguments)
    return seen


def small():
    inputs = keras.Input((4,))
    layer = ScheduledDropout(0.4, seed=0)
    model = kr.recipes.RecipeModel(inputs, keras.layers.Dense(1)(layer(inputs)))
    model.compile(kr.optimizers.SGD(0.01), "mse")
    return model, layer


@READS
def test_the_compiled_step_follows_the_fit(tmp_path):
    model, layer = small()
    expected = [0.4 * flat_cos(t / 20) for t in range(20)]
    assert rates_of_a_fit(model, layer, epochs=4) == pytest.approx(expected, abs=1e-6)
    model, layer = small()
    first = rates_of_a_fit(model, layer, epochs=2)
    assert first == pytest.approx([0.4 * flat_cos(t / 10) for t in range(10)], abs=1e-6)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    layer = loaded.layers[1]
    assert float(layer.current_rate()) == pytest.approx(0.0, abs=1e-6)
    rest = rates_of_a_fit(loaded, layer, epochs=4, initial_epoch=2)
    assert rest == pytest.approx(expected[10:], abs=1e-6)


@READS
def test_a_second_fit_of_another_length_needs_no_new_trace():
    model, layer = small()
    for epochs in (2, 4):
        found = rates_of_a_fit(model, layer, epochs=epochs)
        steps = 5 * epochs
        assert found == pytest.approx([0.4 * flat_cos(t / steps) for t in range(steps)], abs=1e-6)


def test_errors():
    with pytest.raises(InputError, match="`rate` must be a number in"):
        ScheduledDropout(1.0)
    with pytest.raises(InputError, match="Did you mean"):
        ScheduledDropout(0.1, schedule="flat_coss")
    with pytest.raises(InputError, match="`bind_fit` needs a built layer"):
        ScheduledDropout(0.1).bind_fit(epoch=0, steps=1, steps_per_epoch=1)


def weights_after(folder, *others):
    keras.utils.set_random_seed(0)
    model, layer = small()
    data = kr.data.batches(X[:20, :4], X[:20, 0], batch_size=4, seed=0)
    several = [kr.callbacks.Checkpoint(folder, every=1), *others]
    model.fit(data, epochs=3, verbose=0, callbacks=several)
    return [weight.tobytes() for weight in model.get_weights()], int(array(layer.batches))


@needs("tensorflow", "`Checkpoint` saves within epochs there only")
@pytest.mark.parametrize("batch", [1, 3])
def test_a_training_resumed_within_an_epoch_has_the_rates_of_the_whole_one(tmp_path, batch):
    whole = weights_after(tmp_path / "whole")
    assert whole[1] == 15
    weights_after(tmp_path / "parts", StopAt(1, batch))
    assert weights_after(tmp_path / "parts") == whole
