"""Searches whose trials adapt their rate and decay."""

import keras
import numpy as np
import pytest

import kerasrecipes as kr
from kerasrecipes import InputError
from kerasrecipes.tuning._fold import make_folds
from kerasrecipes.tuning._gradient import settings, without_rates
from kerasrecipes.tuning._run import Run
from tests.tuning import searched


def run(folder, **arguments):
    return searched.run(folder, **{"method": "gradient", "every": 1, "beta": 0.1, **arguments})


def test_the_space_has_neither_rates_nor_decays():
    space = kr.tuning.space("mlp")
    fixed = without_rates(space)
    gone = {"learning_rate", "sgd_learning_rate", "lion_learning_rate", "weight_decay"}
    assert set(fixed.names) == set(space.names) - gone
    values = {"optimizer": "sgd", "schedule": "none"}
    model, _ = fixed.arguments(values)
    assert model["learning_rate"] == 0.01
    assert "weight_decay" not in model
    model, _ = fixed.arguments({**values, "optimizer": "lion"})
    assert (model["learning_rate"], model["weight_decay"]) == (1e-4, 0.01)


def test_a_trial_is_a_fit_with_the_callback(tmp_path):
    [record] = run(tmp_path / "s", trials=1).records
    [fold] = make_folds(
        (searched.X, searched.Y),
        kr.targets.Binary(),
        folds=None,
        validation=0.2,
        preprocessing="auto",
        seed=0,
    )
    model = kr.recipes.mlp((5,), kr.targets.Binary(), seed=0, **record.model)
    history = model.fit(
        kr.data.batches(*fold.train, batch_size=32, seed=0),
        validation_data=fold.validation,
        epochs=3,
        verbose=0,
        shuffle=False,
        callbacks=[kr.callbacks.Hypergradient(0.1, every=1, validation_data=fold.validation)],
    ).history
    best = record.epochs[0] - 1
    np.testing.assert_allclose(record.curves[0], history["val_loss"], rtol=1e-5)
    for name, start in (("learning_rate", 0.001), ("weight_decay", 0.01)):
        assert record.values[name] == pytest.approx(history[name][best], rel=1e-5)
        assert record.values[name] != pytest.approx(start, rel=1e-2)
        assert record.model[name] == start


@pytest.mark.slow
def test_the_refit_adapts_the_rate_and_keeps_the_decay(tmp_path):
    result = run(tmp_path / "s", trials=2, refit=True)
    decay = result.best.values["weight_decay"]
    assert result.model.recipe.arguments["weight_decay"] == pytest.approx(decay)
    assert result.model.optimizer.weight_decay == pytest.approx(decay)
    layer = kr.data.normalization(searched.X)
    model = {**result.best.model, "weight_decay": decay}
    expected = kr.recipes.mlp((5,), kr.targets.Binary(), preprocessing=layer, seed=0, **model)
    expected.fit(
        kr.data.batches(searched.X, searched.Y, batch_size=32, seed=0),
        epochs=result.best.epochs[0],
        verbose=0,
        shuffle=False,
        callbacks=[kr.callbacks.Hypergradient(0.1, validation_data=None)],
    )
    assert float(result.model.optimizer.learning_rate) == pytest.approx(
        float(expected.optimizer.learning_rate)
    )
    given = result.model.predict(searched.X, verbose=0)
    np.testing.assert_allclose(given, expected.predict(searched.X, verbose=0), rtol=1e-4)


class Count(keras.callbacks.Callback):
    fits = 0

    def on_train_begin(self, logs=None):
        Count.fits += 1


@pytest.mark.slow
def test_callbacks_of_the_user_come_too(tmp_path):
    run(tmp_path / "s", trials=2, callbacks=lambda: [Count()])
    assert Count.fits == 2


def test_other_options_are_another_search(tmp_path):
    first = run(tmp_path / "s", trials=1)
    assert run(tmp_path / "s", trials=1).records == first.records
    with pytest.raises(InputError, match=r"adapting.beta: 0.1 there, 0.2 here"):
        run(tmp_path / "s", trials=1, beta=0.2)
    with pytest.raises(InputError, match="method: 'gradient' there, 'RandomSearch' here"):
        searched.run(tmp_path / "s", trials=1)


def made(adapted, **model):
    return Run("0", 0, 0, model, 8, 1, 1, 1, "min", adapted=adapted)


def test_settings_are_geometric_means():
    runs = [made({"learning_rate": f, "weight_decay": 2.0}, learning_rate=0.1) for f in (1.0, 4.0)]
    assert settings([*runs, made({}, learning_rate=0.1)]) == {"learning_rate": pytest.approx(0.2)}
    assert settings([made({}, learning_rate=0.1)]) == {}


def test_a_rate_is_recorded_without_its_schedule(tmp_path):
    [record] = run(tmp_path / "s", trials=1, space={**searched.SPACE, "schedule": "cosine"}).records
    assert 0.0005 < record.values["learning_rate"] < 0.004


def test_wrong_options(tmp_path):
    with pytest.raises(InputError, match="`rule`"):
        run(tmp_path / "s", rule="neither")
    with pytest.raises(InputError, match="options.gamma"):
        run(tmp_path / "s", gamma=1)


@pytest.mark.parametrize("engine", ["hyperopt", None])
def test_wrong_engines(tmp_path, engine):
    with pytest.raises(InputError, match="`engine`"):
        searched.run(tmp_path / "s", engine=engine)
    with pytest.raises(InputError, match="`method` must be left out with engine='optuna'"):
        searched.run(tmp_path / "s", engine="optuna", method="grid")


@pytest.mark.extra
def test_optuna_as_the_engine(tmp_path):
    few = searched.run(tmp_path / "s", engine="optuna", trials=2, population=0)
    more = searched.run(tmp_path / "s", engine="optuna", trials=4, population=0)
    whole = searched.run(tmp_path / "whole", method="optuna", trials=4, population=0)
    assert more.records[:2] == few.records
    assert [facts[:4] for facts in searched.facts(more)] == [
        facts[:4] for facts in searched.facts(whole)
    ]
