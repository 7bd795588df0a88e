"""Every clash is refused before the first batch, by name; what works together passes."""

import re

import keras
import numpy as np
import pytest
from keras import callbacks as stock

import kerasrecipes as kr
from kerasrecipes._checks import InputError
from kerasrecipes.callbacks._clashes import RULES
from kerasrecipes.callbacks.callback import Callback
from kerasrecipes.callbacks.callback_check import CallbackCheck, check_callbacks
from kerasrecipes.callbacks.checkpoint import Checkpoint
from kerasrecipes.callbacks.history_file import HistoryFile
from kerasrecipes.callbacks.non_finite import NonFinite
from kerasrecipes.callbacks.weight_averaging import WeightAveraging

X = np.ones((8, 2), "float32")


def model_with(optimizer):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(optimizer, "mse")
    return model


def schedule():
    return keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5)


def scheduled():
    return keras.optimizers.SGD(schedule())


def schedule_free():
    return kr.optimizers.ScheduleFreeAdamW(0.1)


def ema():
    return keras.optimizers.SGD(0.1, use_ema=True)


def checkpoint():
    return Checkpoint("saved")


class Model(Callback):
    """What a logger with `log_model` looks like to the check."""

    log_model = True


class Stateful(keras.callbacks.Callback):
    def state_dict(self):
        return {}

    def load_state_dict(self, state):
        pass


class Derived(stock.ReduceLROnPlateau):
    pass


def restoring(monitor="loss"):
    return stock.EarlyStopping(monitor, mode="min", restore_best_weights=True)


def best(path="best.keras"):
    return stock.ModelCheckpoint(path, monitor="loss", save_best_only=True)


def decay(epoch):
    return 0.1 / (epoch + 1)


