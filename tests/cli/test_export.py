import json

import keras
import numpy as np
import pytest
from click.testing import CliRunner

import kerasrecipes as kr
from kerasrecipes.cli.main import main
from kerasrecipes.exporting import encode
from tests.exporting.models import TABLE, made


def call(*arguments):
    return CliRunner().invoke(main, ["export", *(str(argument) for argument in arguments)])


@pytest.fixture
def run(tmp_path):
    """A folder that passes for that of a run of a table model."""
    model, _, _ = made("tabular mlp")
    model.save(tmp_path / "model.keras")
    for name in ("recipe.toml", "metrics.json"):
        (tmp_path / name).write_text("")
    return tmp_path


def test_what_was_written_is_told(run):
    result = call(run, "--format", "tf_saved_model")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0] == f"{run / 'saved_model'} (tf_saved_model)"
    assert "input   kind of: string (None,)" in lines
    assert lines[-1].startswith("load    model = tf.saved_model.load(")
    assert (run / "saved_model" / "saved_model.pb").exists()


def test_the_encoding_lies_beside_what_starts_after_it(run, tmp_path):
    out = tmp_path / "phone.tflite"
    result = call(run, "--out", out)
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[-1] == f"encode  rows as {out}.encoding.json says"
    encoding = json.loads((tmp_path / "phone.tflite.encoding.json").read_text())
    rows = encode(keras.saving.load_model(run / "model.keras"), TABLE)
    codes = [
        encoding["categorical"]["kind of"].index(kind) + 1 if isinstance(kind, str) else 0
        for kind in TABLE["kind of"]
    ]
    place = list(encoding["categorical"]).index("kind of")
    np.testing.assert_array_equal(rows["categorical"][:, place], codes)


def test_wrong_use_is_exit_code_2(run, tmp_path):
    assert "Say --format or --out" in call(run).output
    assert call(run).exit_code == 2
    assert call(run, "--out", tmp_path / "model.h5").exit_code == 2
    assert call(tmp_path / "nothing", "--format", "keras").exit_code == 2


@pytest.mark.slow
def test_a_run(tmp_path):
    overrides = {"fit.epochs": 1}
    folder = kr.runs.train("iris-mlp", overrides=overrides, out=tmp_path).folder
    result = call(folder, "--format", "keras")
    assert result.exit_code == 0, result.output
    rows = np.ones((2, 4), "float32")
    plain = keras.saving.load_model(folder / "plain.keras").predict(rows, verbose=0)
    model = keras.saving.load_model(folder / "model.keras")
    np.testing.assert_allclose(plain, model.predict(rows, verbose=0), atol=1e-6)
