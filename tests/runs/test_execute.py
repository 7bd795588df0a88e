import csv
import json
import tomllib
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_iris

import kerasrecipes as kr
from kerasrecipes import runs
from kerasrecipes.runs import execute
from tests.harness import representative

pytestmark = pytest.mark.usefixtures("plain_pictures")


def test_the_folder_holds_everything(iris_run):
    names = {path.name for path in iris_run.folder.iterdir()}
    assert names == {
        "recipe.toml",
        "model.keras",
        "history.csv",
        "metrics.json",
        "curves.png",
        "predictions.npz",
        "report.html",
    }
    with Image.open(iris_run.folder / "curves.png") as picture:
        assert picture.size[0] > 800
    assert "iris-mlp" in (iris_run.folder / "report.html").read_text("utf-8")


def test_metrics_say_what_was_trained_on_what(iris_run):
    metrics = json.loads((iris_run.folder / "metrics.json").read_text())
    assert metrics == json.loads(json.dumps(iris_run.metrics))
    assert metrics["seed"] == 0
    assert metrics["data"]["rows"] == {"train": 82, "validation": 30, "test": 38}
    assert (
        metrics["data"]["fingerprint"]
        == kr.data.load({"source": "sklearn", "name": "iris"}).fingerprint
    )
    assert metrics["versions"]["kerasrecipes"] == kr.__version__
    assert metrics["versions"]["keras"] == keras.__version__
    assert metrics["epochs"] == {"run": 4, "asked": 4, "best": iris_run.best_epoch}
    assert set(metrics["metrics"]) == {"train", "validation", "test"}
    assert list(metrics["metrics"]["test"]) == ["loss", "accuracy"]
    assert not metrics["interrupted"]


