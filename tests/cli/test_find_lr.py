import pathlib

import pytest
from click.testing import CliRunner

import kerasrecipes as kr
from kerasrecipes import finders
from kerasrecipes.cli.main import main
from kerasrecipes.runs.load import inspect
from kerasrecipes.runs.prepare import prepare

SHORT = "--steps", 40, "--start", 1e-4


def call(*arguments):
    """Runs the command in this process."""
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.mark.slow
def test_it_shows_the_suggestions_of_the_recipe_and_draws_them(tmp_path):
    picture = tmp_path / "rates.png"
    result = call("find-lr", "iris-mlp", *SHORT, "--seed", 4, "--plot", picture)
    assert result.exit_code == 0, result.output
    prepared = prepare(*inspect("iris-mlp", seed=4))
    x, y = prepared.rows.parts["train"]
    rows = kr.data.batches(x, y, batch_size=prepared.recipe.fit["batch_size"], seed=4)
    expected = finders.learning_rate(prepared.model, rows, steps=40, start=1e-4)
    assert f"iris-mlp: {len(y)} training rows" in result.stdout
    for name, rate in expected.suggestions.items():
        assert f"{name:<18}  {rate:.2g}" in result.stdout
    assert result.stdout.endswith(f"--set model.learning_rate={expected.rate:.2g}\n")
    assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_quiet_prints_the_rate_only(tmp_path):
    recipe = tmp_path / "mine.toml"
    assert call("copy", "iris-mlp", recipe).exit_code == 0
    options = "--quiet", "--seed", 1, "--set", 'model.optimizer="sgd"'
    result = call("find-lr", recipe, *SHORT, *options)
    assert result.exit_code == 0, result.output
    assert 1e-3 < float(result.stdout) < 10.0
    assert result.stdout.count("\n") == 1
    assert sorted(tmp_path.iterdir()) == [recipe]  # it leaves nothing behind


def test_a_curve_that_tells_nothing_is_exit_code_1():
    result = call("find-lr", "iris-mlp", "--steps", 20, "--stop", 1e-5)
    assert result.exit_code == 1, result.output
    assert "the curve suggests no rate" in result.stderr


WRONG = {
    "no recipe": ([], "Missing argument 'RECIPE'"),
    "an unknown recipe": (["irsi-mlp"], "Did you mean 'iris-mlp'?"),
    "an interval of nothing": (["iris-mlp", "--start", 1, "--stop", 1], "--start must be less"),
    "too few steps": (["iris-mlp", "--steps", 9], "Invalid value for '--steps'"),
    "no folder": (["iris-mlp", "--plot", "no/such/x.png"], "there is no folder no"),
    "an unknown key": (["iris-mlp", "--set", "model.hiden=[8]"], "Did you mean 'hidden'?"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_said(case):
    arguments, message = WRONG[case]
    result = call("find-lr", *arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert not pathlib.Path("no").exists()
