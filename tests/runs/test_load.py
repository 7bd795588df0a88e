import tomllib

import pytest

from kerasrecipes.runs import RecipeError, schema
from kerasrecipes.runs.load import inspect, read, toml_value

MINIMAL = 'recipe = "mlp"\n[data]\nsource = "sklearn"\nname = "iris"\n'


@pytest.fixture
def minimal(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(MINIMAL)
    return path


def test_defaults_are_filled_in(minimal):
    recipe = read(minimal)
    assert recipe.name == "mine"
    assert recipe.seed == 0
    assert recipe.fit == {"epochs": 100, "batch_size": 32, "patience": 10}
    assert recipe.split == {"validation": 0.2, "test": 0.2, "stratify": "auto"}
    assert recipe.target == recipe.model == recipe.preprocessing == {}


def test_overrides_win_and_come_in_two_forms(minimal):
    strings = ["fit.epochs=5", "model.hidden=[64, 64]", "model.activation=selu", "seed=3"]
    mapping = {
        "fit.epochs": 5,
        "model.hidden": [64, 64],
        "model.activation": "selu",
        "seed": 3,
    }
    recipe = read(minimal, overrides=strings)
    assert recipe == read(minimal, overrides=mapping)
    assert recipe.model == {"hidden": [64, 64], "activation": "selu"}
    assert recipe.fit["epochs"] == 5
    assert recipe.seed == 3
    assert read(minimal, overrides=strings, seed=7).seed == 7


def test_an_override_reaches_into_a_nested_table(minimal):
    recipe = read(minimal, overrides=["model.optimizer.name=sgd", "model.optimizer.momentum=0.9"])
    assert recipe.model["optimizer"] == {"name": "sgd", "momentum": 0.9}


def test_the_resolved_file_reads_back_as_the_same_recipe(minimal, tmp_path):
    recipe = read(minimal, overrides=["model.hidden=[64, 64]", "summary='a \"b\" [\\n] c'"])
    path = tmp_path / "again" / "mine.toml"
    path.parent.mkdir()
    path.write_text(recipe.to_toml(), "utf-8")
    again = read(path)
    assert again.tables() == recipe.tables()
    assert "hidden = [64, 64]" in recipe.to_toml()


@pytest.mark.parametrize(
    "value",
    [
        [],
        [1, 2, 3],
        ["a, b", "c]", 'd"'],
        [[1, 2], [3, 4]],
        list(range(100)),
        {"name": "x", "rates": [0.1, 0.2]},
        [{"a": 1}, {"b": [1, 2]}],
        "two\nlines",
    ],
)
def test_arrays_on_one_line_stay_the_same_toml(minimal, value):
    recipe = read(minimal, overrides={"model.thing": value})
    assert tomllib.loads(recipe.to_toml())["model"]["thing"] == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("-0.5", -0.5),
        ("true", True),
        ('"a b"', "a b"),
        ("'literal'", "literal"),
        ("[1, 2]", [1, 2]),
        ("{ a = 1 }", {"a": 1}),
        ("one_cycle", "one_cycle"),
        ("data/my-file.csv", "data/my-file.csv"),
    ],
)
def test_values_are_toml_and_bare_words_are_strings(text, value):
    assert toml_value(text) == value


def test_all_problems_come_at_once_in_the_order_of_the_lines(tmp_path):
    path = tmp_path / "bad.toml"
    path.write_text(
        'recipe = "mlp"\nsed = 1\n[data]\nname = "iris"\n[fit]\nepochs = "ten"\n'
        "patience = -1\n[modle]\nhidden = []\n"
    )
    with pytest.raises(RecipeError) as caught:
        read(path, overrides=["split.test=2.5", "nonsense"])
    message = str(caught.value)
    assert message.startswith(f"6 problems in {path}:")
    assert [problem.key for problem in caught.value.problems] == [
        ("nonsense",),
        ("split", "test"),
        ("sed",),
        ("fit", "epochs"),
        ("fit", "patience"),
        ("modle",),
    ]
    assert "line 2, sed: is an unknown key. Did you mean 'seed'?" in message
    assert "line 6, fit.epochs: `epochs` must be an integer >= 1. Received: 'ten'" in message
    assert "line 8, modle: is an unknown section. Did you mean 'model'?" in message
    assert "split.test (override): `test` must be a number in (0, 1)" in message


def test_a_problem_leaves_the_sound_keys_for_later_checks(tmp_path):
    path = tmp_path / "bad.toml"
    path.write_text(MINIMAL + "[fit]\nepochs = 0\nbatch_size = 8\n")
    recipe, problems = inspect(path)
    assert [problem.key for problem in problems] == [("fit", "epochs")]
    assert recipe.fit == {"epochs": 100, "batch_size": 8, "patience": 10}


def test_the_sections_of_the_schema_are_those_of_the_recipe():
    fields = schema.Recipe.__dataclass_fields__
    assert {*schema.TOP, *schema.SECTIONS, "name", "path", "places"} == set(fields)
