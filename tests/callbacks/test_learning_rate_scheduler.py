"""LearningRateScheduler: functions by epoch and by update, composed with cuts."""

import functools

import keras
import numpy as np
import pytest

from kerasrecipes import callbacks, optimizers, schedules
from kerasrecipes._checks import InputError
from kerasrecipes.callbacks.learning_rate_scheduler import LearningRateScheduler
from tests.harness import representative

X = np.random.default_rng(0).normal(size=(32, 3)).astype("float32")
DATA = {"x": X, "y": X[:, :1], "batch_size": 8, "verbose": 0, "shuffle": False}  # 4 steps


def linear_model(optimizer=None, **arguments):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile(optimizer or keras.optimizers.SGD(0.5), "mse", **arguments)
    return model


class Rates(keras.callbacks.Callback):
    """Records the rate of each batch, and cuts it, and puts a script into the logs."""

    def __init__(self, *, cut=(), script=()):
        super().__init__()
        self.cut, self.script, self.seen, self.batches = cut, script, [], 0

    def on_train_batch_begin(self, batch, logs=None):
        optimizer = self.model.optimizer
        self.seen.append(float(keras.ops.convert_to_numpy(optimizer.learning_rate)))
        if self.batches in self.cut:
            optimizer.learning_rate = self.seen[-1] * 0.5
        self.batches += 1

    def on_epoch_end(self, epoch, logs=None):
        if self.script:
            logs["val_loss"] = self.script[epoch]


def rates_of(scheduler, *others, epochs=4, model=None, **arguments):
    """Returns the rates of all batches; `others` may cut it."""
    record = Rates(**arguments)
    model = model or linear_model()
    model.fit(**DATA, epochs=epochs, callbacks=[scheduler, record, *others])
    return np.array(record.seen)


BY_EPOCH = [
    lambda epoch: 0.3 / (1 + epoch),
    lambda epoch, rate: rate * 0.9,
    lambda epoch: np.float32(0.25) * epoch,
    lambda epoch: keras.ops.exp(-keras.ops.cast(epoch, "float32")),
    keras.optimizers.schedules.ExponentialDecay(0.4, 2, 0.5),
    lambda epoch, *rest, base=0.1: base / (1 + epoch),
    functools.partial(lambda base, epoch: base * epoch, 0.1),
]


OFTEN = BY_EPOCH[0], BY_EPOCH[1], BY_EPOCH[4]


@pytest.mark.parametrize("function", representative(BY_EPOCH, *OFTEN))
def test_agrees_with_keras_where_nothing_is_cut(function):
    def plain(epoch, rate):
        return float(function(epoch, rate) if function is BY_EPOCH[1] else function(epoch))

    expected = rates_of(keras.callbacks.LearningRateScheduler(plain))
    np.testing.assert_allclose(rates_of(LearningRateScheduler(function)), expected, rtol=1e-6)


@pytest.mark.parametrize(
    "make",
    representative(
        [keras.optimizers.SGD, optimizers.SGD, optimizers.AdamW],
        keras.optimizers.SGD,
        optimizers.SGD,
    ),
)
def test_cuts_stay(make):
    scheduler = LearningRateScheduler(lambda epoch: 0.4 / (1 + epoch))
    plateau = callbacks.ReduceLROnPlateau(patience=2, factor=0.5)
    model = linear_model(make(0.1))
    rates = rates_of(scheduler, plateau, epochs=6, model=model, script=[1] * 6)[::4]
    expected = [0.4 / (1 + e) * f for e, f in enumerate([1, 1, 1, 0.5, 0.5, 0.25])]
    np.testing.assert_allclose(rates, expected, rtol=1e-6)
    assert plateau.cuts == [2, 4]
    assert scheduler.factor == pytest.approx(0.25)


def test_the_function_is_not_told_the_cuts():
    scheduler = LearningRateScheduler(lambda epoch, last: last * 0.8)
    plateau = callbacks.ReduceLROnPlateau(patience=1, factor=0.1)
    rates = rates_of(scheduler, plateau, script=[1, 1, 1, 1])[::4]
    np.testing.assert_allclose(rates, [0.4, 0.32, 0.0256, 0.002048], rtol=1e-6)


@pytest.mark.parametrize("by", ["epoch", "update"])
def test_a_cut_within_an_epoch_stays(by):
    scheduler = LearningRateScheduler(lambda _: 0.4, by=by)
    rates = rates_of(scheduler, epochs=2, cut=[1])
    np.testing.assert_allclose(rates, [0.4, 0.4, *[0.2] * 6], rtol=1e-6)


def test_a_rate_of_zero_and_an_untouched_rate():
    scheduler = LearningRateScheduler(lambda update: float(update > 2) / 3, by="update")
    rates = rates_of(scheduler, epochs=2)
    np.testing.assert_array_equal(rates, [0, 0, 0, *[np.float32(1 / 3)] * 5])
    assert scheduler.factor == 1.0


def test_each_update():
    seen = []

    def function(update):
        seen.append(update)
        return 0.1 / (1 + update)

    model = linear_model()
    rates = rates_of(LearningRateScheduler(function, by="update"), epochs=2, model=model)
    np.testing.assert_allclose(rates, 0.1 / (1 + np.arange(8)), rtol=1e-6)
    rates_of(LearningRateScheduler(function, by="update"), epochs=1, model=model)
    assert seen == list(range(12))


