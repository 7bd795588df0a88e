"""Recipe files of tables: csv rows with texts and gaps, trained, evaluated and predicted."""

import numpy as np
import pandas as pd
import pytest

from kerasrecipes import InputError, runs

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
