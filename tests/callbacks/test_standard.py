"""The standard set in real fits: schedules bound, rates logged, Ctrl-C, a line per epoch."""

import datetime
import io
import os
import pathlib
import re
import signal
import threading

import keras
import numpy as np
import pytest
from rich.console import Console

from kerasrecipes import callbacks, data, optimizers, schedules
from kerasrecipes._checks import InputError
from kerasrecipes._export import members

TESTS = pathlib.Path(__file__).resolve().parents[1]
X = np.random.default_rng(0).normal(size=(64, 3)).astype("float32")
DATA = {"x": X, "y": X[:, :1], "batch_size": 16, "verbose": 0}
VALIDATION = {"validation_data": (X, X[:, :1])}


def linear_model(optimizer="sgd"):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile(optimizer, "mse")
    return model


def cosine(epoch, epochs, peak):
    return peak * (1 + np.cos(np.pi * epoch / epochs)) / 2


TESTED_IN = {
    "AverageForEvaluation": "callbacks/test_standard.py",
    "BindSchedule": "callbacks/test_standard.py",
    "EpochOrder": "callbacks/test_standard.py",
    "ActivationMonitor": "callbacks/test_monitors.py",
    "GradientMonitor": "callbacks/test_monitors.py",
    "GradientLog": "callbacks/test_logs.py",
    "LearningRateLog": "callbacks/test_standard.py",
    "MLflowLogger": "callbacks/test_loggers.py",
    "PenaltyLog": "callbacks/test_logs.py",
    "TensorBoardLogger": "callbacks/test_loggers.py",
    "WandbLogger": "callbacks/test_loggers.py",
    "check_callbacks": "callbacks/test_callback_check.py",
    "standard": "callbacks/test_standard.py",
}


@pytest.mark.parametrize("name", sorted(members("callbacks")))
def test_no_callback_escapes(name):
    snake = re.sub("(?<=[a-z])(?=[A-Z])", "_", name).lower().replace("reduce_lron", "reduce_lr_on")
    home = TESTS / TESTED_IN.get(name, f"callbacks/test_{snake}.py")
    assert re.search(rf"\b{name}\b|{name.lower()}", home.read_text())
    if name[0].isupper():
        assert issubclass(members("callbacks")[name], callbacks.Callback)


def test_the_whole_set_is_in_an_order_that_passes_the_check(tmp_path):
    model = linear_model(optimizers.SGD(0.1))
    every = callbacks.standard(
        patience=3, plateau=2, checkpoint=tmp_path, averaging="ema", seconds=60, progress=False
    )
    names = [type(each).__name__ for each in every]
    assert names == [
        "Checkpoint",
        "CallbackCheck",
        "Interrupt",
        "TimeBudget",
        "EpochOrder",
        "BindSchedule",
        "AverageForEvaluation",
        "WeightAveraging",
        "LearningRateLog",
        "GradientLog",
        "PenaltyLog",
        "ReduceLROnPlateau",
        "EarlyStopping",
    ]
    callbacks.check_callbacks(every, model)
    history = model.fit(**DATA, **VALIDATION, shuffle=False, epochs=3, callbacks=every).history
    assert len(history["val_loss"]) == 3


def test_arguments_of_the_set_can_be_callbacks_of_ones_own(tmp_path):
    own = {
        "plateau": callbacks.ReduceLROnPlateau(factor=0.5),
        "checkpoint": callbacks.Checkpoint(tmp_path, keep=1),
        "averaging": callbacks.WeightAveraging("swa"),
        "patience": callbacks.EarlyStopping(min_delta=0.1),
        "nonfinite": callbacks.NonFinite("skip"),
        "spikes": callbacks.SpikeGuard(5.0),
        "progress": callbacks.Progress(),
    }
    own_budget = callbacks.TimeBudget(60)
    assert own_budget in callbacks.standard(seconds=own_budget)
    found = callbacks.standard(**own, seconds=datetime.timedelta(hours=1))
    assert all(each in found for each in own.values())
    (budget,) = (each for each in found if isinstance(each, callbacks.TimeBudget))
    assert budget.seconds == 3600


def test_guards_stand_where_the_check_wants_them():
    model = linear_model(optimizers.SGD(0.1))
    every = callbacks.standard(monitor="loss", nonfinite="skip", spikes=True)
    callbacks.check_callbacks(every, model)
    history = model.fit(**DATA, callbacks=every).history
    assert history["skipped_updates"] == history["skipped_spikes"] == [0]


def test_the_mode_of_a_metric_of_ones_own():
    found = callbacks.standard(monitor="val_profit", mode="max", plateau=2, progress=False)
    assert [each.mode for each in found if hasattr(each, "mode")] == ["max", "max"]


def test_epoch_order_goes_with_the_epoch_of_the_fit():
    rows = data.batches(X, X[:, :1], batch_size=16, seed=0)
    model = linear_model()
    model.fit(
        rows,
        epochs=6,
        initial_epoch=4,
        shuffle=False,
        verbose=0,
        callbacks=[callbacks.EpochOrder()],
    )
    assert rows.epoch == 6


def test_average_for_evaluation_is_what_validation_sees():
    class Seen(keras.callbacks.Callback):
        def on_test_end(self, logs=None):
            assert float(self.model.optimizer.is_average) == 1

        def on_train_batch_begin(self, batch, logs=None):
            assert float(getattr(self.model.optimizer, "is_average", 0)) == 0

    model = linear_model(optimizers.ScheduleFreeAdamW(0.1))
    every = [callbacks.AverageForEvaluation(), Seen()]
    model.fit(**DATA, **VALIDATION, epochs=2, callbacks=every)


