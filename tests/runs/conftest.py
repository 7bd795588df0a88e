import numpy as np
import pytest

from kerasrecipes import runs


@pytest.fixture(scope="session")
def iris_run(tmp_path_factory):
    """One small run, for tests that only read it."""
    out = tmp_path_factory.mktemp("runs")
    return runs.train("iris-mlp", overrides={"fit.epochs": 4}, out=out, quiet=True)


@pytest.fixture
def table(tmp_path):
    """A csv file of two classes, and a recipe for it."""
    return write_table(tmp_path)


@pytest.fixture(scope="session")
def table_run(tmp_path_factory):
    """One run of such a recipe, for tests that only read it."""
    folder = tmp_path_factory.mktemp("table")
    return runs.train(write_table(folder), out=folder / "out", quiet=True)


def write_table(tmp_path):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(80, 2))
    rows = [f"{'no' if a + b < 0 else 'yes'},{i},{a:.4f},{b:.4f}" for i, (a, b) in enumerate(x)]
    (tmp_path / "rows.csv").write_text("\n".join(["kind,id,one,two", *rows]) + "\n")
    path = tmp_path / "table.toml"
    path.write_text(
        'recipe = "mlp"\n[data]\nsource = "csv"\npath = "rows.csv"\ntarget = "kind"\n'
        'drop = ["id"]\n[model]\nhidden = [8]\n[fit]\nepochs = 3\n'
    )
    return path
