"""Searches of recipes that take the rows of a table, or texts, as they are."""

import pickle

import keras
import numpy as np
import pandas as pd
import pytest

import kerasrecipes as kr
from kerasrecipes._checks import InputError
from kerasrecipes.recipes import TableModel
from kerasrecipes.tuning import _trainer
from kerasrecipes.tuning._fit_runner import FitRunner
from kerasrecipes.tuning._fold import make_folds
from kerasrecipes.tuning._plain_loss import with_plain_loss
from kerasrecipes.tuning._plan import Plan
from kerasrecipes.tuning.search import search

RNG = np.random.default_rng(0)
N = 60
FRAME = pd.DataFrame(
    {
        "size": RNG.normal(size=N),
        "city": RNG.choice(["u", "v", "w"], N),
        "zone": pd.Categorical(RNG.integers(1, 5, N)),
    },
    index=RNG.permutation(N),
)
FRAME.loc[FRAME.index[::7], "size"] = np.nan
FRAME.loc[FRAME.index[::9], "city"] = None
FRAME.iloc[5, 1] = "once"
VALUE = (np.nan_to_num(FRAME["size"]) + (FRAME.city == "u")).to_numpy(float) * 1000
NAME = np.where(VALUE > np.median(VALUE), "rich", "poor")
NAMES = kr.targets.Binary(["poor", "rich"])
TINY = kr.tuning.space("tabular").fix(form="mlp", hidden=(4,))


def run(folder, data=(FRAME, NAME), recipe="tabular", target=NAMES, **arguments):
    """Searches a tiny network with small defaults."""
    given = {"space": TINY, "trials": 1, "refit": False, "quiet": True}
    given |= arguments
    return search(recipe, None, target, data, directory=folder, **given)


@pytest.fixture
def seen(monkeypatch):
    """What would be trained: model, run and fold; the scores are made up."""
    found = []

    def fit(self, model, run, fold, stops):
        found.append((model, run, fold))
        while not run.ending:
            run.report(len(run.curve) / 1000 + len(found))

    monkeypatch.setattr(FitRunner, "_fit", fit)
    return found


def test_the_first_guess_is_the_recipe_trained_alone(tmp_path):
    weight = np.linspace(0.5, 2.0, N)
    [record] = run(tmp_path / "s", (FRAME, NAME, weight), epochs=2, metric="loss").records
    [fold] = make_folds(
        (FRAME, NAME, weight),
        NAMES,
        folds=None,
        validation=0.2,
        preprocessing=None,
        seed=0,
        table=True,
    )
    x, y, w = fold.train
    model = kr.recipes.tabular(x, NAMES, form="mlp", hidden=(4,), seed=0)
    history = model.fit(
        kr.data.batches(x, y, sample_weight=w, batch_size=model.suggestion.batch_size, seed=0),
        validation_data=fold.validation,
        epochs=2,
        verbose=0,
    ).history
    np.testing.assert_allclose(record.curves[0], history["val_loss"], rtol=1e-5)
    assert record.fit == {"batch_size": 256, "epochs": 2}


def test_each_fold_has_the_schema_and_the_labels_of_its_own_rows(tmp_path, seen):
    run(tmp_path / "s", (FRAME, VALUE), target="regression", folds=3)
    assert len(seen) == 3
    knows = []
    for model, _, fold in seen:
        x, y = fold.train
        assert model.schema == kr.data.TableSchema.from_dataframe(x, ignore="constant")
        assert model.target == kr.targets.Regression().adapt(y)
        city = next(each for each in model.schema.columns if each.name == "city")
        knows.append("once" in city.categories)
        assert knows[-1] == ("once" in set(x.city))
        codes = model.encode(fold.validation[0])["categorical"][:, 0]
        assert (codes[fold.validation[0].city == "once"] == 0).all()
    assert sorted(knows) == [False, True, True]


def test_a_target_that_has_seen_labels_stays_as_it_is(tmp_path, seen):
    target = kr.targets.Regression().adapt(VALUE * 2)
    run(tmp_path / "s", (FRAME, VALUE), target=target)
    assert seen[0][0].target == target


FORMS = {"auto": (25, 32, 25), "tabm": (200, 256, 16), "realmlp": (256, 256, 256)}
FORMS["mlp"] = (100, 256, 10)


def lengths(seen):
    return {
        model.recipe.arguments["form"]: (run.epochs, run.batch_size, run.patience)
        for model, run, _ in seen
    }


def test_runs_are_as_long_as_their_form_is_made_for(tmp_path, seen):
    space = kr.tuning.SearchSpace(
        "tabular", {"form": kr.tuning.Choice(tuple(FORMS)), "hidden": (4,)}
    )
    run(tmp_path / "own", space=space, method="grid", trials=None)
    assert lengths(seen) == FORMS
    seen.clear()
    given = {"epochs": 9, "batch_size": 8, "patience": 7}
    run(tmp_path / "given", space=space, method="grid", trials=None, **given)
    assert lengths(seen) == dict.fromkeys(FORMS, (9, 8, 7))
    seen.clear()
    run(tmp_path / "hyperband", space=space, method="hyperband", trials=4)
    assert {run.epochs for _, run, _ in seen} == {25}, "one measure for all: the first guess's"


