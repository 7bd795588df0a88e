"""Interrupt: Ctrl-C is in test_standard.py; here are SIGTERM and SIGHUP."""

import signal
import subprocess
import sys

import keras
import numpy as np
import pytest

from kerasrecipes import callbacks
from tests.forked import ROOT

X = np.random.default_rng(0).normal(size=(32, 3)).astype("float32")
DATA = {"x": X, "y": X[:, :1], "batch_size": 8, "verbose": 0, "shuffle": False}  # 4 steps
VALIDATION = {"validation_data": (X, X[:, :1])}
TERM, HUP, INT = signal.SIGTERM, signal.SIGHUP, signal.SIGINT


@pytest.fixture(autouse=True)
def _default_handlers():
    before = {number: signal.getsignal(number) for number in (INT, TERM, HUP)}
    for number in (TERM, HUP):
        signal.signal(number, signal.SIG_DFL)
    yield
    left = {number: signal.getsignal(number) for number in (TERM, HUP)}
    for number, handler in before.items():
        signal.signal(number, handler)
    assert set(left.values()) <= {signal.SIG_DFL, signal.SIG_IGN, print}


def linear_model():
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("adam", "mse")
    return model


class Send(keras.callbacks.Callback):
    """Sends signals to this process in the given epoch, at a batch or in validation."""

    def __init__(self, *signals, epoch=1, batch=1):
        super().__init__()
        self.signals, self.epoch, self.batch, self.batches = signals, epoch, batch, []

    def on_epoch_begin(self, epoch, logs=None):
        self.now = epoch
        self.batches.append(0)

    def on_train_batch_begin(self, batch, logs=None):
        self.batches[-1] += 1
        self.send(batch)

    def on_test_batch_begin(self, batch, logs=None):
        self.send("validation")

    def send(self, place):
        if (self.now, place) == (self.epoch, self.batch):
            for number in self.signals:
                signal.raise_signal(number)
            self.signals = ()


@pytest.mark.parametrize(("number", "code"), [(TERM, 143), (HUP, 129)])
@pytest.mark.parametrize("validation", [{}, VALIDATION])
def test_the_batch_is_finished_and_the_program_exits(number, code, validation):
    interrupt, send = callbacks.Interrupt(), Send(number)
    model = linear_model()
    with pytest.raises(SystemExit) as stop:
        model.fit(**DATA, **validation, epochs=9, callbacks=[interrupt, send])
    assert stop.value.code == code
    assert interrupt.interrupted
    assert send.batches == [4, 2]
    assert int(model.optimizer.iterations) == 6
    assert signal.getsignal(number) == signal.SIG_DFL


def train(folder, *others, epochs=5, data=None, **arguments):
    model = linear_model()
    checkpoint = callbacks.Checkpoint(folder)
    stopping = callbacks.EarlyStopping("val_loss")
    several = [checkpoint, callbacks.Interrupt(), stopping, *others]
    fitted = model.fit(**DATA, **VALIDATION, epochs=epochs, callbacks=several)
    weights = [w.tobytes() for w in model.get_weights()]
    return fitted.history, weights, stopping.state_dict(), checkpoint.resumed


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """What the training ends with that nothing interrupts."""
    *whole, _ = train(tmp_path_factory.mktemp("whole"))
    return whole


@pytest.mark.parametrize(
    ("batch", "place"),
    [(0, (1, 1)), (1, (1, 2)), (3, (2, 0)), ("validation", (2, 0))],
)
def test_checkpoint_has_saved_the_place(whole, tmp_path, batch, place):
    with pytest.raises(SystemExit):
        train(tmp_path / "parts", Send(TERM, batch=batch))
    *parts, resumed = train(tmp_path / "parts")
    assert resumed == place
    assert parts == whole


@pytest.mark.slow
def test_after_the_last_epoch_the_end_is_saved(whole, tmp_path):
    with pytest.raises(SystemExit):
        train(tmp_path / "parts", Send(TERM, epoch=4, batch="validation"))
    *parts, resumed = train(tmp_path / "parts")
    assert resumed == (5, 0)
    assert parts == whole


def test_signals_that_come_twice_do_no_harm():
    with pytest.raises(SystemExit) as stop:
        linear_model().fit(
            **DATA, epochs=9, callbacks=[callbacks.Interrupt(), Send(HUP, TERM, TERM)]
        )
    assert stop.value.code == 143


@pytest.mark.slow
def test_sigterm_after_ctrl_c_exits_and_ctrl_c_after_sigterm_aborts():
    before = signal.getsignal(INT)
    with pytest.raises(SystemExit):
        linear_model().fit(**DATA, epochs=9, callbacks=[callbacks.Interrupt(), Send(INT, TERM)])
    with pytest.raises(KeyboardInterrupt):
        linear_model().fit(**DATA, epochs=9, callbacks=[callbacks.Interrupt(), Send(TERM, INT)])
    assert signal.getsignal(INT) == before


@pytest.mark.parametrize("handler", [signal.SIG_IGN, print])
def test_an_ignored_signal_and_a_handler_of_the_program_stay(handler, capsys):
    signal.signal(HUP, handler)
    interrupt = callbacks.Interrupt()
    fitted = linear_model().fit(**DATA, epochs=3, callbacks=[interrupt, Send(HUP)])
    assert len(fitted.epoch) == 3
    assert not interrupt.interrupted
    assert signal.getsignal(HUP) == handler


def test_the_next_fit_is_an_ordinary_one():
    interrupt = callbacks.Interrupt()
    with pytest.raises(SystemExit):
        linear_model().fit(**DATA, epochs=3, callbacks=[interrupt, Send(TERM)])
    assert len(linear_model().fit(**DATA, epochs=3, callbacks=[interrupt]).epoch) == 3
    assert not interrupt.interrupted


def test_a_signal_after_a_failed_fit_is_not_swallowed():
    class Fail(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            raise RuntimeError("on purpose")

    before = signal.getsignal(INT)
    with pytest.raises(RuntimeError):
        linear_model().fit(**DATA, callbacks=[callbacks.Interrupt(), Fail()])
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(INT)
    assert signal.getsignal(INT) == before
    assert signal.getsignal(TERM) == signal.SIG_DFL


@pytest.mark.slow
def test_a_process_exits_with_the_code_of_the_signal():
    code = """
    import keras, numpy as np, os, signal, sys
    import kerasrecipes as kr
    class Send(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            os.kill(os.getpid(), signal.SIGTERM)
    model = kr.recipes.mlp((2,), kr.targets.Regression(), hidden=(4,))
    try:
        model.fit(np.eye(2), np.ones(2), epochs=9, callbacks=[kr.callbacks.Interrupt(), Send()])
    finally:
        print("cleaned up")
    print("went on")
    """
    program = "\n".join(line[4:] for line in code.splitlines())
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, timeout=120
    )
    assert done.returncode == 143, done.stderr[-2000:]
    assert "cleaned up" in done.stdout
    assert "went on" not in done.stdout
