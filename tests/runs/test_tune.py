import csv
import json
import shutil
import tomllib

import keras
import numpy as np
import pytest

import kerasrecipes as kr
from kerasrecipes import runs
from kerasrecipes._recipe_files import shipped
from kerasrecipes.runs import _space, search_folder, tuning
from kerasrecipes.runs.load import inspect
from kerasrecipes.tuning import _engine
from kerasrecipes.tuning.oracles.identify import METHODS
from tests.tuning.searched import held_by_another

pytestmark = pytest.mark.usefixtures("plain_pictures")

SMALL = {"tune.units": [4, 8], "tune.layers": 1, "tune.only": ["units", "dropout"]}
FILES = {"recipe.toml", "search.json", "oracle.json", "lock"}
ENDED = {"trials.csv", "best.toml", "report.html", "model.keras", "metrics.json"}


def tune(recipe, out, **given):
    overrides = {**SMALL, **given.pop("overrides", {})}
    return runs.tune(recipe, overrides=overrides, out=out, quiet=True, **{"trials": 2, **given})


def names(folder):
    return {path.name for path in folder.iterdir() if not path.name.startswith("trial_")}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The recipe of `table`, for searches that several tests look at."""
    rng = np.random.default_rng(0)
    path = tmp_path_factory.mktemp("tune")
    rows = [f"{'no' if a + b < 0 else 'yes'},{a:.4f},{b:.4f}" for a, b in rng.normal(size=(80, 2))]
    (path / "rows.csv").write_text("\n".join(["kind,one,two", *rows]) + "\n")
    (path / "table.toml").write_text(
        'recipe = "mlp"\nsummary = "two classes"\n[data]\nsource = "csv"\npath = "rows.csv"\n'
        'target = "kind"\n[model]\nhidden = [8]\n[fit]\nepochs = 2\n[expect]\ntest_accuracy = 0.9\n'
    )
    return path


@pytest.fixture(scope="module")
def found(folder):
    return tune(folder / "table.toml", folder / "out")


def test_the_folder_holds_everything(found):
    assert names(found.folder) == FILES | ENDED
    assert len(list(found.folder.glob("trial_*/record.json"))) == 2
    assert found.folder.parent.name == "table"
    with (found.folder / "trials.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [float(row["score"]) for row in rows] == [r.score for r in found.search.records]
    assert [int(row["units"]) for row in rows] == [r.values["units"] for r in found.search.records]
    assert "Search of mlp" in (found.folder / "report.html").read_text("utf-8")


def test_the_metrics_say_what_came_out(found):
    metrics = json.loads((found.folder / "metrics.json").read_text())
    assert metrics["ended"] == found.search.ended
    assert metrics["complete"]
    assert metrics["trials"] == {"completed": 2, "pruned": 0, "failed": 0}
    assert metrics["best"]["number"] == found.search.best.number
    assert metrics["data"]["rows"] == {"train": 48, "validation": 16, "test": 16}
    assert metrics["metrics"]["test"] == found.test
    assert set(found.test) == {"loss", "accuracy", "auc"}
    assert not found.interrupted


def test_the_model_is_that_of_the_best_trial_and_takes_raw_rows(found):
    model = keras.saving.load_model(found.folder / "model.keras")
    arguments = model.recipe.arguments
    assert tuple(arguments["hidden"]) == tuple(found.search.best.model["hidden"])
    assert runs.evaluate(found.folder).differences == {}
    rows = found.folder.parents[2] / "rows.csv"
    table = runs.predict(found.folder, rows).table
    assert set(table["prediction"]) <= {"no", "yes"}
    assert len(table) == 80


def test_the_best_recipe_is_a_file_that_trains(found, tmp_path):
    tables = tomllib.loads((found.folder / "best.toml").read_text("utf-8"))
    assert not {"tune", "expect"} & tables.keys()
    best = found.search.best
    assert tables["model"]["hidden"] == list(best.model["hidden"])
    assert tables["model"]["dropout"] == best.model["dropout"]
    assert tables["fit"]["batch_size"] == best.fit["batch_size"]
    run = runs.train(found.folder / "best.toml", out=tmp_path, quiet=True)
    assert run.metrics["data"]["rows"] == found.metrics["data"]["rows"]
    assert run.metrics["data"]["fingerprint"] == found.metrics["data"]["fingerprint"]


@pytest.mark.slow
def test_the_recipe_of_the_folder_repeats_the_search(found, tmp_path):
    tables = tomllib.loads((found.folder / "recipe.toml").read_text("utf-8"))
    assert tables["tune"]["trials"] == 2
    assert tables["tune"]["method"] == "random"
    again = runs.tune(found.folder / "recipe.toml", out=tmp_path, quiet=True)
    assert [dict(r.values) for r in again.search.records] == [
        dict(r.values) for r in found.search.records
    ]
    assert again.test == pytest.approx(found.test, rel=1e-4)


class Enough(Exception):
    pass


@pytest.fixture
def given(monkeypatch):
    """What `search` is called with, which then ends everything."""
    seen = {}

    def search(recipe, shape, target, data, **arguments):
        seen.update(arguments, target=target, data=data)
        raise Enough

    monkeypatch.setattr(tuning, "search", search)
    return seen


def parts(table):
    """The split of `table`, made another way than the recipe's."""
    rows = [line.split(",") for line in (table.parent / "rows.csv").read_text().split()[1:]]
    x = np.array([row[-2:] for row in rows], "float32")
    y = np.array([row[0] == "yes" for row in rows], "int64")
    return kr.data.split(x, y, validation=0.2, test=0.2, seed=0, stratify=True)