def test_other_recipes_keep_their_lengths(tmp_path, seen):
    x, space = RNG.normal(size=(N, 2)), kr.tuning.space("mlp").fix(hidden=(4,))
    search("mlp", None, NAMES, (x, NAME), space=space, trials=1, population=0, refit=False,
           directory=tmp_path / "s", quiet=True)  # fmt: skip
    [(_, run, _)] = seen
    assert (run.epochs, run.batch_size, run.patience) == (100, 32, 10)


def test_the_rates_that_a_form_chooses_are_told(tmp_path, seen):
    space = kr.tuning.space("tabular").fix(hidden=(4,), members=2)
    [record] = run(tmp_path / "s", space=space.fix(form="auto")).records
    assert (record.model["learning_rate"], record.model["weight_decay"]) == (3e-3, 1e-2)
    model = seen[0][0]
    untuned = kr.recipes.tabular(seen[0][2].train[0], NAMES, hidden=(4,), members=2)
    found, expected = (each.optimizer.get_config() for each in (model, untuned))
    assert {**found, "name": ""} == {**expected, "name": ""}


@pytest.fixture
def built(monkeypatch):
    """The models that are trained at the end, and how; nothing is trained."""
    found = []

    def fit(self, data, **arguments):
        found.append((self, data, arguments))

    monkeypatch.setattr(TableModel, "fit", fit)
    return found


def test_the_model_of_the_end_is_that_of_all_rows(tmp_path, seen, built):
    columns = {name: FRAME[name].to_numpy() for name in ("zone", "city", "size")}
    columns["zone"] = FRAME["zone"]
    held_out = ({**columns, "more": columns["city"]}, VALUE + 1)
    result = run(
        tmp_path / "s", (FRAME, VALUE), target="regression", validation=held_out, refit=True
    )
    [(model, data, given)] = [each for each in built if each[0] is result.model]
    both = pd.concat([FRAME, FRAME])
    assert model.schema == kr.data.TableSchema.from_dataframe(both, ignore="constant")
    assert model.target == kr.targets.Regression().adapt([*VALUE, *(VALUE + 1)])
    assert (data.rows, data.batch_size) == (2 * N, 256)
    assert model.recipe.arguments["rows"] == N
    assert given["epochs"] == 1 + 10  # the best one, then the rate falls
    assert type(model.optimizer._learning_rate).__name__ == "WarmupStableDecay"


def test_a_form_with_a_schedule_of_its_own_comes_to_its_end(tmp_path, seen, built):
    space = kr.tuning.space("tabular").fix(form="auto", hidden=(4,), members=2)
    result = run(tmp_path / "s", space=space, refit=True)
    [(model, _, given)] = built
    assert type(model.optimizer._learning_rate).__name__ == "OneCycle"
    assert result.best.fit["epochs"] == 25
    assert given["epochs"] == result.best.epochs[0] == 1


def test_the_model_of_the_end_takes_raw_rows(tmp_path, seen):
    result = run(tmp_path / "s", epochs=1, refit=True)
    new = pd.DataFrame({"city": ["new", None], "size": [None, 1.5], "zone": [9, 1]})
    assert np.isfinite(result.model.predict(new, verbose=0)).all()
    assert result.model.evaluate(FRAME, NAME, verbose=0, return_dict=True)["accuracy"] > 0


def own(table, target, *, units=4, seed=None):
    """A recipe of one's own that says more of the columns."""
    return kr.recipes.tabular(
        table, target, form="mlp", hidden=(units,), categorical=["floor"], seed=seed
    )


def test_a_function_of_ones_own(tmp_path, seen):
    space = kr.tuning.SearchSpace(own, {"units": kr.tuning.Int(4, 8)})
    data = (FRAME.assign(floor=np.arange(N) % 3), VALUE)
    run(tmp_path / "s", data, own, "regression", space=space)
    [(model, run_, _)] = seen
    assert [each.name for each in model.schema.categorical] == ["city", "zone", "floor"]
    assert (run_.epochs, run_.batch_size) == (100, 32)


def test_a_search_goes_on_and_another_is_refused(tmp_path, seen):
    first = run(tmp_path / "s", trials=2)
    assert len(seen) == 2
    assert run(tmp_path / "s", trials=2).records == first.records
    assert len(seen) == 2
    numbers = FRAME.assign(zone=FRAME.zone.astype(int))
    for data, what in (
        ((FRAME, NAME, np.ones(N)), "weights"),
        ((FRAME.fillna({"city": "u"}), NAME), "data"),
        ((numbers, NAME), "categories"),
    ):
        with pytest.raises(InputError, match=f"holds another one .*[:;] {what}: "):
            run(tmp_path / "s", data, trials=2)


