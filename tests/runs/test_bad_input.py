"""Everything that can be wrong with a recipe or its data is one clear error before training."""

import re

import numpy as np
import pytest

import kerasrecipes as kr
from kerasrecipes import runs
from kerasrecipes._checks import InputError
from kerasrecipes.runs import load

GOOD = {
    "": 'recipe = "mlp"',
    "data": 'source = "csv"\npath = "rows.csv"\ndrop = ["word"]\ntarget = "kind"',
    "split": "validation = 0.25\ntest = 0.25",
    "target": 'kind = "multiclass"\nclasses = ["a", "b", "c"]',
    "preprocessing": 'scaling = "standard"',
    "model": "hidden = [4]",
    "fit": "epochs = 2",
    "expect": "",
}


def write(folder, **changes):
    """Writes a sound recipe with some sections changed, and the data that it names."""
    sections = {**GOOD, **{name.strip("_"): text for name, text in changes.items()}}
    parts = [f"[{name}]\n{text}\n" if name else f"{text}\n" for name, text in sections.items()]
    path = folder / "mine.toml"
    path.write_text("".join(parts))
    rng = np.random.default_rng(0)
    rows = ["kind,one,two,word", *(f"{k},{x:.3f},{y:.3f},z" for k, x, y in _rows(rng))]
    (folder / "rows.csv").write_text("\n".join(rows) + "\n")
    (folder / "gap.csv").write_text("\n".join([*rows[:5], "a,NaN,1,z"]) + "\n")
    (folder / "empty.csv").write_text("kind,one,two\n")
    (folder / "same.csv").write_text("kind,one\na,1\na,2\na,3\na,4\n")
    (folder / "lone.csv").write_text("kind,one\n" + "a,1\n" * 9 + "b,2\n" * 9 + "c,3\n")
    np.savez(folder / "arrays.npz", x=np.ones((6, 2)), labels=np.arange(6))
    (folder / "images").mkdir()
    return path


def _rows(rng):
    return [("abc"[i % 3], rng.normal() + i % 3, rng.normal()) for i in range(60)]


CSV = 'source = "csv"\npath = "rows.csv"\ndrop = ["word"]\n'
SKLEARN = 'source = "sklearn"\nname = '