def lines(x):
    return {tuple(row) for row in np.asarray(x, "float32").tolist()}


@pytest.mark.parametrize("folds", [None, 3])
def test_the_test_rows_take_no_part(table, tmp_path, given, folds):
    with pytest.raises(Enough):
        tune(table, tmp_path / "out", folds=folds)
    expected = parts(table)
    seen = lines(given["data"][0])
    if folds is None:
        assert seen == lines(expected.train.x)
        assert lines(given["validation"][0]) == lines(expected.validation.x)
    else:
        assert seen == lines(expected.train.x) | lines(expected.validation.x)
        assert "validation" not in given
        assert given["folds"] == folds
    assert not (seen | lines(given.get("validation", ([],))[0])) & lines(expected.test.x)
    assert list((tmp_path / "out" / "table").iterdir()) == []


def test_the_best_is_trained_on_training_and_validation_rows(table, tmp_path, monkeypatch):
    seen = {}

    def refit(result, recipe, target, data, *_, **more):
        seen.update(x=data[0], prior=target.prior)
        raise Enough

    monkeypatch.setattr(tuning, "refit_model", refit)
    with pytest.raises(Enough):
        tune(table, tmp_path / "out", trials=1)
    expected = parts(table)
    assert lines(seen["x"]) == lines(expected.train.x) | lines(expected.validation.x)
    y = np.concatenate([expected.train.y, expected.validation.y])
    assert seen["prior"] == pytest.approx((y.sum() + 0.5) / (len(y) + 1))


def test_what_the_file_says_reaches_the_search(table, tmp_path, given):
    text = table.read_text() + (
        'batch_size = 16\npatience = 0\nmonitor = "val_loss"\n'
        '[preprocessing]\nscaling = "minmax"\n'
        '[tune]\nmethod = "zoom"\nseconds = 9\nrepeats = 2\nmetric = "auc"\n'
    )
    table.write_text(text)
    with pytest.raises(Enough):
        runs.tune(table, out=tmp_path / "out", quiet=True, repeats=3, seed=4)
    expected = {
        "method": "zoom",
        "trials": None,
        "seconds": 9,
        "repeats": 3,
        "metric": "auc",
        "epochs": 3,
        "patience": 1,
        "batch_size": 16,
        "seed": 4,
        "refit": False,
    }
    assert {name: given[name] for name in expected} == expected
    x = np.array([[1.0, 5.0], [3.0, 9.0]], "float32")
    np.testing.assert_allclose(given["preprocessing"](x)(x), [[0, 0], [1, 1]], atol=1e-6)


