"""The table of directions, and comparing."""

import math

import keras
import numpy as np
import pytest

import kerasrecipes as kr
from kerasrecipes._checks import InputError
from kerasrecipes.callbacks.monitor import MonitorCallback, direction

BETTER = {
    "min": "loss val_loss val_mae mean_squared_error val_rmse root_mean_squared_error huber "
    "val_head_loss kl_divergence poisson val_binary_crossentropy false_negatives",
    "max": "accuracy val_accuracy val_acc val_auc_1 auc f1_score val_f1_score val_r2 r2_score "
    "val_binary_io_u mean_iou cosine_similarity precision recall_2 top_k_categorical_accuracy "
    "true_positives precision_at_recall sparse_categorical_accuracy one_hot_mean_iou fbeta_score",
}
PAIRS = [(name, better) for better, names in BETTER.items() for name in names.split()]


@pytest.mark.parametrize(("name", "better"), PAIRS)
def test_direction(name, better):
    assert direction(name) == better
    assert direction(name, "min") == "min"


def test_unknown_name_asks_for_the_mode():
    with pytest.raises(InputError, match="`mode` is needed for monitor='val_joy'"):
        direction("val_joy")
    assert direction("val_joy", "max") == "max"
    with pytest.raises(InputError, match="`mode` must be one of"):
        direction("val_loss", "maximum")


@pytest.mark.parametrize(
    ("better", "best", "value", "delta", "expected"),
    [
        ("min", math.nan, 1.0, 0.0, True),
        ("min", 1.0, 1.0, 0.0, False),
        ("min", 1.0, 0.95, 0.1, False),
        ("min", 1.0, 0.85, 0.1, True),
        ("max", 1.0, 1.05, 0.1, False),
        ("max", 1.0, 1.15, 0.1, True),
        ("min", math.nan, math.nan, 0.0, False),
        ("max", 1.0, math.inf, 0.0, False),
        ("min", 1.0, -math.inf, 0.0, False),
    ],
)
def test_better(better, best, value, delta, expected):
    callback = MonitorCallback("val_loss", mode=better, min_delta=delta)
    callback.direction, callback.best = better, best
    assert callback.better(value) is expected


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"monitor": 3}, "`monitor`"),
        ({"monitor": "val_joy"}, "`mode` is needed"),
        ({"mode": "up"}, "`mode` must be one of"),
        ({"min_delta": -1}, "`min_delta` must be a number >= 0"),
    ],
)
def test_bad_input(arguments, message):
    with pytest.raises(InputError, match=message):
        MonitorCallback(**arguments)


class Model:
    target = None


def begun(**arguments):
    callback = MonitorCallback("val_loss", **arguments)
    callback.set_model(Model())
    callback.on_train_begin()
    return callback


def test_improves_remembers_the_best():
    callback = begun(min_delta=0.5)
    values = [math.nan, 3.0, 2.6, 2.4, math.inf, 2.0, 1.0]
    assert [callback.improves(v) for v in values] == [False, True, False, True, False, False, True]
    assert callback.best == 1.0


def test_gain():
    callback = begun()
    assert callback.gain(1.0, 3.0) == 2.0
    callback.direction = "max"
    assert callback.gain(1.0, 3.0) == -2.0
    assert math.isnan(callback.gain(math.nan, 3.0))


def test_a_misspelt_name_is_shown_the_right_one():
    with pytest.raises(InputError, match="Did you mean 'val_loss'"):
        direction("val_los", "auto")


def test_a_callback_of_the_users_own_may_add_the_entry():
    class Add(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["val_f1"] = 0.1 * epoch

    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    x, stopping = np.ones((4, 1)), kr.callbacks.EarlyStopping("val_f1")
    model.fit(x, x, epochs=3, verbose=0, callbacks=[Add(), stopping])
    assert stopping.best_epoch == 2