def test_the_history_has_a_row_per_epoch(iris_run):
    with (iris_run.folder / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2", "3", "4"]
    for name in ("loss", "val_loss", "learning_rate"):
        assert [float(row[name]) for row in rows] == list(iris_run.history[name])


def test_the_best_epoch_is_that_of_the_lowest_validation_loss(iris_run):
    assert iris_run.best_epoch == int(np.argmin(iris_run.history["val_loss"])) + 1
    best = min(iris_run.history["val_loss"])
    np.testing.assert_allclose(iris_run.metrics["metrics"]["validation"]["loss"], best, rtol=1e-5)


def test_the_saved_model_takes_raw_rows_and_repeats_the_test_metrics(iris_run):
    model = keras.saving.load_model(iris_run.folder / "model.keras")
    iris = load_iris()
    parts = kr.data.split(
        iris.data, iris.target, validation=0.2, test=0.25, seed=0, stratify="auto"
    )
    p = model.predict(parts.test.x, verbose=0).astype("float64")
    y = np.asarray(parts.test.y)
    loss = -np.log(p[np.arange(len(y)), y]).mean()
    np.testing.assert_allclose(iris_run.test["loss"], loss, rtol=1e-4)
    np.testing.assert_allclose(iris_run.test["accuracy"], (p.argmax(1) == y).mean(), rtol=1e-5)


def test_the_resolved_recipe_repeats_the_run(iris_run, tmp_path):
    tables = tomllib.loads((iris_run.folder / "recipe.toml").read_text("utf-8"))
    assert tables["fit"]["epochs"] == 4
    assert tables["split"]["seed"] == 0
    assert tables["model"]["normalization"] == "batch"
    assert tables["model"]["schedule"] == "none"
    again = runs.train(iris_run.folder / "recipe.toml", out=tmp_path, quiet=True)
    assert again.folder.parent == tmp_path / "recipe"
    assert again.metrics["metrics"] == iris_run.metrics["metrics"]
    assert again.history == iris_run.history


def test_another_seed_is_another_run(iris_run, tmp_path):
    other = runs.train("iris-mlp", overrides={"fit.epochs": 4}, seed=1, out=tmp_path, quiet=True)
    assert other.metrics["seed"] == 1
    assert other.test["loss"] != iris_run.test["loss"]


@pytest.mark.slow
def test_a_second_run_does_not_touch_the_first(table_run):
    first, out = table_run, table_run.folder.parents[1]
    before = {path.name: path.read_bytes() for path in first.folder.iterdir()}
    second = runs.train(out.parent / "table.toml", out=out, quiet=True)
    assert second.folder != first.folder
    assert second.folder.parent == first.folder.parent
    assert {path.name: path.read_bytes() for path in first.folder.iterdir()} == before


def test_the_recipe_is_written_before_training_starts(table, tmp_path, monkeypatch):
    seen = {}

    def look(run, prepared, console):
        seen.update({path.name: path.read_text() for path in run.iterdir()})
        raise KeyboardInterrupt

    monkeypatch.setattr(execute, "fit_in", look)
    with pytest.raises(KeyboardInterrupt):
        runs.train(table, out=tmp_path / "out", quiet=True)
    assert set(seen) == {"recipe.toml"}
    tables = tomllib.loads(seen["recipe.toml"])
    assert tables["data"]["path"] == str((tmp_path / "rows.csv").resolve())
    assert tables["target"] == {"kind": "binary", "classes": ["no", "yes"]}
    assert list((tmp_path / "out" / "table").iterdir()) == []


def test_an_interrupt_after_training_leaves_the_model(table, tmp_path, monkeypatch, capsys):
    def interrupt(prepared):
        raise KeyboardInterrupt

    monkeypatch.setattr(execute, "_evaluate", interrupt)
    with pytest.raises(KeyboardInterrupt):
        runs.train(table, out=tmp_path / "out")
    (run,) = (tmp_path / "out" / "table").iterdir()
    assert f"Stopped before the end: {run} holds the trained model" in capsys.readouterr().out
    names = {"recipe.toml", "model.keras", "checkpoint"}
    assert {path.name for path in run.iterdir()} == names
    with pytest.raises(kr.InputError, match="not complete: it has no metrics.json.*--resume"):
        runs.evaluate(run)
    monkeypatch.undo()
    result = runs.resume(run, quiet=True)
    assert result.folder == run
    assert result.metrics["resumed"] == f"after epoch {result.metrics['epochs']['run']}"
    assert result.metrics["resumed"] in (run / "report.html").read_text()
    assert {path.name for path in run.iterdir()} > {"metrics.json", "report.html"}
    assert not (run / "checkpoint").exists()
    with pytest.raises(kr.InputError, match="is complete. Train again for another one"):
        runs.resume(run)


def test_resume_goes_on_with_the_same_data_only(table, tmp_path, monkeypatch):
    def interrupt(prepared):
        raise KeyboardInterrupt

    monkeypatch.setattr(execute, "_evaluate", interrupt)
    with pytest.raises(KeyboardInterrupt):
        runs.train(table, out=tmp_path / "out", quiet=True)
    monkeypatch.undo()
    (run,) = (tmp_path / "out" / "table").iterdir()
    rows = tmp_path / "rows.csv"
    header, first, *rest = rows.read_text().splitlines()
    rows.write_text("\n".join([header, *rest, first]) + "\n")
    with pytest.raises(kr.InputError, match="is of another training"):
        runs.resume(run, quiet=True)
    with pytest.raises(kr.InputError, match="is not a run folder"):
        runs.resume(tmp_path, quiet=True)


def test_what_is_shown(table, tmp_path, capsys):
    result = runs.train(table, out=tmp_path / "out")
    out = capsys.readouterr().out
    for expected in (
        "mlp, 57 parameters",
        "hidden [8]",
        "csv: rows.csv, rows of shape (2,)",
        "train 48, validation 16, test 16",
        "binary",
        "up to 3 epochs, batch size 32, patience 10 on val_loss",
        "cpu:0",
        "epoch 3/3",
        f"run folder  {result.folder}",
    ):
        assert expected in out
    accuracy = f"{result.test['accuracy']:.4f}"
    assert any(line.startswith("Accuracy") and accuracy in line for line in out.splitlines())
    assert out.index(str(result.folder)) < out.index("epoch 1/3")


def test_a_diverged_run_is_recorded_as_such(table, tmp_path):
    overrides = ["model.optimizer=sgd", "model.learning_rate=1e30", "model.clip_norm=none"]
    overrides += ["model.normalization=none", "target.kind=regression", "data.target=one"]
    overrides += ['data.drop=["id", "kind"]', "fit.batch_size=8"]
    result = runs.train(table, overrides=overrides, out=tmp_path / "out", quiet=True)
    assert result.best_epoch is None
    metrics = json.loads((result.folder / "metrics.json").read_text())
    assert metrics["metrics"]["test"]["loss"] is None
    assert "never finite" in metrics["stopped"]
    assert runs.evaluate(result.folder).differences == {}


KINDS = "regression", "robust", "text", "images", "multilabel"


@pytest.mark.parametrize("kind", representative(KINDS, "text", "images"))
def test_every_kind_of_data_and_target_trains(kind, tmp_path):
    path = tmp_path / "mine.toml"
    rng = np.random.default_rng(0)
    data, target = MAKE[kind](tmp_path, rng)
    path.write_text(
        f'recipe = "mlp"\n[data]\n{data}\n[target]\n{target}\n[model]\nhidden = [4]\n'
        "[fit]\nepochs = 1\n"
    )
    result = runs.train(path, out=tmp_path / "out", quiet=True)
    assert all(np.isfinite(value) for value in result.test.values())
    assert runs.evaluate(result.folder).differences == {}


def _values(folder: Path, rng, target='kind = "regression"'):
    x = rng.normal(size=(40, 3))
    np.savez(folder / "data.npz", x=x, y=x.sum(axis=1) + 100)
    return 'source = "npz"\npath = "data.npz"', target


def _robust(folder: Path, rng):
    return _values(folder, rng, 'kind = "regression"\nrobust = true')


def _text(folder: Path, rng):
    rows = [
        f'"{"good" if i % 2 else "bad"} thing {i}",{"pos" if i % 2 else "neg"}' for i in range(40)
    ]
    (folder / "texts.csv").write_text("\n".join(["words,mood", *rows]) + "\n")
    return (
        'source = "csv"\npath = "texts.csv"\ntext = "words"\ntarget = "mood"',
        'kind = "binary"\nclasses = ["neg", "pos"]',
    )


def _images(folder: Path, rng):
    for name in ("dark", "light"):
        (folder / "images" / name).mkdir(parents=True)
        for i in range(12):
            pixels = rng.integers(0, 120, (6, 5, 3)) + (120 if name == "light" else 0)
            Image.fromarray(pixels.astype("uint8")).save(folder / "images" / name / f"{i}.png")
    return 'source = "images"\npath = "images"', 'kind = "binary"\nclasses = ["dark", "light"]'


def _multilabel(folder: Path, rng):
    x = rng.normal(size=(60, 3)).astype("float32")
    np.savez(folder / "data.npz", x=x, y=(x[:, :2] > 0).astype("int32"))
    return 'source = "npz"\npath = "data.npz"', 'kind = "multilabel"\nlabels = ["a", "b"]'


MAKE = {
    "regression": _values,
    "robust": _robust,
    "text": _text,
    "images": _images,
    "multilabel": _multilabel,
}


@pytest.mark.parametrize("name", sorted(kr._recipe_files.shipped()))
def test_every_shipped_recipe_is_valid(name):
    recipe = runs.validate(name)
    assert recipe.summary
    assert recipe.target