def space(tmp_path, text, target="Multiclass"):
    path = tmp_path / "mine.toml"
    path.write_text(f'recipe = "mlp"\n[data]\nsource = "sklearn"\nname = "iris"\n{text}')
    recipe, problems = inspect(path)
    assert problems == []
    made = _space.search_space(recipe, kr.targets.get({"kind": "multiclass", "classes": 3}), [])
    return made, recipe


WRITTEN = {
    "widths": "hidden = [64, 64]",
    "a pyramid": "hidden = [256, 128, 64]",
    "one layer": "hidden = [64]\nresidual = true",
    "widths of its own": "hidden = [100, 100, 100, 100, 100, 100, 100]",
    "any widths": "hidden = [512, 100]\nresidual = true",
    "no layer": "hidden = []",
    "a rate": "learning_rate = 0.005",
    "a rate outside": "learning_rate = 0.5",
    "a rate of another optimizer": 'learning_rate = 0.05\noptimizer = "sgd"',
    "an optimizer": 'optimizer = { name = "sgd", momentum = 0.8 }',
    "momentum with one cycle": (
        'optimizer = { name = "sgd", momentum = 0.8 }\nschedule = "one_cycle"'
    ),
    "keys of its own": 'optimizer = { name = "adamw", beta_1 = 0.8 }',
    "another optimizer": 'optimizer = "adagrad"\nlearning_rate = 0.1',
    "decay where it is rare": 'optimizer = "sgd"\nweight_decay = 0.01',
    "a schedule": 'schedule = { name = "cosine", warmup = 0.1 }',
    "a warm-up in epochs": 'schedule = { name = "cosine", warmup = "5 epochs" }',
    "another activation": 'activation = "mish"\nnormalization = "layer"',
    "selu": 'activation = "selu"\nnormalization = "none"',
    "selu, normalised": 'activation = "selu"\nnormalization = "layer"',
    "rates of dropout": "dropout = [0.1, 0.2, 0.3]",
    "no clipping": 'clip_norm = "none"',
    "clipping by history": 'clip_norm = "auto"',
    "what is not in the space": 'initializer = "he_normal"',
    "smoothing": "label_smoothing = 0.1",
}


def assert_says(argument, written):
    """Checks an argument; a name may have got keys of its own, which are searched."""
    if isinstance(argument, dict):
        written = {"name": written} if isinstance(written, str) else written
        argument = {key: argument[key] for key in written}
    written = None if written == "none" else written
    assert argument == (tuple(written) if isinstance(written, list) else written)


@pytest.mark.parametrize("case", WRITTEN)
def test_the_first_guess_is_what_the_file_says(tmp_path, case):
    made, recipe = space(tmp_path, f"[model]\n{WRITTEN[case]}\n[fit]\nbatch_size = 48\n")
    model, fit = made.arguments({})
    assert fit["batch_size"] == 48
    for name, value in recipe.model.items():
        assert_says(model[name], value)


@pytest.mark.parametrize("name", [n for n in sorted(shipped()) if n.endswith("-mlp")])
def test_the_first_guess_of_shipped_recipes(name):
    recipe, _ = inspect(name)
    made = _space.search_space(recipe, None, [])
    model, fit = made.arguments({})
    assert fit["batch_size"] == recipe.fit["batch_size"]
    for key, value in recipe.model.items():
        if key != "label_smoothing":
            assert_says(model[key], value)
    assert len(made.names) > 8


def test_a_value_of_the_file_becomes_part_of_the_space(tmp_path):
    made, _ = space(tmp_path, "[model]\nhidden = [100]\nlearning_rate = 0.5\n")
    assert made.parameters["units"].values == (32, 64, 100, 128, 256, 512)
    assert made.parameters["learning_rate"].high == 0.5
    assert {"units", "learning_rate", "activation"} <= set(made.names)


