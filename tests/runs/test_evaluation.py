import json
import shutil

import pytest

import kerasrecipes as kr
from kerasrecipes import runs

pytestmark = pytest.mark.usefixtures("plain_pictures")


def test_a_run_evaluates_to_what_it_recorded(iris_run):
    evaluation = runs.evaluate(iris_run.folder)
    assert evaluation.differences == {}
    assert evaluation.recorded == iris_run.test
    assert evaluation.test == pytest.approx(dict(iris_run.test), rel=1e-5)


def test_a_difference_is_named(iris_run, tmp_path):
    copy = shutil.copytree(iris_run.folder, tmp_path / "copy")
    metrics = json.loads((copy / "metrics.json").read_text())
    metrics["metrics"]["test"]["accuracy"] += 0.01
    (copy / "metrics.json").write_text(json.dumps(metrics))
    differences = runs.evaluate(copy).differences
    assert set(differences) == {"accuracy"}
    recorded, now = differences["accuracy"]
    assert recorded - now == pytest.approx(0.01)


def test_changed_data_are_refused(table, tmp_path):
    result = runs.train(table, out=tmp_path / "out", quiet=True)
    rows = tmp_path / "rows.csv"
    rows.write_text(rows.read_text().replace("yes", "no", 1))
    with pytest.raises(kr.InputError, match=r"The data of csv: .*rows.csv have changed"):
        runs.evaluate(result.folder)
    rows.unlink()
    with pytest.raises(runs.RecipeError, match="`data.path` names no file"):
        runs.evaluate(result.folder)


def test_a_damaged_model_is_one_clear_error(iris_run, tmp_path):
    copy = shutil.copytree(iris_run.folder, tmp_path / "copy")
    (copy / "model.keras").write_bytes(b"not a model")
    with pytest.raises(kr.InputError, match=r"model.keras is damaged or cannot be loaded"):
        runs.evaluate(copy)


@pytest.mark.parametrize("text", ["{}", "[]", "null", ""])
def test_damaged_metrics_are_one_clear_error(iris_run, tmp_path, text):
    copy = shutil.copytree(iris_run.folder, tmp_path / "copy")
    (copy / "metrics.json").write_text(text)
    with pytest.raises(kr.InputError, match=r"metrics.json is damaged"):
        runs.evaluate(copy)
