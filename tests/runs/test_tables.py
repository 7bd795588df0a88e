"""Recipe files of tables: csv rows with texts and gaps, trained, evaluated and predicted."""

import tomllib

import keras
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import kerasrecipes as kr
from kerasrecipes import InputError, runs
from kerasrecipes.cli.main import main
from kerasrecipes.recipes import TableModel
from kerasrecipes.runs import _space
from kerasrecipes.runs.load import inspect
from kerasrecipes.tuning._fit_runner import FitRunner

RECIPE = """
recipe = "tabular"
summary = "A table"

[data]
source = "csv"
path = "rows.csv"
target = "label"

[model]
hidden = [8]
members = 3

[fit]
epochs = 3
"""


@pytest.fixture
def folder(tmp_path):
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"size": random.normal(size=200), "city": random.choice(["u", "v"], 200)})
    frame["label"] = np.where(frame["size"] + (frame.city == "u") > 0.5, "yes", "no")
    frame.loc[::9, "size"] = frame.loc[::8, "city"] = np.nan
    frame.to_csv(tmp_path / "rows.csv", index=False)
    (tmp_path / "table.toml").write_text(RECIPE)
    return tmp_path


def test_a_run_of_a_table(folder):
    run = runs.train(folder / "table.toml", out=folder / "runs", quiet=True)
    evaluation = runs.evaluate(run.folder)
    assert evaluation.test == evaluation.recorded
    new = pd.DataFrame({"more": [1, 2], "city": ["new", None], "size": [None, 1.5]})
    new.to_csv(folder / "new.csv", index=False)
    found = runs.predict(run.folder, folder / "new.csv")
    assert list(found.table) == ["prediction", "probability_no", "probability_yes"]
    assert np.isfinite(found.table.iloc[:, 1:].to_numpy()).all()
    assert found.ignored == ("more",)


def test_preprocessing_is_refused(folder):
    with pytest.raises(InputError, match="preprocessing.scaling.*prepares its rows itself"):
        runs.train(
            folder / "table.toml",
            overrides=["preprocessing.scaling='standard'"],
            out=folder,
            quiet=True,
        )


def test_other_recipes_still_want_numbers(folder):
    with pytest.raises(InputError, match="'city' holds text"):
        runs.train(
            folder / "table.toml", overrides={"recipe": "mlp", "model": {}}, out=folder, quiet=True
        )


@pytest.fixture
def seen(monkeypatch):
    """The models of the trials, which are not trained; the later ones score worse."""
    found = []

    def fit(self, model, run, fold, stops):
        found.append((model, run, fold))
        while not run.ending:
            run.report(len(run.curve) / 1000 + len(found))

    monkeypatch.setattr(FitRunner, "_fit", fit)
    return found


@pytest.mark.usefixtures("plain_pictures")
def test_a_search_of_a_table_from_the_command_line(folder, seen):
    sets = ["fit.epochs=1", "fit.patience=1", 'tune.only=["dropout"]']
    options = [word for each in sets for word in ("--set", each)]
    done = CliRunner().invoke(
        main,
        ["tune", str(folder / "table.toml"), *options, "--trials", "2", "--quiet"]
        + ["--out", str(folder / "searches")],
    )
    assert done.exit_code == 0, done.output
    [found] = (folder / "searches" / "table").iterdir()
    assert [run.batch_size for _, run, _ in seen] == [32, 32]
    assert [model.recipe.arguments["members"] for model, *_ in seen] == [3, 3]
    assert {(fold.rows, len(fold.validation[1])) for *_, fold in seen} == {(120, 40)}
    model = keras.saving.load_model(found / "model.keras")
    assert isinstance(model, TableModel)
    assert (model.schema.rows, model.recipe.arguments["rows"]) == (160, 120)
    assert runs.evaluate(found).differences == {}
    best = tomllib.loads((found / "best.toml").read_text("utf-8"))
    assert (best["model"]["hidden"], best["model"]["members"]) == ([8], 3)
    assert best["fit"] == {"epochs": 1, "batch_size": 32, "patience": 1}
    run = runs.train(found / "best.toml", out=folder / "runs", quiet=True)
    assert run.metrics["data"]["rows"] == {"train": 120, "validation": 40, "test": 40}


def test_folds_of_a_table_standardise_their_own_labels(folder, seen):
    frame = pd.read_csv(folder / "rows.csv")
    frame.assign(label=np.arange(200.0) ** 2).to_csv(folder / "rows.csv", index=False)
    overrides = {"fit.epochs": 1, "tune.only": ["dropout"]}
    given = {"overrides": overrides, "folds": 2, "trials": 1, "quiet": True}
    result = runs.tune(folder / "table.toml", out=folder / "out", **given)
    for model, _, fold in seen:
        assert model.target == kr.targets.Regression().adapt(fold.train[1])
        assert model.schema.rows == fold.rows == 80
    assert result.search.model.recipe.arguments["rows"] == 80


WRITTEN = {
    "widths": "hidden = [64, 64]",
    "unequal widths": "hidden = [64, 32]",
    "widths of a form": 'form = "realmlp"\nhidden = [128, 128]',
    "widths that the form has": 'form = "realmlp"\nhidden = [512]',
    "no layer": 'form = "mlp"\nhidden = []',
    "members": 'form = "tabm"\nmembers = 4\nbins = 200\nweight_decay = 0.5',
    "what the form does not search": 'form = "realmlp"\nembedding_units = 4',
    "an optimizer": 'form = "mlp"\noptimizer = { name = "sgd", momentum = 0.8 }',
    "a rate of an optimizer": (
        'form = "mlp"\noptimizer = { name = "sgd", momentum = 0.9 }\nlearning_rate = 0.05'
    ),
    "a rate outside": "learning_rate = 0.5",
    "a schedule of a form": 'form = "mlp"\nschedule = { name = "cosine", warmup = 0.3 }',
    "what auto does not search": 'schedule = "constant"\nactivation = "gelu"',
    "columns": 'categorical = ["city"]\ncategory_units = 3',
}


@pytest.mark.parametrize("case", WRITTEN)
def test_the_first_guess_is_what_the_file_says_and_other_forms_are_left_alone(folder, case):
    text = RECIPE.replace("hidden = [8]\nmembers = 3", WRITTEN[case])
    (folder / "table.toml").write_text(text)
    recipe, problems = inspect(folder / "table.toml")
    made = _space.search_space(recipe, kr.targets.Multiclass(3), problems)
    assert problems == []
    first, _ = made.arguments({})
    for name, value in recipe.model.items():
        assert first[name] == (tuple(value) if isinstance(value, list) else value)
    own = kr.tuning.space("tabular", kr.targets.Multiclass(3))
    for form in {"auto", "tabm", "realmlp", "mlp"} - {first["form"]}:
        found, expected = (each.arguments({"form": form})[0] for each in (made, own))
        assert {n: v for n, v in found.items() if not n.startswith("categor")} == expected