@pytest.mark.parametrize("factory", [optimizers.SGD, keras.optimizers.SGD])
def test_schedule_takes_its_length_from_the_fit(factory):
    model = linear_model(factory(schedules.get("cosine", 0.1)))
    standard = callbacks.standard(progress=False)
    history = model.fit(**DATA, **VALIDATION, epochs=4, callbacks=standard).history
    expected = [cosine(epoch + 1, 4, 0.1) for epoch in range(4)]
    np.testing.assert_allclose(history["learning_rate"], expected, atol=1e-7)


def test_second_fit_and_initial_epoch():
    model = linear_model(optimizers.SGD(schedules.get("cosine", 0.1)))
    log = [callbacks.BindSchedule(), callbacks.LearningRateLog()]
    model.fit(**DATA, epochs=2, callbacks=log)
    again = model.fit(**DATA, epochs=4, callbacks=log).history["learning_rate"]
    np.testing.assert_allclose(again, [cosine(e + 1, 4, 0.1) for e in range(4)], atol=1e-7)
    rest = model.fit(**DATA, epochs=8, initial_epoch=4, callbacks=log).history["learning_rate"]
    np.testing.assert_allclose(rest, [cosine(e + 1, 8, 0.1) for e in range(4, 8)], atol=1e-7)


def test_schedule_that_nobody_binds_is_an_error():
    model = linear_model(optimizers.SGD(schedules.get("cosine", 0.1)))
    with pytest.raises(InputError, match="length of Cosine is not known"):
        model.fit(**DATA)


def test_unknown_steps_are_an_error():
    def forever():
        while True:
            yield X, X[:, :1]

    model = linear_model(optimizers.SGD(schedules.get("cosine", 0.1)))
    with pytest.raises(InputError, match="Pass `steps_per_epoch`"):
        model.fit(
            forever(), epochs=1, verbose=0, shuffle=False, callbacks=[callbacks.BindSchedule()]
        )


def test_plain_optimizer_refuses_a_second_fit():
    model = linear_model(keras.optimizers.SGD(schedules.get("cosine", 0.1)))
    model.fit(**DATA, callbacks=[callbacks.BindSchedule()])
    with pytest.raises(InputError, match="second fit"):
        model.fit(**DATA, callbacks=[callbacks.BindSchedule()])


class PressCtrlC(keras.callbacks.Callback):
    def __init__(self, epoch, times=1):
        super().__init__()
        self.epoch, self.times, self.seen = epoch, times, -1

    def on_epoch_begin(self, epoch, logs=None):
        self.seen = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.seen == self.epoch and batch == 1:
            for _ in range(self.times):
                os.kill(os.getpid(), signal.SIGINT)


def test_ctrl_c_ends_cleanly_with_the_best_weights():
    before = signal.getsignal(signal.SIGINT)
    standard = callbacks.standard(progress=False)
    interrupt = next(c for c in standard if isinstance(c, callbacks.Interrupt))
    stopping = next(c for c in standard if isinstance(c, callbacks.EarlyStopping))
    model = linear_model(keras.optimizers.SGD(3.0))
    fit = {**DATA, **VALIDATION, "epochs": 50}
    history = model.fit(**fit, callbacks=[*standard, PressCtrlC(3)])
    assert len(history.epoch) == 4
    assert interrupt.interrupted
    assert stopping.reason == "training was stopped"
    assert model.evaluate(X, X[:, :1], verbose=0) == pytest.approx(stopping.best, rel=1e-4)
    assert signal.getsignal(signal.SIGINT) is before


def test_second_ctrl_c_aborts():
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        linear_model().fit(**DATA, epochs=9, callbacks=[callbacks.Interrupt(), PressCtrlC(0, 2)])
    assert signal.getsignal(signal.SIGINT) is before


def test_training_in_another_thread_leaves_signals_alone():
    seen = []

    def train():
        linear_model().fit(**DATA, callbacks=[callbacks.Interrupt()])
        seen.append(True)

    thread = threading.Thread(target=train)
    thread.start()
    thread.join()
    assert seen == [True]


def test_progress_prints_a_line_per_epoch_and_marks_the_best():
    console = Console(file=io.StringIO(), width=200)
    standard = callbacks.standard()
    standard[-1].console = console
    linear_model().fit(**DATA, **VALIDATION, epochs=3, callbacks=standard)
    lines = console.file.getvalue().splitlines()
    assert len(lines) == 3
    assert lines[1].startswith("epoch 2/3  loss ")
    assert "val_loss" in lines[1]
    assert "lr 0.0100" in lines[1]
    assert lines[0].endswith("*")


def test_bad_input():
    with pytest.raises(InputError, match="`patience`"):
        callbacks.standard(patience="long")
    for argument in ("plateau", "checkpoint", "averaging"):
        with pytest.raises(InputError, match=f"`{argument}`"):
            callbacks.standard(**{argument: 0.5})
    with pytest.raises(InputError, match="`progress`"):
        callbacks.standard(progress=2)
    with pytest.raises(InputError, match="`mode` is needed"):
        callbacks.standard(monitor="joy")


def test_signals_come_back_after_failed_fits_and_doubled_callbacks():
    before = signal.getsignal(signal.SIGINT)

    class Fail(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            raise RuntimeError("on purpose")

    interrupt = callbacks.Interrupt()
    with pytest.raises(RuntimeError, match="on purpose"):
        linear_model().fit(**DATA, callbacks=[interrupt, Fail()])
    linear_model().fit(**DATA, callbacks=[interrupt])
    assert signal.getsignal(signal.SIGINT) == before
    linear_model().fit(**DATA, callbacks=[callbacks.Interrupt(), callbacks.Interrupt()])
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)
    signal.signal(signal.SIGINT, before)