def test_rows_may_be_a_matrix(tmp_path, seen):
    matrix = RNG.normal(size=(N, 3))
    run(tmp_path / "s", (matrix, NAME), validation=(matrix[:9], NAME[:9]))
    assert [each.name for each in seen[0][0].schema.numeric] == ["0", "1", "2"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"preprocessing": kr.data.normalization}, "`preprocessing` must be left out for tabular"),
        ({"data": (FRAME, NAME[:-1])}, "one row per example"),
        ({"data": (FRAME.city, NAME)}, "`table` must be a DataFrame"),
        ({"data": FRAME}, "`data`"),
        ({"data": (FRAME.assign(size=pd.to_datetime(VALUE)), NAME)}, "'size' must hold numbers"),
        ({"validation": (FRAME[["size"]], NAME)}, "Missing: 'city'"),
        ({"target": "binary"}, "Give the target the names"),
        ({"space": {"form": "tabm", "members": 0}}, "`members` must be an integer >= 1"),
        ({"space": {"form": "mlp", "members": 4}}, "members = 4. .* left out for form='mlp'"),
        ({"space": {"categorical": {"fix": ["town"]}}}, "`categorical` must be names of columns"),
    ],
)
def test_wrong_arguments_are_told_before_training(tmp_path, arguments, message):
    with pytest.raises(InputError, match=message):
        run(tmp_path / "s", **arguments)


@pytest.mark.slow
def test_every_form_trains_also_in_other_processes(tmp_path):
    space = kr.tuning.SearchSpace(
        "tabular", {"form": kr.tuning.Choice(tuple(FORMS)), "hidden": (4, 4), "learning_rate": 0.01}
    )
    given = {"space": space, "method": "grid", "trials": None, "epochs": 1, "workers": 2}
    result = run(tmp_path / "s", (FRAME, VALUE), target="regression", refit=True, **given)
    assert [record.status for record in result.records] == ["completed"] * 4
    assert result.model.predict(FRAME, verbose=0).shape == (N, 1)


def test_a_shape_is_refused(tmp_path):
    with pytest.raises(InputError, match="`input_shape` must be None for tabular"):
        search("tabular", (3,), NAMES, (FRAME, NAME), directory=tmp_path / "s")


def test_each_fold_has_the_words_of_its_own_texts(tmp_path, seen):
    texts = [f"row{i} is {'good' if i % 2 else 'bad'}" for i in range(12)]
    space = kr.tuning.space("text").fix(form="ngrams", hidden=(4,))
    search("text", None, "binary", (texts, np.arange(12) % 2), space=space, trials=1, folds=2,
           population=0, refit=False, directory=tmp_path / "s", quiet=True)  # fmt: skip
    assert len(seen) == 2
    for model, _, fold in seen:
        words = {word for text in fold.train[0] for word in text.split()}
        assert model.recipe.arguments["texts"] == kr.data.TextSchema.from_texts(
            fold.train[0], max_tokens=20_000
        )
        assert len(words) == 6 + 3


def test_another_process_can_be_given_all_of_it():
    folds = make_folds(
        (FRAME, VALUE),
        kr.targets.Regression(),
        folds=2,
        validation=0.2,
        preprocessing=None,
        seed=0,
        table=True,
    )
    plan = Plan.checked(epochs=None, patience=None, batch_size=None, repeats=1, seed=0)
    made = _trainer.Trainer(
        kr.recipes.tabular, kr.targets.Regression(), TINY, folds, plan, "val_plain_loss", "min",
        population=16, keep_state=True,
    )  # fmt: skip
    assert not made.shares
    other = pickle.loads(pickle.dumps(made))
    arguments, _ = TINY.arguments({})
    models = [each.build(arguments, 0, 1) for each in (made, other)]
    assert models[0].schema == models[1].schema
    for one, two in zip(*(each.get_weights() for each in models), strict=True):
        np.testing.assert_array_equal(one, two)


def test_a_model_with_the_plain_loss_goes_to_another_process():
    target = kr.targets.Regression().adapt(VALUE)
    model = with_plain_loss(
        kr.recipes.tabular(FRAME, target, form="mlp", hidden=(4,), seed=0), target
    )
    other = pickle.loads(pickle.dumps(model))
    found = [each.evaluate(FRAME, VALUE, verbose=0, return_dict=True) for each in (model, other)]
    assert found[0]["plain_loss"] == pytest.approx(found[0]["loss"], rel=1e-5)
    assert found[1] == pytest.approx(found[0], rel=1e-6)
    assert isinstance(other.optimizer, keras.optimizers.Optimizer)
