"""How long estimators train, and with which callbacks."""

import keras
import numpy as np
import pytest

import kerasrecipes as kr
from kerasrecipes.estimators import _training
from kerasrecipes.estimators._training import Settings

DEFAULTS = Settings(0.2, 0, None, None, "auto", None, 0)
MATRIX = np.random.default_rng(0).normal(size=(50, 3))


def network(**arguments):
    return kr.recipes.mlp((3,), "binary", hidden=(2,), **arguments)


def kinds(callbacks):
    return [type(each).__name__ for each in callbacks]


def stopping(callbacks):
    return next(each for each in callbacks if isinstance(each, kr.callbacks.EarlyStopping))


def test_a_model_that_suggests_epochs_and_a_batch_size_gets_them():
    model = kr.recipes.tabular(MATRIX, "binary", form="mlp", hidden=(2,))
    assert _training._length(model, MATRIX, DEFAULTS) == model.suggestion == (100, 256)


def test_others_get_those_of_their_rows():
    assert _training._length(network(), MATRIX, DEFAULTS) == (40, 32)
    assert _training._length(network(), np.zeros((2_000, 5, 1)), DEFAULTS) == (20, 64)


def test_what_the_caller_says_comes_first():
    settings = DEFAULTS._replace(epochs=np.int64(3))
    assert _training._length(network(), MATRIX, settings) == (3, 32)
    with pytest.raises(kr.InputError, match="`batch_size` must be an integer >= 1"):
        _training._length(network(), MATRIX, DEFAULTS._replace(batch_size=0))


@pytest.mark.parametrize(("schedule", "patience"), [(None, 10), ("one_cycle", None)])
def test_a_rate_with_a_schedule_is_trained_to_its_end(schedule, patience):
    found = _training._callbacks(network(schedule=schedule), DEFAULTS, validates=True)
    assert stopping(found).patience == patience
    assert "Interrupt" not in kinds(found)  # Ctrl-C has to end a search
    assert "Progress" not in kinds(found)


def test_without_validation_rows_only_a_given_patience_stops():
    for patience in ("auto", None):
        settings = DEFAULTS._replace(patience=patience)
        assert "EarlyStopping" not in kinds(
            _training._callbacks(network(), settings, validates=False)
        )
    settings = DEFAULTS._replace(patience=3, verbose=1)
    found = _training._callbacks(network(), settings, validates=False)
    assert stopping(found).monitors == ["loss"]
    assert "Progress" in kinds(found)


def test_callbacks_are_copied():
    own = keras.callbacks.TerminateOnNaN()
    for given in (own, [own]):
        settings = DEFAULTS._replace(callbacks=given)
        last = _training._callbacks(network(), settings, validates=True)[-1]
        assert type(last) is type(own)
        assert last is not own


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"callbacks": 3}, "`callbacks` must be a list"),
        ({"patience": "long"}, "`patience` must be one of 'auto'"),
    ],
)
def test_other_settings_are_refused(settings, message):
    with pytest.raises(kr.InputError, match=message):
        _training._callbacks(network(), DEFAULTS._replace(**settings), validates=True)
