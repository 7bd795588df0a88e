"""A recipe as a hypermodel: KerasTuner's own tuners search it, batch size and epochs included."""

import importlib.util
import sys
import types

import keras
import keras_tuner
import numpy as np
import pandas as pd
import pytest

import kerasrecipes as kr
from kerasrecipes._checks import InputError
from kerasrecipes.tuning.hypermodel import RecipeHyperModel, hypermodel
from kerasrecipes.tuning.objective import objective
from kerasrecipes.tuning.parameters import Choice, Float
from kerasrecipes.tuning.search_space import SearchSpace
from kerasrecipes.tuning.space import space

pytestmark = [
    pytest.mark.filterwarnings("ignore:currentThread:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:getName:DeprecationWarning"),
]
RNG = np.random.default_rng(0)
X = RNG.normal(size=(48, 4)).astype("float32")
Y = np.where(X[:, 0] > 0, "up", "down")
TARGET = kr.targets.Binary(["down", "up"])
SMALL = (
    space("mlp", TARGET)
    .fix(hidden=(4,), normalization=None, activation="tanh", optimizer="adamw")
    .choices(batch_size=(8, 16))
    .only("learning_rate", "batch_size")
)


@pytest.fixture(autouse=True)
def _tensorboard(monkeypatch):
    """KerasTuner imports it in each trial (T1); it is not what is tested here."""
    if importlib.util.find_spec("tensorboard") is None:
        parts = "tensorboard tensorboard.plugins tensorboard.plugins.hparams".split()
        for name in (*parts, "tensorboard.plugins.hparams.api"):
            monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
        sys.modules[parts[-1]].api = sys.modules["tensorboard.plugins.hparams.api"]


class Seen(keras.callbacks.Callback):
    """Writes down the batches of each epoch, and its own number."""

    made = []

    def __init__(self):
        super().__init__()
        self.steps = []
        self.made.append(self)

    def on_epoch_end(self, epoch, logs=None):
        self.steps.append(self.params["steps"])

    def __deepcopy__(self, memo):
        raise TypeError("a lock cannot be copied")


@pytest.fixture
def seen():
    Seen.made.clear()
    return Seen.made


def small(**arguments):
    defaults = {"space": SMALL, "epochs": 2, "callbacks": lambda: [Seen()]}
    return hypermodel(kr.recipes.mlp, (4,), TARGET, **{**defaults, **arguments})


def trained(made, *args, **kwargs):
    """The history of a trial at the first guess."""
    hp = keras_tuner.HyperParameters()
    model = made.build(hp)
    return made.fit(hp, model, *args, **{"verbose": 0, **kwargs})


