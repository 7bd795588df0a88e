"""From a file to a run folder within some seconds."""

import json
import time

import keras
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from kerasrecipes import InputError, runs
from kerasrecipes.runs import automatic
from kerasrecipes.runs._comparison import lowest

pytestmark = pytest.mark.usefixtures("plain_pictures")
RNG = np.random.default_rng(0)
N = 240
FRAME = pd.DataFrame(
    {
        "size": RNG.uniform(-2, 2, N),
        "age": RNG.uniform(-2, 2, N),
        "city": RNG.choice(["Bern", "Genf", None], N),
    }
)
FRAME["sold"] = np.where(FRAME["size"] * FRAME["age"] > 0, "yes", "no")  # not linear
SMALL = {"model.hidden": [32, 32], "model.members": 2, "model.learning_rate": 0.02}


@pytest.fixture(scope="module")
def csv(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "houses.csv"
    FRAME.to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def run(csv, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs")
    overrides = {**SMALL, "fit.epochs": 12}
    return runs.auto(csv, seconds=600, networks=1, overrides=overrides, out=out, quiet=True)


def test_the_folder_is_that_of_a_run_with_checks(run):
    names = {path.name for path in run.folder.iterdir()}
    assert names == {
        *("checks.json", "curves.png", "history.csv", "metrics.json", "model.keras"),
        *("predictions.npz", "recipe.toml", "report.html"),
    }
    checks = json.loads((run.folder / "checks.json").read_text())
    assert {each["status"] for each in checks["findings"]} & {"pass"}
    assert runs.evaluate(run.folder).differences == {}
    assert run.folder.parent.name == "houses"


def test_scores_of_all_are_kept_and_reported(run):
    compared = run.metrics["compared"]
    assert compared["kept"] in ("network", "mean")
    assert compared["name"] == "logistic regression"
    accuracy = {name: each["test"]["accuracy"] for name, each in compared["scores"].items()}
    assert accuracy["network"] > accuracy["baseline"]
    assert compared["scores"][compared["kept"]]["test"] == pytest.approx(run.test, rel=1e-5)
    page = (run.folder / "report.html").read_text()
    for words in ("Against the simplest model", "Logistic regression, test", "Checks"):
        assert words in page
    assert "--target COLUMN" in page


def test_the_model_takes_raw_rows(run):
    model = keras.saving.load_model(run.folder / "model.keras")
    strange = FRAME.drop(columns="sold")[:5].assign(city="Chur", size=np.nan)
    assert np.isfinite(model.predict(strange, verbose=0)).all()


@pytest.mark.slow
def test_its_recipe_trains_the_same_network(run, tmp_path):
    again = runs.train(run.folder / "recipe.toml", out=tmp_path, quiet=True)
    network = run.metrics["compared"]["scores"]["network"]["test"]
    assert again.test == pytest.approx(network, rel=1e-4)


def test_the_baseline_is_kept_where_it_is_better(csv, tmp_path):
    """A network that is hardly trained is worse than a linear model of what is linear."""
    frame = FRAME.assign(sold=np.where(FRAME["size"] > 0, "yes", "no"))
    frame.to_csv(tmp_path / "linear.csv", index=False)
    overrides = {**SMALL, "fit.epochs": 1, "model.learning_rate": 1e-9}
    found = runs.auto(
        tmp_path / "linear.csv", networks=1, overrides=overrides, out=tmp_path, quiet=True
    )
    assert found.metrics["compared"]["kept"] == "baseline"
    loaded = keras.saving.load_model(found.folder / "model.keras")
    assert loaded.name == "linear"
    assert runs.evaluate(found.folder).differences == {}


def test_nan_is_never_the_lowest():
    nan = float("nan")
    assert lowest({"network": nan, "baseline": 9.0, "mean": nan}) == "baseline"
    assert lowest({"network": 0.5, "baseline": 0.5, "mean": 0.6}) == "network"
    assert lowest({"network": nan}) == "network"


@pytest.mark.parametrize(
    ("left", "epochs", "is_small"), [(1e9, 25, False), (110.0, 10, False), (30.0, 3, True)]
)
def test_epochs_follow_from_the_time_that_is_left(csv, left, epochs, is_small, monkeypatch):
    """With an epoch of 11 seconds, and of 10 of the smaller network."""
    guess = automatic.inferred(csv, None)
    prepared, given = automatic._prepared(guess, csv, {}, 0)
    sizes = []

    def affordable(prepared, began, deadline):
        sizes.append(prepared.model.count_params())
        return int(left / (11 if len(sizes) == 1 else 10))

    monkeypatch.setattr(automatic, "_affordable", affordable)
    found = automatic._sized(prepared, given, 0.0, left)
    assert found.recipe.fit["epochs"] == found.recipe.fit["patience"] == epochs
    assert (found.recipe.model["members"] == 4) == is_small
    assert (len(sizes) == 2 and sizes[1] < sizes[0]) == is_small


def test_steps_are_timed_and_taken_back(csv):
    guess = automatic.inferred(csv, None)
    prepared, _ = automatic._prepared(guess, csv, {}, 0)
    before = prepared.model.get_weights()
    now = time.perf_counter()
    assert automatic._affordable(prepared, now, now + 1e5) > 1_000
    assert automatic._affordable(prepared, now, now) <= 0
    for old, new in zip(before, prepared.model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    assert int(prepared.model.optimizer.iterations) == 0


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["texts", "images", "values"])
def test_every_kind_of_data(kind, csv, tmp_path):
    path, target = tmp_path / "data", None
    if kind == "values":
        path, target = csv, "size"
    else:
        for name in ("dark", "light"):
            (path / name).mkdir(parents=True)
            for i in range(40):
                if kind == "texts":
                    (path / name / f"{i}.txt").write_text(f"a {name} text of number {i}")
                else:
                    grey = RNG.integers(0, 120, (12, 10)) + (120 if name == "light" else 0)
                    Image.fromarray(grey.astype("uint8")).save(path / name / f"{i}.png")
    found = runs.auto(path, target, seconds=30, out=tmp_path / "runs", quiet=True)
    assert np.isfinite(list(found.test.values())).all()
    if kind != "values":
        assert found.test["accuracy"] > 0.9
    assert (found.folder / "report.html").exists()


def test_bad_input(csv, tmp_path):
    for arguments, message in (
        ({"seconds": 0}, "`seconds`"),
        ({"networks": 0}, "`networks`"),
        ({"target": "price"}, "`target` must name a column"),
        ({"overrides": {"fit.epoch": 3}}, "Did you mean 'epochs'"),
        ({"overrides": {"model.hiden": [3]}}, "Did you mean 'hidden'"),
    ):
        with pytest.raises(InputError, match=message):
            runs.auto(csv, **{"out": tmp_path / "runs", "quiet": True, **arguments})
    assert not (tmp_path / "runs").exists()