FILES = {
    "not TOML": ({"": 'recipe = "mlp'}, "not valid TOML: Illegal character .* line 1"),
    "a key twice": ({"fit": "epochs = 1\nepochs = 2"}, "Cannot overwrite a value .*line"),
    "no recipe": ({"": "seed = 1"}, 'file: is missing. Write `recipe = "mlp"`|recipe: is missing'),
    "an unknown recipe": ({"": 'recipe = "mpl"'}, "line 1, recipe: .*mlp.*Received: 'mpl'"),
    "recipe not text": ({"": "recipe = 3"}, "line 1, recipe: `recipe` must be a string"),
    "a path to import": ({"": 'recipe = "os.system"'}, "must name one of the recipes"),
    "no data": ({"data": ""}, "data: is missing. Write a section"),
    "an unknown section": (
        {"fit": "epochs = 2\n[fits]\nx = 1"},
        "fits: is an unknown section. Did",
    ),
    "an unknown key": ({"": 'recipe = "mlp"\nsede = 1'}, "sede: is an unknown key. Did"),
    "an unknown fit key": ({"fit": "epoch = 2"}, "fit.epoch: .*Did you mean 'epochs'"),
    "a section that is a value": ({"": 'recipe = "mlp"\nfitt = 1'}, "fitt: is an unknown key"),
    "a negative seed": ({"": 'recipe = "mlp"\nseed = -1'}, "seed: .*integer >= 0"),
    "epochs as text": ({"fit": 'epochs = "ten"'}, "fit.epochs: .*integer >= 1. Received: 'ten'"),
    "no epochs": ({"fit": "epochs = 0"}, "fit.epochs: `epochs` must be an integer >= 1"),
    "a broken batch size": ({"fit": "batch_size = 1.5"}, "fit.batch_size: .*Received: 1.5"),
    "a boolean as number": ({"fit": "patience = true"}, "fit.patience: .*Received: True"),
    "an unknown monitor": ({"fit": 'monitor = "val_acc"'}, "fit.monitor: .*Did you mean 'val_acc"),
    "a share above one": ({"split": "test = 1.5"}, r"split.test: .*number in \(0, 1\)"),
    "no rows to train on": ({"split": "validation = 0.5\ntest = 0.5"}, "must leave rows"),
    "more rows than there are": (
        {"split": "test = 1000"},
        "split.test.*1000|split.validation.*1000",
    ),
    "an unknown split key": ({"split": "tset = 0.2"}, "split.tset: .*Did you mean 'test'"),
    "stratify as text": ({"split": 'stratify = "yes"'}, "split.stratify: .*one of True, False"),
    "an unknown argument": ({"model": "hiden = [4]"}, "model.hiden: .*Did you mean 'hidden'"),
    "an argument of the run": ({"model": "input_shape = [4]"}, "input_shape: comes from the run"),
    "hidden as text": ({"model": 'hidden = "four"'}, "model.hidden: .*Received: 'four'"),
    "hidden of width 0": ({"model": "hidden = [0]"}, "model.hidden: .*integer >= 1.*Received: 0"),
    "dropout of 1": ({"model": "dropout = 1.0"}, "model.dropout: .*Received: 1.0"),
    "an unknown activation": ({"model": 'activation = "rleu"'}, "model.*rleu"),
    "an unknown optimizer": ({"model": 'optimizer = "adma"'}, "model.optimizer: .*adma"),
    "a serialised object": (
        {"model": 'activation = { module = "os", class_name = "system" }'},
        "model.activation.module: is refused.*\n.*model.activation.class_name: is refused",
    ),
    "an unknown source": ({"data": 'source = "excel"'}, "data.source: .*Received: 'excel'"),
    "no source": ({"data": 'path = "rows.csv"'}, "data: `data.source` is missing"),
    "an unknown set": ({"data": SKLEARN + '"irsi"'}, "data.name: .*Did you mean 'iris'"),
    "no name of the set": ({"data": 'source = "sklearn"'}, "data: `data.name` is missing"),
    "an unknown data key": ({"data": CSV + 'sep = ";"'}, "data.sep"),
    "a file that is not there": (
        {"data": CSV.replace("rows", "row")},
        "data.path: `data.path` names no file: .*Did you mean 'rows.csv'",
    ),
    "an unknown column": ({"data": CSV + 'target = "knd"'}, "data.target: .*Did you mean 'kind'"),
    "no labels": (
        {"data": CSV.replace("word", 'word", "kind'), "target": ""},
        "data: names no labels to learn",
    ),
    "words as features": (
        {"data": CSV.replace('drop = ["word"]', 'target = "kind"')},
        "'word' holds text",
    ),
    "a gap": ({"data": CSV.replace("rows", "gap") + 'target = "kind"'}, "data.*NaN"),
    "no rows": ({"data": 'source = "csv"\npath = "empty.csv"\ntarget = "kind"'}, "no rows"),
    "one label only": (
        {"data": 'source = "csv"\npath = "same.csv"\ntarget = "kind"'},
        "single value",
    ),
    "a class of one row": (
        {"data": 'source = "csv"\npath = "lone.csv"\ntarget = "kind"'},
        "split: ",
    ),
    "no such array": (
        {"data": 'source = "npz"\npath = "arrays.npz"\ny = "y"'},
        "data.y: .*'labels'",
    ),
    "a folder without classes": ({"data": 'source = "images"\npath = "images"'}, "one sub-folder"),
    "a folder as a file": ({"data": CSV.replace("rows.csv", "images")}, "data.path: .*a folder"),
    "an unknown target": ({"target": 'kind = "multiclas"'}, "target.kind: .*Did you mean 'Multi"),
    "an unknown target key": ({"target": 'kind = "binary"\nclass = 2'}, "target.class"),
    "one class": ({"target": 'kind = "multiclass"\nclasses = 1'}, "target.classes: .*>= 2"),
    "no classes": ({"target": 'kind = "multiclass"'}, "target: .*needs `classes`"),
    "a label outside the classes": (
        {"data": CSV + 'target = "kind"', "target": 'kind = "multiclass"\nclasses = ["a", "b"]'},
        "target: `y` must hold the classes a, b. Received: 'c' at row 2",
    ),
    "names for values": (
        {"data": CSV + 'target = "kind"', "target": 'kind = "regression"'},
        "target: `y` must hold numbers for a regression target",
    ),
    "too few bounds": (
        {"target": 'kind = "bounded_regression"\nlow = 0.0'},
        "target: .*needs `high`",
    ),
    "an unknown preprocessing": ({"preprocessing": 'scling = "x"'}, "Did you mean 'scaling'"),
    "a result of training": ({"expect": "accuracy = 0.9"}, "accuracy: must be a test metric"),
    "a result that is text": (
        {"expect": 'test_accuracy = "good"'},
        "expect.test_accuracy: .*number",
    ),
}


@pytest.mark.parametrize("kind", FILES)
def test_a_bad_file_is_one_clear_error(kind, tmp_path):
    changes, message = FILES[kind]
    path = write(tmp_path, **changes)
    with pytest.raises(kr.InputError, match=f"(?s){message}") as caught:
        runs.validate(path)
    check_lines(path, str(caught.value))