@pytest.mark.parametrize("make", [keras.optimizers.SGD, optimizers.SGD])
def test_updates_under_accumulation(make):
    model = linear_model(make(0.1, gradient_accumulation_steps=2))
    scheduler = LearningRateScheduler(lambda update: 0.1 / (1 + update), by="update")
    rates = rates_of(scheduler, epochs=2, model=model)
    np.testing.assert_allclose(rates, 0.1 / (1 + np.arange(8) // 2), rtol=1e-6)


def test_the_weights_move_at_the_rate():
    rates = [0.1, 0.05, 0.2, 0.02]
    model = linear_model(optimizers.SGD(1.0, momentum=0.0))
    w, b = (each.astype("float64") for each in model.get_weights())
    scheduler = LearningRateScheduler(lambda update: rates[update], by="update")
    model.fit(**DATA, callbacks=[scheduler])
    for t, rate in enumerate(rates):
        x = X[8 * t : 8 * t + 8].astype("float64")
        slope = 2 * (x @ w + b - x[:, :1]) / 8
        w, b = w - rate * x.T @ slope, b - rate * slope.sum(axis=0)
    np.testing.assert_allclose(model.get_weights()[0], w, rtol=1e-5)


@pytest.mark.parametrize("wrap", [optimizers.Lookahead, keras.optimizers.LossScaleOptimizer])
def test_wrapped_optimizers(wrap):
    model = linear_model(wrap(optimizers.SGD(0.5)))
    model.fit(**DATA, callbacks=[LearningRateScheduler(lambda _: 0.125)])
    assert float(keras.ops.convert_to_numpy(model.optimizer.learning_rate)) == 0.125


@pytest.mark.parametrize("by", ["epoch", "update"])
@pytest.mark.parametrize("every", representative([1, "1 updates"], "1 updates"))
def test_a_resumed_run_has_the_same_rates(tmp_path, by, every):
    class Stop(keras.callbacks.Callback):
        interrupted = False

        def on_train_batch_begin(self, batch, logs=None):
            if int(self.model.optimizer.iterations) == 14:
                self.interrupted = self.model.stop_training = True

    def train(folder, *extra):
        model = linear_model(optimizers.SGD(0.5))
        scheduler = LearningRateScheduler(lambda n, last: last * 0.95, by=by)
        plateau = callbacks.ReduceLROnPlateau(patience=2, factor=0.5)
        several = [callbacks.Checkpoint(folder, every=every), scheduler]
        several += [Rates(script=[1] * 6), plateau, callbacks.LearningRateLog(), *extra]
        fitted = model.fit(**DATA, epochs=6, callbacks=several)
        return fitted.history, scheduler.state_dict(), [w.tobytes() for w in model.get_weights()]

    whole = train(tmp_path / "whole")
    assert len(train(tmp_path / "parts", Stop())[0]["loss"]) == 4
    assert train(tmp_path / "parts") == whole
    assert whole[1]["factor"] == pytest.approx(0.25)


REFUSED = [
    (lambda: optimizers.SGD(schedules.Cosine(0.1)), "comes from Cosine"),
    (
        lambda: keras.optimizers.SGD(keras.optimizers.schedules.CosineDecay(0.1, 9)),
        "comes from CosineDecay",
    ),
    (lambda: keras.optimizers.SGD(lambda: 0.1), "comes from function"),
]


@pytest.mark.parametrize(("optimizer", "message"), REFUSED)
def test_a_schedule_in_the_optimizer_is_refused_before_training(optimizer, message):
    with pytest.raises(InputError, match=message):
        linear_model(optimizer()).fit(**DATA, callbacks=[LearningRateScheduler(lambda _: 0.1)])


def test_clashes():
    two = [LearningRateScheduler(lambda _: 0.1), LearningRateScheduler(lambda _: 0.2)]
    with pytest.raises(InputError, match="one LearningRateScheduler only"):
        linear_model().fit(**DATA, callbacks=two)
    model = linear_model(steps_per_execution=2)
    with pytest.raises(InputError, match="steps_per_execution=2"):
        model.fit(**DATA, callbacks=[LearningRateScheduler(lambda _: 0.1, by="update")])
    model.fit(**DATA, callbacks=[LearningRateScheduler(lambda _: 0.1)])


@pytest.mark.parametrize("value", [-0.1, float("nan"), None, "fast", [0.1, 0.2]])
def test_a_bad_rate_is_an_error_that_tells_when(value):
    scheduler = LearningRateScheduler(lambda epoch: value if epoch == 1 else 0.1)
    with pytest.raises(InputError, match=r"`schedule\(1\)` must be a number >= 0"):
        linear_model().fit(**DATA, epochs=3, callbacks=[scheduler])


def test_an_error_within_the_function_is_not_hidden():
    def function(epoch, rate):
        return len(epoch)

    with pytest.raises(TypeError, match="has no len"):
        linear_model().fit(**DATA, callbacks=[LearningRateScheduler(function)])


BAD = [
    ({"schedule": 0.1}, "`schedule` must be a function"),
    ({"schedule": lambda: 0.1}, "`schedule` must be a function of one or two"),
    ({"schedule": lambda a, b, c: 0.1}, "`schedule` must be a function of one or two"),
    ({"schedule": lambda e: 0.1, "by": "batch"}, "`by` must be one of"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD)
def test_bad_input(arguments, message):
    with pytest.raises(InputError, match=message):
        LearningRateScheduler(**arguments)
