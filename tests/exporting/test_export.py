import builtins
import subprocess
import sys

import keras
import numpy as np
import pytest

import kerasrecipes as kr
from kerasrecipes import InputError
from kerasrecipes.exporting import encode, export
from tests.exporting.models import MODELS, close, made

SERVE = """
import pathlib, sys
sys.modules["kerasrecipes"] = sys.modules["keras"] = None
import numpy as np, tensorflow as tf
for folder in sorted(pathlib.Path(sys.argv[1]).glob("*/")):
    arrays = np.load(folder.with_suffix(".npz"), allow_pickle=True)
    x = {name[2:]: tf.constant(arrays[name]) for name in arrays if name.startswith("x_")}
    model = tf.saved_model.load(folder)
    for rows in (len(arrays["y"]), 1, 2):
        some = {name: each[:rows] for name, each in x.items()}
        found = model.serve(some[""] if "" in some else some)
        expected = arrays["y"][:rows]
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6, err_msg=folder.name)
    print(folder.name)
"""


@pytest.mark.slow
def test_saved_models_serve_where_neither_keras_nor_this_package_is(tmp_path):
    for name in MODELS:
        model, rows, expected = made(name)
        written = export(model, tmp_path / name)
        assert written.format == "tf_saved_model"
        x = encode(model, rows, raw=True)
        x = x if isinstance(x, dict) else {"": x}
        texts = {k: v.astype(str) if v.dtype == object else v for k, v in x.items()}
        np.savez(tmp_path / f"{name}.npz", y=expected, **{f"x_{k}": v for k, v in texts.items()})
    done = subprocess.run(
        [sys.executable, "-c", SERVE, tmp_path], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert sorted(done.stdout.splitlines()) == sorted(MODELS)


def onnx_runner(path):
    session = pytest.importorskip("onnxruntime").InferenceSession(path)
    return lambda rows: session.run(None, rows)[0]


def litert_runner(path):
    interpreter = pytest.importorskip("ai_edge_litert.interpreter")
    run = interpreter.Interpreter(str(path)).get_signature_runner()
    return lambda rows: run(**rows)["output_0"]


RUNNERS = {".onnx": onnx_runner, ".tflite": litert_runner}


@pytest.mark.extra
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
@pytest.mark.parametrize("suffix", list(RUNNERS))
@pytest.mark.parametrize("name", list(MODELS))
def test_runtimes_predict_alike(name, suffix, tmp_path):
    model, rows, expected = made(name)
    written = export(model, tmp_path / f"model{suffix}")
    x = encode(model, rows)
    x = x if isinstance(x, dict) else {written.inputs[0].name: x}
    assert {each.name: each.dtype for each in written.inputs} == {k: v.dtype for k, v in x.items()}
    predict = RUNNERS[suffix](written.path)
    close(predict({k: v[1:2] for k, v in x.items()}), expected[1:2])
    fixed = suffix == ".tflite" and name.startswith("rnn")
    assert [each.shape[0] for each in written.inputs] == [1 if fixed else None] * len(x)
    for size in () if fixed else (len(expected), 3):
        close(predict({k: v[:size] for k, v in x.items()}), expected[:size])


@pytest.mark.extra
def test_a_fixed_batch(tmp_path):
    model, rows, expected = made("rnn")
    written = export(model, tmp_path / "model.tflite", batch_size=4)
    assert written.inputs[0].shape == (4, 10, 3)
    close(litert_runner(written.path)({"inputs": rows}), expected)


@pytest.mark.parametrize(
    ("suffix", "runtime"),
    [(".tflite", "LiteRT"), pytest.param(".onnx", "ONNX", marks=pytest.mark.extra)],
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_operations_that_a_runtime_lacks_are_refused(suffix, runtime, tmp_path):
    inputs = keras.Input((4, 4))
    model = keras.Model(inputs, keras.ops.linalg.eigh(inputs)[0])
    with pytest.raises(InputError, match=f"operations that {runtime} has"):
        export(model, tmp_path / f"model{suffix}")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_package_is_named(tmp_path, monkeypatch):
    def without(name, *args, **kwargs):
        if name.startswith("tf2onnx"):
            raise ImportError(name)
        return original(name, *args, **kwargs)

    original = builtins.__import__
    monkeypatch.setitem(sys.modules, "tf2onnx", None)
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(InputError, match=r'needs the package tf2onnx.*"kerasrecipes\[onnx\]"'):
        export(made("mlp")[0], tmp_path / "model.onnx")
    assert list(tmp_path.iterdir()) == []


def test_what_was_written_is_told(tmp_path):
    written = export(made("tabular mlp")[0], tmp_path / "model.keras")
    assert written.takes_dict
    assert written.encoding is None
    assert str(written).splitlines()[1:] == [
        "input   flag: float64 (None,)",
        "input   kind of: string (None,)",
        "input   many: string (None,)",
        "input   month: float64 (None,)",
        "input   size: float32 (None,)",
        "output  output_0: float32 (None, 3)",
        f'load    keras.saving.load_model("{tmp_path / "model.keras"}").predict({{"flag": ..., '
        '"kind of": ..., "many": ..., "month": ..., "size": ...})',
    ]


def test_without_raw_rows(tmp_path):
    model, rows, expected = made("tabular mlp")
    written = export(model, tmp_path / "model.keras", raw=False)
    assert [each.name for each in written.inputs] == ["categorical", "numeric"]
    assert written.encoding["numeric"] == ["size"]
    loaded = keras.saving.load_model(written.path)
    close(loaded.predict(encode(model, rows), verbose=0), expected)


def test_an_earlier_export_is_replaced_and_nothing_else(tmp_path):
    model, _, _ = made("mlp")
    for _ in range(2):
        export(model, tmp_path / "served")
    assert [each.name for each in tmp_path.iterdir()] == ["served"]
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("years of work")
    with pytest.raises(InputError, match="holds something else"):
        export(model, tmp_path / "mine")
    with pytest.raises(InputError, match="There is a folder"):
        export(model, (tmp_path / "mine").rename(tmp_path / "mine.keras"))


def test_a_failed_export_leaves_the_earlier_one(tmp_path, monkeypatch):
    model, _, _ = made("mlp")
    export(model, tmp_path / "served")
    before = (tmp_path / "served" / "saved_model.pb").read_bytes()

    def fails(self, filepath, **kwargs):
        (filepath / "half").write_text("")
        raise OSError("disk full")

    monkeypatch.setattr(keras.Model, "export", fails)
    with pytest.raises(OSError, match="disk full"):
        export(model, tmp_path / "served")
    assert [each.name for each in tmp_path.iterdir()] == ["served"]
    assert (tmp_path / "served" / "saved_model.pb").read_bytes() == before


def test_keras_exports_recipe_models_by_itself(tmp_path):
    model = kr.recipes.cnn((8, 8, 1), "binary", filters=(4,), seed=0)
    model.export(tmp_path / "served", verbose=False)  # with the optimizer TensorFlow refuses
    assert (tmp_path / "served" / "saved_model.pb").exists()


@pytest.mark.parametrize(
    ("path", "arguments", "message"),
    [
        ("model.h5", {}, r"`path's suffix` must be one of '.keras', '', '.onnx', '.tflite'"),
        ("model.onnx", {"format": "litert"}, r"ends in .tflite for format='litert'"),
        ("model", {"format": "onx"}, "Did you mean 'onnx'"),
        ("model.onnx", {"batch_size": 0}, "`batch_size` must be an integer >= 1"),
        ("model.keras", {"batch_size": 5}, "`batch_size` must be 'auto' or None"),
        ("model.onnx", {"raw": True}, "`raw` must be False for format='onnx'"),
        ("model.keras", {"raw": 3}, "`raw` must be one of 'auto', True, False"),
        (3, {}, "`path` must be a path"),
    ],
)
def test_wrong_arguments_are_refused(path, arguments, message, tmp_path):
    path = tmp_path / path if isinstance(path, str) else path
    with pytest.raises(InputError, match=message):
        export(made("tabular mlp")[0], path, **arguments)
    assert list(tmp_path.iterdir()) == []


def test_strings_are_refused_where_there_are_none(tmp_path):
    encoding = kr.data.vectorization(["good film", "bad film"])
    model = kr.recipes.mlp((), "binary", hidden=(4,), preprocessing=encoding, seed=0)
    with pytest.raises(InputError, match="Its input 'inputs' takes strings"):
        export(model, tmp_path / "model.tflite")
    written = export(model, tmp_path / "model.keras")
    texts = np.array(["a good film"], dtype=object)
    found = keras.saving.load_model(written.path).predict(texts, verbose=0)
    close(found, model.predict(texts, verbose=0))


def test_recurrent_layers_need_a_batch_size_in_litert(tmp_path):
    with pytest.raises(InputError, match="an integer >= 1 for recurrent layers"):
        export(made("rnn")[0], tmp_path / "model.tflite", batch_size=None)