CASES = {  # what is wrong: the callbacks, the optimizer, what the error says
    "rate_of_a_schedule": [
        (lambda: [stock.ReduceLROnPlateau("loss")], scheduled, "ReduceLROnPlateau .*Exponential"),
        (lambda: [stock.LearningRateScheduler(decay)], scheduled, "LearningRateScheduler .*Expon"),
        (lambda: [Derived("loss")], scheduled, "Derived .*callbacks.ReduceLROnPlateau"),
        (lambda: [Derived("loss")], lambda: kr.optimizers.SGD(schedule()), "Derived .*Exponenti"),
        (
            lambda: [Derived("loss")],
            lambda: kr.optimizers.Lookahead(kr.optimizers.SGD(schedule())),
            "Derived .*Exponential",
        ),
    ],
    "rate_set_anew": [
        (
            lambda: [stock.ReduceLROnPlateau("loss"), stock.LearningRateScheduler(decay)],
            "sgd",
            "undoes each cut of keras.callbacks.ReduceLROnPlateau",
        ),
    ],
    "rate_adapted_twice": [
        (lambda: [kr.callbacks.Hypergradient(), kr.callbacks.Hypergradient()], "sgd", "2 times"),
        (
            lambda: [stock.ReduceLROnPlateau("loss"), kr.callbacks.Hypergradient()],
            "sgd",
            "Use kerasrecipes.callbacks.ReduceLROnPlateau",
        ),
    ],
    "two_that_save": [
        (lambda: [checkpoint(), stock.BackupAndRestore("backup")], "sgd", "of Checkpoint. Leave"),
        (lambda: [WeightAveraging("swa"), stock.BackupAndRestore("b")], "sgd", "WeightAveraging"),
    ],
    "two_that_average": [
        (lambda: [checkpoint(), stock.SwapEMAWeights()], ema, "back of Checkpoint"),
        (lambda: [WeightAveraging("swa"), stock.SwapEMAWeights()], ema, "back of WeightAver"),
        (
            lambda: [kr.callbacks.AverageForEvaluation(), stock.SwapEMAWeights()],
            schedule_free,
            "back of AverageForEvaluation",
        ),
    ],
    "average_before_the_save": [
        (lambda: [kr.callbacks.Checkpoint("unused")], ema, "Checkpoint .*use_ema=True"),
    ],
    "best_over_the_average": [
        (lambda: [kr.callbacks.EarlyStopping("loss")], ema, ": EarlyStopping .*use_ema=True"),
        (lambda: [restoring()], ema, "keras.callbacks.EarlyStopping .*use_ema=True"),
        (
            lambda: [restoring()],
            lambda: keras.optimizers.LossScaleOptimizer(ema()),
            "keras.callbacks.EarlyStopping .*use_ema=True",
        ),
    ],
    "only_one": [
        (lambda: [checkpoint(), Checkpoint("other")], "sgd", "Checkpoint and Checkpoint"),
        (
            lambda: [kr.callbacks.EarlyStopping("loss"), restoring("val_loss")],
            "sgd",
            r"EarlyStopping \(monitor='loss'\) and keras.callbacks.EarlyStopping",
        ),
    ],
    "state_that_is_lost": [
        (lambda: [checkpoint(), stock.EarlyStopping("loss")], "sgd", "keras.callbacks.EarlySt"),
        (lambda: [checkpoint(), Derived("loss")], "sgd", "Derived forgets its state when Check"),
        (lambda: [checkpoint(), best()], "sgd", "keras.callbacks.ModelCheckpoint forgets"),
        (lambda: [checkpoint(), stock.CSVLogger("log.csv")], "sgd", "Use .*HistoryFile"),
        (
            lambda: [checkpoint(), stock.TensorBoard("logs", update_freq=1)],
            "sgd",
            "Use .*TensorBoardLogger",
        ),
    ],
    "nan_that_is_not_survived": [
        (
            lambda: [NonFinite("rollback"), stock.TerminateOnNaN()],
            lambda: kr.optimizers.SGD(0.1),
            r"NonFinite \('rollback'\) goes on",
        ),
    ],
    "plateau_before_the_stop": [
        (
            lambda: [
                kr.callbacks.ReduceLROnPlateau("loss", patience=5),
                kr.callbacks.EarlyStopping("loss", patience=5),
            ],
            "sgd",
            r"ReduceLROnPlateau \(patience=5\) would cut the rate when EarlyStopping",
        ),
    ],
    "checkpoint_first": [
        (
            lambda: [kr.callbacks.Interrupt(), checkpoint()],
            "sgd",
            "Interrupt stands before Checkpoint",
        ),
        (
            lambda: [kr.callbacks.AverageForEvaluation(), checkpoint()],
            "sgd",
            "AverageForEvaluation stands before Checkpoint",
        ),
        (lambda: [Stateful(), checkpoint()], "sgd", "Stateful stands before Checkpoint"),
        (
            lambda: [HistoryFile("history.csv"), checkpoint()],
            "sgd",
            "HistoryFile stands before Checkpoint.*Put Checkpoint first",
        ),
    ],
    "average_before_what_watches": [
        (
            lambda: [kr.callbacks.EarlyStopping("loss"), kr.callbacks.AverageForEvaluation()],
            schedule_free,
            "Put AverageForEvaluation before EarlyStopping",
        ),
        (lambda: [best(), WeightAveraging("swa")], "sgd", "before keras.callbacks.ModelCheckpoi"),
        (
            lambda: [Derived("loss"), WeightAveraging("swa")],
            "sgd",
            "Put WeightAveraging before Derived",
        ),
        (lambda: [NonFinite(), WeightAveraging("swa")], "sgd", "WeightAveraging before NonFinite"),
    ],
    "logs_before_readers": [
        (
            lambda: [HistoryFile("history.csv"), kr.callbacks.PenaltyLog()],
            "sgd",
            "Put PenaltyLog before HistoryFile",
        ),
        (
            lambda: [stock.CSVLogger("log.csv"), kr.callbacks.LearningRateLog()],
            "sgd",
            "Put LearningRateLog before keras.callbacks.CSVLogger",
        ),
        (
            lambda: [kr.callbacks.Progress(), kr.callbacks.GradientLog()],
            "sgd",
            "Put GradientLog before Progress",
        ),
        (
            lambda: [kr.callbacks.Progress(), NonFinite("skip")],
            lambda: kr.optimizers.SGD(0.1),
            "Put NonFinite before Progress",
        ),
        (
            lambda: [
                kr.callbacks.EarlyStopping("gradient_norm", mode="min"),
                kr.callbacks.GradientLog(),
            ],
            "sgd",
            "Put GradientLog before EarlyStopping",
        ),
    ],
    "model_after_the_best": [
        (
            lambda: [Model(), kr.callbacks.EarlyStopping("loss")],
            "sgd",
            "EarlyStopping before Model",
        ),
    ],
}


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def cases():
    for rule, each in CASES.items():
        for count, case in enumerate(each):
            yield pytest.param(rule, *case, id=f"{rule}-{count}")


