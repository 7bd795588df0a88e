"""Defects R2, C1, C2 and C6 of KERAS-DEFECTS.md: what stops a training and what cuts its rate."""

import os
import signal

import keras
import numpy as np
import pytest

import kerasrecipes as kr
from kerasrecipes._checks import InputError

X = np.random.default_rng(0).normal(size=(32, 3)).astype("float32")
DATA = {"x": X, "y": X[:, :1], "verbose": 0}
VALIDATION = {"validation_data": (X, X[:, :1])}


def model_with(optimizer):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((3,))
    model = kr.recipes.RecipeModel(inputs, keras.layers.Dense(1)(inputs))
    model.compile(optimizer, "mse")
    return model


class Script(keras.callbacks.Callback):
    """Puts scripted values into the logs."""

    def __init__(self, values):
        super().__init__()
        self.values = values

    def on_epoch_end(self, epoch, logs=None):
        logs["val_loss"] = self.values[epoch]


def rates(optimizer, values, *callbacks):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile(optimizer, "mse")
    several = [Script(values), kr.callbacks.LearningRateLog(), *callbacks]
    fitted = model.fit(**DATA, epochs=len(values), callbacks=several)
    return fitted.history["learning_rate"]


def test_c1_a_schedule_and_a_plateau():
    def decay():
        return keras.optimizers.schedules.ExponentialDecay(0.8, 1, 0.5)

    plain = keras.callbacks.ReduceLROnPlateau("val_loss", patience=1)
    with pytest.raises(TypeError, match="not settable"):
        rates(keras.optimizers.SGD(decay()), [1, 1, 1], plain)
    ours = [kr.callbacks.ReduceLROnPlateau("val_loss", patience=2, factor=0.5)]
    found = rates(kr.optimizers.SGD(decay()), [1, 1, 1, 1], *ours)
    assert found == pytest.approx([0.4, 0.2, 0.1, 0.025])  # logged before the cut at epoch 2
    with pytest.raises(InputError, match="ReduceLROnPlateau"):
        rates(keras.optimizers.SGD(decay()), [1, 1, 1], *ours)


def test_c1_a_function_of_the_epoch_and_a_plateau():
    def function(epoch):
        return 0.4 / (1 + epoch)

    def found(family):
        plateau = family.ReduceLROnPlateau("val_loss", patience=2, factor=0.5)
        scheduler = family.LearningRateScheduler(function)
        return rates(keras.optimizers.SGD(0.1), [1] * 4, scheduler, plateau)

    uncut = [function(epoch) for epoch in range(4)]
    assert found(keras.callbacks) == pytest.approx(uncut), "Keras mended C1"
    assert found(kr.callbacks) == pytest.approx([*uncut[:3], uncut[3] / 2])


def test_c1_a_function_and_a_schedule_are_refused_before_training():
    def optimizer():
        return keras.optimizers.SGD(keras.optimizers.schedules.ExponentialDecay(0.8, 1, 0.5))

    with pytest.raises(TypeError, match="not settable"):
        rates(optimizer(), [1], keras.callbacks.LearningRateScheduler(lambda epoch: 0.1))
    with pytest.raises(InputError, match="comes from ExponentialDecay"):
        rates(optimizer(), [1], kr.callbacks.LearningRateScheduler(lambda epoch: 0.1))


def test_c2_nan_in_the_first_epoch_does_not_poison_the_plateau():
    values = [float("nan"), 5, 4, 3, 2, 1]

    def found(family):
        plateau = family.ReduceLROnPlateau("val_loss", patience=2, min_delta=0.0)
        return rates(keras.optimizers.SGD(0.1), values, plateau)

    assert found(keras.callbacks)[-1] < 0.1, "Keras mended C2"
    assert found(kr.callbacks) == pytest.approx([0.1] * 6)


class CtrlC(keras.callbacks.Callback):
    """Spoils the weights and presses Ctrl-C in epoch 3."""

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 3:
            for weight in self.model.weights:
                weight.assign(weight * 0 + 9)
            os.kill(os.getpid(), signal.SIGINT)


class Crash(CtrlC):
    """Spoils the weights and raises in epoch 3."""

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 3:
            self.model.set_weights([w * 0 + 9 for w in self.model.get_weights()])
            raise RuntimeError("on purpose")


@pytest.mark.parametrize(
    ("end", "error"), [(CtrlC, KeyboardInterrupt), (Crash, RuntimeError)], ids=["ctrl-c", "crash"]
)
def test_c6_the_best_weights_come_back_however_training_ends(end, error):
    plain = keras.callbacks.EarlyStopping(patience=9, restore_best_weights=True)
    model = model_with(keras.optimizers.SGD(0.05))
    with pytest.raises(error):
        model.fit(**DATA, **VALIDATION, epochs=9, callbacks=[plain, end()])
    assert model.evaluate(X, X[:, :1], verbose=0) > 10, "Keras mended C6"

    ours = kr.callbacks.EarlyStopping(patience=9)
    with pytest.raises(error):
        model.fit(**DATA, **VALIDATION, epochs=9, callbacks=[ours, end()])
    assert model.evaluate(X, X[:, :1], verbose=0) == pytest.approx(ours.best, rel=1e-5)


def test_r2_patience_and_best_survive_a_restart(tmp_path):
    values = [3, 1, 2, 2, 2, 2, 2, 2]

    class Crash(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 3:
                raise RuntimeError("on purpose")

    def epochs_of(make, backup):
        def train(*others):
            several = [backup(), Script(values), make(), *others]
            model = model_with(keras.optimizers.SGD(0.1))
            return model.fit(**DATA, **VALIDATION, shuffle=False, epochs=8, callbacks=several).epoch

        with pytest.raises(RuntimeError):
            train(Crash())
        return train()[-1]

    def plain():
        return keras.callbacks.EarlyStopping(patience=3)

    def backup():
        return keras.callbacks.BackupAndRestore(tmp_path / "keras", delete_checkpoint=False)

    assert epochs_of(plain, backup) == 6, "Keras mended R2"
    ours = epochs_of(
        lambda: kr.callbacks.EarlyStopping(patience=3), lambda: kr.callbacks.Checkpoint(tmp_path)
    )
    assert ours == 4