def test_what_the_file_leaves_to_a_schedule_stays_so(tmp_path):
    made, _ = space(tmp_path, '[model]\nschedule = "cosine"\n')
    assert made.arguments({})[0]["schedule"] == {"name": "cosine", "warmup": 0}
    assert made.parameters["warmup"].high == 0.2


def test_widths_that_no_hyperparameter_makes_stay_unless_they_are_named(tmp_path):
    text = "[model]\nhidden = [512, 100]\n"
    made, _ = space(tmp_path, text)
    assert made.fixed["hidden"] == (512, 100)
    made, _ = space(tmp_path, f"{text}[tune]\nunits = [64, 128]\n")
    assert made.parameters["units"].values == (64, 128)
    assert "layers" in made.names


def test_widths_of_texts_are_one_choice(tmp_path):
    path = tmp_path / "mine.toml"
    data = '[data]\nsource = "csv"\npath = "rows.csv"\ntext = "words"\ntarget = "kind"\n'
    path.write_text(f'recipe = "text"\n{data}[model]\nhidden = [64]\n')
    made = _space.search_space(inspect(path)[0], kr.targets.Binary(), [])
    assert made.arguments({})[0]["hidden"] == (64,)
    assert (64,) in made.parameters["hidden"].values


def test_the_section_changes_the_space(tmp_path):
    text = "[model]\ndropout = 0.3\n[tune]\n"
    text += (
        'dropout = { low = 0.0, high = 0.4 }\nactivation = ["relu", "gelu"]\noptimizer = "adamw"'
    )
    made, _ = space(tmp_path, text)
    assert made.parameters["dropout"].high == 0.4
    assert made.parameters["dropout"].default == 0.3
    assert made.parameters["activation"].values == ("relu", "gelu")
    assert made.fixed["optimizer"] == "adamw"
    assert "learning_rate" in made.names
    only, _ = space(tmp_path, f'{text}\nonly = ["dropout", "learning_rate"]')
    assert set(only.names) == {"dropout", "learning_rate"}
    assert only.parameters["dropout"].high == 0.4


def test_few_trials_search_little_of_it_around_the_file(tmp_path):
    made, _ = space(tmp_path, "[model]\nhidden = [64]\n[tune]\ntrials = 5\n")
    assert made.names == ("learning_rate",)
    assert made.arguments({})[0]["hidden"] == (64,)
    made, _ = space(tmp_path, "[tune]\ntrials = 5\ndropout = [0.1, 0.2]\n")
    assert len(made.names) > 8


def test_methods_are_those_of_the_package():
    assert {*METHODS, "gradient"} == set(runs.schema.METHODS)