def test_every_rule_has_a_case():
    assert set(CASES) == {rule.__name__ for rule in RULES}


class Untrained(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        raise AssertionError("training began")


@pytest.mark.parametrize(("rule", "make", "optimizer", "says"), list(cases()))
def test_clashes_are_refused_before_training(rule, make, optimizer, says):
    callbacks = make()
    model = model_with(optimizer if isinstance(optimizer, str) else optimizer())
    with pytest.raises(InputError, match=says):
        model.fit(X, X[:, :1], verbose=0, callbacks=[CallbackCheck(), *callbacks, Untrained()])
    found = {each.__name__ for each in RULES if list(each(callbacks, model))}
    assert rule in found


@pytest.mark.parametrize(
    ("make", "optimizer"),
    [
        (lambda: kr.callbacks.standard(), "sgd"),
        (lambda: kr.callbacks.standard(checkpoint="saved"), "sgd"),
        (lambda: [*kr.callbacks.standard(checkpoint="s"), HistoryFile("h.csv"), Model()], "sgd"),
        (lambda: kr.callbacks.standard(), schedule_free),
        (lambda: kr.callbacks.standard(), lambda: kr.optimizers.SGD(schedule())),
        (lambda: [restoring(), stock.ReduceLROnPlateau("loss"), stock.CSVLogger("l.csv")], "sgd"),
        (lambda: [restoring(), stock.EarlyStopping("loss")], "sgd"),
        (lambda: [best(), stock.BackupAndRestore("backup"), stock.TerminateOnNaN()], scheduled),
        (lambda: [stock.SwapEMAWeights(), stock.EarlyStopping("loss")], ema),
        (lambda: [kr.callbacks.AverageForEvaluation(), stock.SwapEMAWeights()], ema),
        (lambda: [kr.callbacks.EarlyStopping("loss", restore_best_weights=False)], ema),
        (lambda: [stock.LearningRateScheduler(decay)], "sgd"),
        (lambda: [kr.callbacks.Progress(), NonFinite("rollback")], "sgd"),
        (lambda: [NonFinite(), stock.TerminateOnNaN()], "sgd"),
        (lambda: [WeightAveraging("swa"), kr.callbacks.EarlyStopping("loss"), best()], "sgd"),
        (lambda: [kr.callbacks.EarlyStopping("loss"), kr.callbacks.AverageForEvaluation()], "sgd"),
        (lambda: [kr.callbacks.EarlyStopping("loss"), kr.callbacks.LearningRateLog()], "sgd"),
        (
            lambda: [
                kr.callbacks.ReduceLROnPlateau("loss", patience=9),
                kr.callbacks.EarlyStopping("val_loss", patience=5),
                kr.callbacks.EarlyStopping("loss", patience=None, restore_best_weights=False),
            ],
            "sgd",
        ),
        (lambda: [kr.callbacks.LearningRateLog(), kr.callbacks.LearningRateLog()], "sgd"),
        (
            lambda: [
                checkpoint(),
                kr.callbacks.Interrupt(),
                stock.CSVLogger("log.csv", append=True),
                stock.ModelCheckpoint("{epoch}.keras"),
                stock.TensorBoard("logs"),
                stock.LambdaCallback(),
                Stateful(),
            ],
            "sgd",
        ),
    ],
)
def test_what_works_together_passes(make, optimizer):
    check_callbacks(make(), model_with(optimizer if isinstance(optimizer, str) else optimizer()))


def test_all_problems_are_told_at_once():
    callbacks = [kr.callbacks.Progress(), stock.EarlyStopping("loss"), kr.callbacks.PenaltyLog()]
    with pytest.raises(InputError) as error:
        check_callbacks([*callbacks, checkpoint()], model_with("sgd"))
    lines = str(error.value).splitlines()
    assert lines[0] == "`callbacks` cannot work together:"
    assert len(lines) == 4
    assert all(re.match(r"- .*\. (Use|Put) ", line) for line in lines[1:])


def test_uncompiled_models_are_left_to_keras():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    with pytest.raises(ValueError, match="compile"):
        model.fit(X, X, verbose=0, callbacks=[CallbackCheck()])
    check_callbacks(kr.callbacks.standard(), model)
