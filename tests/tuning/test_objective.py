"""The objective of a search: direction from the table, or given."""

import keras
import keras_tuner
import numpy as np
import pytest

from kerasrecipes._checks import InputError
from kerasrecipes.callbacks.monitor import direction
from kerasrecipes.tuning.objective import objective


@pytest.mark.parametrize(
    ("name", "better"),
    [
        ("val_loss", "min"),
        ("val_rmse", "min"),
        ("val_f1_score", "max"),
        ("val_auc_1", "max"),
        ("val_head_accuracy", "max"),
        ("head_loss", "min"),
    ],
)
def test_direction_follows_from_the_name(name, better):
    found = objective(name)
    assert isinstance(found, keras_tuner.Objective)
    assert (found.name, found.direction) == (name, better)
    assert found.direction == direction(name)


def test_every_log_entry_of_a_model_with_two_outputs_has_a_direction():
    inputs = keras.Input((3,))
    heads = {name: keras.layers.Dense(1, name=name)(inputs) for name in ("price", "area")}
    model = keras.Model(inputs, heads)
    model.compile(
        "sgd", "mse", metrics={"price": ["mae"], "area": [keras.metrics.RootMeanSquaredError()]}
    )
    x, y = np.zeros((4, 3)), {name: np.ones((4, 1)) for name in heads}
    history = model.fit(x, y, validation_data=(x, y), verbose=0).history
    assert len(history) >= 6
    assert {objective(name).direction for name in history} == {"min"}


def test_direction_can_be_given():
    assert objective("val_profit", "max").direction == "max"
    assert objective("val_accuracy", direction="min").direction == "min"


def test_unknown_names_are_refused_with_the_remedy():
    with pytest.raises(InputError, match='`direction` is needed.*val_profit.*direction="max"'):
        objective("val_profit")
    with pytest.raises(InputError, match="Did you mean 'val_accuracy'"):
        objective("val_acuracy")


@pytest.mark.parametrize("arguments", [("",), (None,), (3,), (["val_loss"],)])
def test_what_is_no_name_is_refused(arguments):
    with pytest.raises(InputError, match="`name` must be"):
        objective(*arguments)


def test_what_is_no_direction_is_refused():
    with pytest.raises(InputError, match="`direction` must be one of 'min', 'max'"):
        objective("val_loss", "lower")