WRONG = {
    "a method": ('method = "randm"', "line 12, tune.method: .*'random'"),
    "trials": ("trials = 0", "line 12, tune.trials: `trials` must be an integer >= 1"),
    "seconds": ("seconds = -1", "line 12, tune.seconds: `seconds` must be a number > 0"),
    "folds": ("folds = 1", "line 12, tune.folds: `folds` must be an integer >= 2"),
    "only": ('only = "dropout"', "line 12, tune.only: `only` must be an array of names"),
    "a name in only": ('only = ["droput"]', "line 12, tune.only: .*droput.*Did you mean 'dropout'"),
    "a metric": ('metric = "acuracy"', "line 12, tune.metric: .*Did you mean 'accuracy'"),
    "a key": ("trails = 3", "line 12, tune.trails: .*Did you mean 'trials'"),
    "a hyperparameter": ("droput = 0.1", "line 12, tune.droput: .*Did you mean 'dropout'"),
    "a range": (
        "dropout = { low = 0.5, high = 0.1 }",
        "line 12, tune.dropout: .*`high` must be a number > low=0.5",
    ),
    "half a range": ("dropout = { low = 0.5 }", "line 12, tune.dropout: .*a table of low and high"),
    "what the run gives": ("seed = [1, 2]", "line 12, tune.seed: comes from the run"),
    "serialised things": (
        'activation = [{ module = "os", class_name = "system" }]',
        "line 12, tune.activation.module: is refused",
    ),
    "two at once": ("trials = 0\ndroput = 1", "(?s)2 problems.*line 12, .*line 13"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_told_with_its_line(table, tmp_path, case):
    text, message = WRONG[case]
    table.write_text(f"{table.read_text()}[tune]\n{text}\n")
    for action in (
        lambda: runs.validate(table),
        lambda: runs.tune(table, out=tmp_path / "out", quiet=True),
    ):
        with pytest.raises(runs.RecipeError, match=message):
            action()
    assert not (tmp_path / "out").exists()


def test_what_only_the_data_show_is_told_too(table, tmp_path):
    with pytest.raises(runs.RecipeError, match=r"tune.folds \(override\): `folds` .*64 rows"):
        tune(table, tmp_path / "out", folds=65)
    assert list((tmp_path / "out" / "table").iterdir()) == []
    with pytest.raises(kr.InputError, match="`workers` must be an integer >= 1"):
        tune(table, tmp_path / "out", workers=0)


def test_train_ignores_the_section_and_show_shows_it(table, tmp_path):
    table.write_text(f"{table.read_text()}[tune]\ntrials = 5\nunits = [4, 8]\n")
    run = runs.train(table, overrides={"fit.epochs": 1}, out=tmp_path / "out", quiet=True)
    assert run.metrics["model"] == {"hidden": [8]}
    tables = tomllib.loads(runs.validate(table).to_toml())
    assert tables["tune"] == {"trials": 5, "units": [4, 8]}


@pytest.fixture
def interrupt(monkeypatch):
    """Ctrl-C once a trial has ended."""
    why = _engine.Engine._why_to_end

    def interrupted(engine):
        if engine._records.has_some:
            raise KeyboardInterrupt
        return why(engine)

    monkeypatch.setattr(_engine.Engine, "_why_to_end", interrupted)
    return monkeypatch


@pytest.mark.slow
def test_an_interrupted_search_has_everything_and_goes_on(table, tmp_path, interrupt, capsys):
    overrides = {**SMALL, "tune.only": ["units", "layers"], "tune.layers": [1, 2]}
    first = tune(table, tmp_path / "out", overrides={**overrides, "tune.method": "grid"})
    assert first.interrupted
    assert len(first.search.records) == 2
    assert names(first.folder) == FILES | ENDED
    interrupt.undo()
    assert runs.load_search(first.folder).ended == "Ctrl-C"
    text = (table.parent / "rows.csv").read_text()
    (table.parent / "rows.csv").write_text(text.replace("yes", "no", 1))
    with pytest.raises(kr.InputError, match="holds another one"):
        runs.resume_tune(first.folder, trials=4, quiet=True)
    assert runs.load_search(first.folder).ended == "Ctrl-C"
    (table.parent / "rows.csv").write_text(text)
    more = runs.resume_tune(first.folder, trials=4)
    assert more.search.records[:2] == first.search.records
    assert len(more.search.records) == 4
    assert more.metrics["complete"]
    assert f"search folder   {first.folder}" in capsys.readouterr().out
    with pytest.raises(kr.InputError, match="is complete"):
        runs.resume_tune(first.folder)


def test_an_interrupt_before_any_trial_has_ended_is_no_failure(table, tmp_path, monkeypatch):
    def run(engine):
        raise KeyboardInterrupt

    monkeypatch.setattr(_engine.Engine, "run", run)
    result = tune(table, tmp_path / "out")
    assert result.interrupted
    assert result.search.records == ()
    assert names(result.folder) >= {"recipe.toml", "trials.csv", "report.html", "metrics.json"}
    assert runs.load_search(result.folder).ended == "Ctrl-C"


@pytest.mark.slow
def test_the_end_of_the_time_leaves_everything(table, tmp_path):
    cut = tune(table, tmp_path / "out", trials=None, seconds=1e-6)
    assert names(cut.folder) == FILES | ENDED
    assert not cut.metrics["complete"]
    assert not cut.interrupted


@pytest.mark.slow
def test_a_search_in_which_all_fails_says_so(table, tmp_path):
    given = {"tune.learning_rate": 3e38, "tune.optimizer": "sgd", "tune.only": ["units"]}
    given |= {"tune.schedule": {"fix": "none"}, "tune.clip_norm": {"fix": "none"}}
    result = tune(table, tmp_path / "out", overrides=given)
    assert result.test == {}
    assert result.search.model is None
    assert names(result.folder) == FILES | {"trials.csv", "report.html", "metrics.json"}
    assert result.metrics["trials"]["failed"] == 2
    assert "finite" in result.metrics["warnings"][0]


def test_a_search_is_read_from_its_files_alone(found):
    read = runs.load_search(found.folder)
    assert read.records == found.search.records
    assert read.table() == found.search.table()
    assert read.warnings == found.search.warnings
    assert search_folder.summary(found.folder).endswith(f"ended: {found.search.ended}")
    assert read.space.names == found.search.space.names


def own(input_shape, target, *, units=4, seed=None):
    return kr.recipes.mlp(input_shape, target, hidden=(units,), seed=seed)


@pytest.mark.slow
def test_a_search_of_ones_own_function_is_read_and_may_be_running(tmp_path):
    x = np.random.default_rng(0).normal(size=(64, 3))
    y = (x[:, 0] > 0).astype("int64")
    made = kr.tuning.search(
        own,
        (3,),
        kr.targets.Binary(),
        (x, y),
        space=kr.tuning.SearchSpace(own, {"units": kr.tuning.Choice((2, 4))}),
        trials=2,
        epochs=1,
        refit=False,
        directory=tmp_path / "own",
        quiet=True,
    )
    read = runs.load_search(tmp_path / "own")
    assert read.records == made.records
    assert "not ended" in search_folder.summary(tmp_path / "own")
    (tmp_path / "own" / "trial_0001" / "record.json").unlink()
    assert len(runs.load_search(tmp_path / "own").records) == 1
    with pytest.raises(kr.InputError, match="not the folder of a search"):
        runs.load_search(tmp_path)
    with pytest.raises(kr.InputError, match="not the folder of a search"):
        runs.resume_tune(tmp_path / "own")


def test_the_folder_of_a_run_is_not_that_of_a_search(iris_run):
    with pytest.raises(kr.InputError, match="is the folder of a run"):
        runs.resume_tune(iris_run.folder)


def test_gradient_gives_a_recipe_with_the_rate_that_it_came_to(folder, tmp_path):
    result = tune(folder / "table.toml", tmp_path, method="gradient", trials=1)
    best = result.search.best
    assert best.values["learning_rate"] != best.model["learning_rate"]
    written = tomllib.loads((result.folder / "best.toml").read_text())
    assert written["model"]["learning_rate"] == pytest.approx(best.values["learning_rate"])
    assert set(result.test) == {"loss", "accuracy", "auc"}


def test_a_search_that_another_process_runs_is_left_alone(found, tmp_path):
    copy = shutil.copytree(found.folder, tmp_path / "table" / "copy")
    before = {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()}
    with held_by_another(copy), pytest.raises(kr.InputError, match="`directory` is in use"):
        runs.resume_tune(copy, trials=5, quiet=True)
    assert {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()} == before


def test_a_worker_of_a_search_writes_nothing(folder, found, tmp_path, monkeypatch):
    for name, value in {"IP": "127.0.0.1", "PORT": "1"}.items():
        monkeypatch.setenv(f"KERASTUNER_ORACLE_{name}", value)
    monkeypatch.setenv("KERASTUNER_TUNER_ID", "worker-1")
    given = []

    def search(*_, **arguments):
        given.append(arguments)
        return found.search

    monkeypatch.setattr(tuning, "search", search)
    copy = shutil.copytree(found.folder, tmp_path / "table" / "copy")
    before = {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()}
    began = tune(folder / "table.toml", tmp_path / "out")
    resumed = runs.resume_tune(copy, trials=5, quiet=True)
    assert began.folder is None
    assert resumed.folder is None
    assert resumed.test == {}
    assert not resumed.interrupted
    assert [each["directory"] for each in given] == [None, None]
    assert not (tmp_path / "out").exists()
    assert {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()} == before