def check_lines(path, message):
    """Each key that the message names stands on the line that it names."""
    lines = path.read_text().splitlines()
    for line, key in re.findall(r"^  line (\d+), ([\w.]+):", message, re.MULTILINE):
        *sections, name = key.split(".")
        text = lines[int(line) - 1]
        assert text.startswith(
            (
                f"{name} =",
                f"[{name}]",
                *(f"{part} =" for part in sections),
                *(f"[{part}]" for part in sections),
            )
        )


def test_the_sound_file_is_sound(tmp_path):
    runs.validate(write(tmp_path))
    runs.validate(tmp_path / "mine.toml", data=False)


OVERRIDES = {
    "no value": ("fit.epochs", r"fit.epochs \(override\): an override must read key=value"),
    "no key": ("=3", "an override must read key=value"),
    "not TOML": ("model.hidden=[4", r"model.hidden \(override\): '\[4' is not a TOML value"),
    "Python": ("model.residual=True", r"model.residual \(override\): TOML writes true, not True"),
    "an unknown key": ("fit.epoch=3", r"fit.epoch \(override\): is an unknown key"),
    "an unknown section": ("fits.epochs=3", r"fits \(override\): is an unknown section"),
    "through a value": ("fit.epochs.x=3", "fit.epochs is not a table"),
    "a wrong type": ("fit.epochs=many", r"fit.epochs \(override\): `epochs` must be an integer"),
    "a refused value": ("model.dropout=2", r"model.dropout \(override\): `dropout` must be"),
}


@pytest.mark.parametrize("kind", OVERRIDES)
def test_a_bad_override_is_one_clear_error(kind, tmp_path):
    override, message = OVERRIDES[kind]
    path = write(tmp_path)
    with pytest.raises(runs.RecipeError, match=f"1 problem in .*\n  .*{message}"):
        runs.validate(path, overrides=[override])


def test_what_needs_no_data_is_found_without_it(tmp_path):
    path = write(
        tmp_path,
        data=CSV.replace("rows", "no"),
        model="hiden = [4]",
        target='kind = "multiclass"\nclasses = 1',
    )
    with pytest.raises(runs.RecipeError) as caught:
        runs.validate(path, data=False)
    keys = [problem.key for problem in caught.value.problems]
    assert keys == [("target", "classes"), ("model", "hiden")]


def test_problems_of_file_data_and_model_come_at_once(tmp_path):
    path = write(
        tmp_path,
        split="tset = 0.25",
        preprocessing='scling = "x"',
        model='hiden = [4]\nhidden = "x"\ndropout = 2\nl2 = -1\nactivation = "rleu"',
        fit='epochs = 0\nmonitor = "val_acc"',
    )
    with pytest.raises(runs.RecipeError) as caught:
        runs.validate(path)
    assert [".".join(problem.key) for problem in caught.value.problems] == [
        "split.tset",
        "preprocessing.scling",
        "model.hiden",
        "model.hidden",
        "model.dropout",
        "model.l2",
        "model.activation",
        "fit.epochs",
        "fit.monitor",
    ]


def test_nothing_is_left_behind_by_a_run_that_cannot_start(tmp_path):
    path = write(tmp_path, model="dropout = 2")
    with pytest.raises(runs.RecipeError):
        runs.train(path, out=tmp_path / "out", quiet=True)
    assert not (tmp_path / "out").exists()


def test_mistakes_of_all_sections_come_at_once(tmp_path):
    path = tmp_path / "wrong.toml"
    path.write_text(
        'recipe = "mlp"\n'
        "[data]\n"
        'source = "csv"\n'
        'path = "missing.csv"\n'
        "[target]\n"
        'kind = "multiclass"\n'
        "classes = 3\n"
        "[preprocessing]\n"
        'scaling = "std"\n'
        "[model]\n"
        "dropout = 1.5\n"
        'schedule = { name = "cosine", warmup = "5 parsecs" }\n'
    )
    with pytest.raises(InputError) as caught:
        runs.validate(path)
    message = str(caught.value)
    for line in ("line 4", "line 9", "line 11", "line 12"):
        assert line in message, message


def test_the_seed_replaces_that_of_a_resolved_split(tmp_path):
    path = tmp_path / "again.toml"
    path.write_text(runs.validate("iris-mlp").to_toml())
    assert load.inspect(path, seed=7)[0].split["seed"] == 7


def test_columns_that_float32_cannot_tell_apart_are_named(tmp_path):
    rows = "\n".join(f"{1_700_000_000 + i % 5},{i % 2}" for i in range(20))
    (tmp_path / "data.csv").write_text(f"a,y\n{rows}\n")
    spec = {"source": "csv", "path": "data.csv", "target": "y"}
    with pytest.raises(InputError, match="Subtract an offset"):
        kr.data.load(spec, base=tmp_path)
