import subprocess
import sys

import pytest

from kerasrecipes import InputError, _recipe_files


def test_every_shipped_file_has_a_name_of_its_own_and_a_summary():
    files = list(_recipe_files.folder().rglob("*.toml"))
    shipped = _recipe_files.shipped()
    assert len(files) == len(shipped) >= 5
    assert list(shipped) == sorted(shipped)
    for path in shipped.values():
        assert 10 < len(_recipe_files.summary(path)) < 80


def test_a_name_and_a_path_find_the_same_file(tmp_path):
    by_name = _recipe_files.find("digits-mlp")
    assert _recipe_files.find(by_name) == by_name
    copy = tmp_path / "mine.toml"
    copy.write_text(by_name.read_text("utf-8"), "utf-8")
    assert _recipe_files.find(str(copy)) == copy


def test_the_installed_folder_comes_before_that_of_the_checkout(tmp_path, monkeypatch):
    (tmp_path / "recipe_files" / "mlp").mkdir(parents=True)
    (tmp_path / "recipe_files" / "mlp" / "a.toml").write_text('recipe = "mlp"')
    monkeypatch.setattr("importlib.resources.files", lambda package: tmp_path)
    assert list(_recipe_files.shipped()) == ["a"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("digit-mlp", "Did you mean 'digits-mlp'?"),
        ("zzz", "Shipped are breast-cancer-mlp, "),
        ("no/such.toml", "no recipe file no/such.toml"),
        (".", "is a folder"),
    ],
)
def test_what_is_not_there_is_named(name, message):
    with pytest.raises(InputError, match="(?s)" + message.replace("?", r"\?")):
        _recipe_files.find(name)


def test_text_that_is_not_toml_is_an_error(tmp_path):
    path = tmp_path / "a.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="not UTF-8"):
        _recipe_files.read(path)
    path.write_text("a = = 1")
    with pytest.raises(InputError, match="not valid TOML: .*line 1"):
        _recipe_files.read(path)


def test_reading_a_recipe_loads_no_keras():
    code = (
        "import sys; from kerasrecipes.runs import load; load.read('digits-mlp').to_toml();"
        "import kerasrecipes.cli.main, kerasrecipes.reporting;"
        "assert not {'keras', 'tensorflow', 'sklearn'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=180)
