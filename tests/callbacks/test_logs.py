"""What the callbacks add to History, apart from the metrics."""

import keras
import numpy as np
import pytest

import kerasrecipes as kr

X = np.random.default_rng(0).normal(size=(32, 4)).astype("float32")
Y = (X[:, 0] > 0).astype("int32")


def fitted(model, *use, **arguments):
    arguments = {"epochs": 2, "batch_size": 8, "shuffle": False, "verbose": 0, **arguments}
    return model.fit(X, Y, callbacks=list(use), **arguments).history


def test_gradient_statistics_begin_anew_in_each_epoch():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile(kr.optimizers.SGD(0.5, global_clipnorm=0.25, track_updates=True), "mse")
    norms = []

    class Spy(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            part = slice(8 * batch, 8 * batch + 8)
            kernel, bias = model.get_weights()
            error = X[part] @ kernel + bias - Y[part, None]
            norms.append(np.hypot(*map(np.linalg.norm, (X[part].T @ error / 4, error.mean(0) * 2))))

    history = fitted(model, Spy(), kr.callbacks.GradientLog())
    norms = np.reshape(norms, (2, 4))
    np.testing.assert_allclose(history["gradient_norm"], norms.mean(1), rtol=1e-4)
    np.testing.assert_allclose(history["clipped_fraction"], (norms > 0.25).mean(1))
    assert all(0 < ratio < 1 for ratio in history["update_ratio"])


@pytest.mark.parametrize("optimizer", ["sgd", kr.optimizers.SGD(0.1)], ids=["keras", "ours"])
def test_optimizers_that_record_nothing_add_nothing(optimizer):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile(optimizer, "mse")
    assert set(fitted(model, kr.callbacks.GradientLog(), kr.callbacks.PenaltyLog())) == {"loss"}


def test_penalty_is_apart_from_the_data_loss():
    model = kr.recipes.mlp((4,), kr.targets.Binary(), hidden=(8,), dropout=0.0, l2=0.01, seed=0)
    history = fitted(model, kr.callbacks.PenaltyLog(), validation_data=(X, Y), epochs=1)
    penalty = 0.01 * sum(float((w.numpy() ** 2).sum()) for w in model.weights if "kernel" in w.path)
    assert history["penalty"][0] == pytest.approx(penalty, rel=1e-5)
    p = model.predict(X, verbose=0)[:, 0].astype("float64")
    data_loss = -np.mean(np.log(np.where(Y == 1, p, 1 - p)))
    assert history["val_loss"][0] - penalty == pytest.approx(data_loss, rel=1e-4)


def test_the_standard_set_logs_them_all(capsys):
    model = kr.recipes.mlp((4,), kr.targets.Binary(), hidden=(8,), l2=0.01, seed=0)
    history = fitted(model, *kr.callbacks.standard(), validation_data=(X, Y))
    assert set(history) >= {"learning_rate", "gradient_norm", "clipped_fraction", "penalty"}
    line = capsys.readouterr().out.splitlines()[0]
    assert "penalty" in line
    assert "grad " in line
    assert "clipped" not in line