@pytest.mark.slow
def test_random_search_tunes_rate_and_batch_size(tmp_path, seen):
    tuner = keras_tuner.RandomSearch(
        small(), objective("val_auc"), max_trials=3, directory=tmp_path, seed=2
    )
    assert {each.name for each in tuner.oracle.get_space().space} == set(SMALL.names)
    tuner.search(X, Y, validation_data=(X, Y), verbose=0)
    trials = [tuner.oracle.trials[key] for key in tuner.oracle.start_order]
    assert [trial.status for trial in trials] == ["COMPLETED"] * 3
    assert len(seen) == 3, "new callbacks for each trial"
    sizes = [trial.hyperparameters.get("batch_size") for trial in trials]
    assert set(sizes) == {8, 16}
    assert [each.steps for each in seen] == [[48 // size] * 2 for size in sizes]
    best = tuner.get_best_hyperparameters()[0]
    model = tuner.get_best_models()[0]
    assert model.recipe.arguments["learning_rate"] == best.get("learning_rate")
    assert model.recipe.arguments["hidden"] == (4,)
    found = model.evaluate(X, Y, verbose=0, return_dict=True)
    assert found["auc"] == pytest.approx(tuner.oracle.get_best_trials()[0].score, abs=1e-5)


def test_t8_keras_tuner_copies_callbacks_which_is_why_a_function_makes_them(tmp_path):
    """T8: what holds a lock or a file cannot be copied, and the search ends."""
    tuner = keras_tuner.RandomSearch(small(), objective("val_auc"), directory=tmp_path)
    with pytest.raises(keras_tuner.errors.FatalValueError, match="deep-copyable"):
        tuner.search(X, Y, validation_data=(X, Y), callbacks=[Seen()], verbose=0)


@pytest.mark.slow
def test_hyperband_sets_the_epochs(tmp_path, seen):
    tuner = keras_tuner.Hyperband(
        small(space=SMALL.fix(epochs=9)),
        objective("val_loss"),
        max_epochs=2,
        factor=2,
        directory=tmp_path,
        seed=2,
    )
    tuner.search(X, Y, validation_data=(X, Y), verbose=0)
    trials = tuner.oracle.trials.values()
    assert len(trials) == len(seen) >= 3
    assert {trial.status for trial in trials} == {"COMPLETED"}
    wanted = [
        trial.hyperparameters.get("tuner/epochs") - trial.hyperparameters.get("tuner/initial_epoch")
        for trial in trials
    ]
    assert [len(each.steps) for each in seen] == wanted


def test_oracle_without_new_entries_takes_the_declared_space(tmp_path, seen):
    oracle = keras_tuner.oracles.BayesianOptimizationOracle(
        objective=objective("val_loss"),
        max_trials=2,
        hyperparameters=SMALL.hyperparameters(),
        allow_new_entries=False,
        tune_new_entries=False,
    )
    tuner = keras_tuner.Tuner(oracle, small(epochs=1), directory=tmp_path)
    tuner.search(X, Y, validation_data=(X, Y), verbose=0)
    assert len(seen) == 2


def test_hyperparameters_of_the_tuner_override_the_space():
    hp = keras_tuner.HyperParameters()
    hp.Fixed("learning_rate", 0.123)
    assert small().build(hp).recipe.arguments["learning_rate"] == pytest.approx(0.123)
    assert [each.name for each in hp.space] == ["learning_rate", "batch_size"]


def test_labels_are_encoded_and_validation_split_off(seen):
    history = trained(small(), X, Y, validation_split=0.25, batch_size=None).history
    assert len(history["val_loss"]) == 2
    assert seen[0].steps == [36 // 8 + 1] * 2
    with pytest.raises(InputError, match="sideways"):
        trained(small(), X, np.where(X[:, 0] > 0, "up", "sideways"))


def test_weights_and_epochs_reach_fit(seen):
    space_of_epochs = SMALL.fix(epochs=3, batch_size=16)
    history = trained(small(space=space_of_epochs), x=X, y=Y, sample_weight=np.zeros(48), epochs=9)
    assert history.history["loss"] == [0.0] * 3
    assert seen[0].steps == [3] * 3


def test_the_same_seed_gives_the_same_trial():
    losses = [trained(small(seed=5), X, Y).history["loss"] for _ in range(2)]
    assert losses[0] == losses[1]
    assert trained(small(seed=6), X, Y).history["loss"] != losses[0]


def test_a_dataset_is_used_as_it_is_and_says_so(seen):
    data = kr.data.batches(X, TARGET.encode(Y), batch_size=12)
    made = small()
    with pytest.warns(UserWarning, match="`batch_size` is not tuned.*space.fix"):
        trained(made, data)
    trained(made, data)  # says it once
    trained(small(space=SMALL.fix(batch_size=32)), data)
    assert [each.steps for each in seen] == [[4, 4]] * 3


def test_a_batch_size_of_two_minds_is_refused():
    with pytest.raises(InputError, match="`batch_size` must be left out of the tuner's `search`"):
        trained(small(), X, Y, batch_size=32)


def test_arguments_that_are_not_searched():
    scaling = kr.data.normalization(X)
    made = hypermodel("mlp", (4,), TARGET, preprocessing=scaling, dropout=0.4, hidden=(3,))
    assert not {"dropout", "layers"} & set(made.space.names)
    model = made.build(keras_tuner.HyperParameters())
    assert model.recipe.arguments["preprocessing"] is scaling
    assert (model.recipe.arguments["dropout"], model.recipe.arguments["hidden"]) == (0.4, (3,))


def test_a_recipe_of_ones_own():
    def linear(input_shape, target, *, rate=0.1, loss="mse"):
        model = keras.Sequential([keras.Input(input_shape), keras.layers.Dense(target)])
        model.compile(keras.optimizers.SGD(rate), loss)
        return model

    own = SearchSpace(linear, {"rate": Float(0.01, 0.02), "batch_size": Choice((12, 24))})
    made = hypermodel(linear, (4,), 1, space=own, epochs=1, loss="mae", seed=0)
    assert isinstance(made, RecipeHyperModel)
    assert isinstance(made, keras_tuner.HyperModel)
    assert made.build(keras_tuner.HyperParameters()).loss == "mae"
    assert len(trained(made, X, X[:, :1]).history["loss"]) == 1


TABLE = pd.DataFrame({"size": X[:, 0], "kind": RNG.choice(["a", "b"], 48)})
TABLE.loc[::5, "size"] = TABLE.loc[::7, "kind"] = None
TINY = space("tabular", TARGET).fix(form="mlp", hidden=(4,))


def test_rows_of_a_table(seen):
    callbacks = lambda: [Seen()]  # noqa: E731
    made = hypermodel("tabular", TABLE, TARGET, space=TINY.fix(epochs=1), callbacks=callbacks)
    columns = {name: TABLE[name] for name in TABLE}
    for x in (TABLE, columns):
        history = trained(made, x, Y, validation_split=0.25).history
        assert len(history["val_auc"]) == 1
    sized = TINY.fix(epochs=1, batch_size=12)
    made = hypermodel("tabular", kr.data.TableSchema.from_dataframe(TABLE), TARGET, space=sized,
                      callbacks=callbacks)  # fmt: skip
    trained(made, TABLE, Y, validation_data=(TABLE, Y))
    assert [each.steps for each in seen] == [[1], [1], [4]]


def test_trials_are_as_long_as_their_model_suggests():
    made = hypermodel("tabular", TABLE, TARGET, space=TINY)
    model = made.build(keras_tuner.HyperParameters())
    asked = {}
    model.fit = lambda **given: asked.update(given)
    made.fit(keras_tuner.HyperParameters(), model, TABLE, Y)
    assert (asked["epochs"], asked["x"].batch_size) == model.suggestion == (100, 256)


def test_wrong_arguments_are_refused():
    with pytest.raises(InputError, match=r"Regression\(\).adapt\(y\)"):
        hypermodel("tabular", TABLE, "regression")
    for arguments, message in (
        ({"space": "mlp"}, "`space` must be a SearchSpace"),
        ({"space": SearchSpace(hypermodel_of_nobody, {"rate": 0.1})}, "`space` must be one of mlp"),
        ({"epochs": 0}, "`epochs` must be an integer >= 1"),
        ({"callbacks": [Seen]}, "`callbacks` must be a function.*lambda"),
        ({"seed": -1}, "`seed` must be an integer >= 0"),
        ({"dropuot": 0.1}, "`dropuot` must be one of.*Did you mean 'dropout'"),
    ):
        with pytest.raises(InputError, match=message):
            small(**arguments)


def hypermodel_of_nobody(input_shape, target, *, rate=0.1):
    """Another recipe."""
