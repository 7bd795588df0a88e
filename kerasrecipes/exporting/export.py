"""One function for all formats."""

from pathlib import Path
from typing import Any

import keras

from kerasrecipes._atomic import atomic, atomic_folder
from kerasrecipes._checks import InputError, check_choice, check_int, fail
from kerasrecipes._export import export as registered
from kerasrecipes.exporting import _litert, _onnx, _tensorflow
from kerasrecipes.exporting._unfold import checked_model
from kerasrecipes.exporting.encode import encoding_of
from kerasrecipes.exporting.exported import Exported, TensorSpec
from kerasrecipes.exporting.plain_model import plain_model, rebuilt
from kerasrecipes.recipes._raw_rows_model import RawRowsModel

FORMATS = ("keras", "tf_saved_model", "onnx", "litert")
SUFFIXES = {".keras": "keras", "": "tf_saved_model", ".onnx": "onnx", ".tflite": "litert"}
_TAKES_STRINGS = ("keras", "tf_saved_model")


@registered("exporting", saved=False)
def export(
    model: keras.Model,
    path: str | Path,
    *,
    format: str = "auto",
    raw: bool | str = "auto",
    batch_size: int | str | None = "auto",
) -> Exported:
    """Writes a model for other runtimes, or for Keras without this package.

    Predictions are those of `model.predict` up to rounding. What is at `path` is replaced once
    the new file or folder is whole. docs/exporting.md says which recipe works where.

    Networks for tables and texts: "keras" and "tf_saved_model" take raw columns and texts, as
    `plain_model` says. ONNX and LiteRT have no strings, so there the model starts after the
    encoding: `encode(model, rows)` gives its inputs, and the result's `encoding` says how to
    compute them elsewhere.

    Args:
        model: A model of a recipe, or any built functional or sequential model.
        path: Where to write: a file that ends in .keras, .onnx or .tflite, or a folder.
        format: "keras" (plain Keras), "tf_saved_model" (a folder), "onnx", "litert", or "auto" for
            what the suffix of `path` says. Defaults to "auto".
        raw: Whether networks for tables and texts take raw rows: True, False, or "auto" where the
            format can. Defaults to "auto".
        batch_size: Rows of each call, int >= 1; None for any number; "auto" for any number, but 1
            for recurrent networks in LiteRT, which can do no other. Defaults to "auto".

    Returns: An `Exported`, which knows inputs and outputs.

    Raises: InputError for an argument outside the above, a model that the format cannot hold, and
        a missing package.

    Example:
    >>> import tempfile
    >>> import kerasrecipes as kr
    >>> model = kr.recipes.mlp((4,), kr.targets.Multiclass(3), hidden=(8,))
    >>> written = export(model, f"{tempfile.mkdtemp()}/model.keras")
    >>> written.format, str(written.inputs[0])
    ('keras', 'inputs: float32 (None, 4)')
    """
    model = checked_model(model)
    path = _checked_path(path)
    chosen = _format_of(path, format)
    raw = _checked_raw(raw, chosen, model)
    if chosen != "keras":
        _tensorflow.check_backend(chosen)
    rows = _checked_batch_size(batch_size, chosen, model)
    _check_free(path, chosen)
    copy = plain_model(model, raw=raw) if chosen == "keras" else _copy(model, chosen, raw)
    _check_strings(copy, chosen)
    path.parent.mkdir(parents=True, exist_ok=True)
    inputs = _WRITERS[chosen](copy, path, rows)
    return Exported(
        path,
        chosen,
        inputs,
        _tensorflow.outputs_of(copy, rows),
        takes_dict=isinstance(copy.input, dict),
        encoding=None if raw else encoding_of(model),
    )


_Specs = tuple[TensorSpec, ...]


def _copy(model: keras.Model, format: str, raw: bool) -> keras.Model:
    instead = {keras.layers.UnitNormalization: _litert.unit_normalization}
    return rebuilt(model, raw=raw, instead=instead if format == "litert" else None)


def _to_keras(model: keras.Model, path: Path, rows: int | None) -> _Specs:
    with atomic(path) as temporary:
        model.save(temporary)
    return _specs(model.input, rows)


def _to_saved_model(model: keras.Model, path: Path, rows: int | None) -> _Specs:
    signature = _tensorflow.signature_of(model, rows)
    with atomic_folder(path, replace=True) as temporary:
        model.export(temporary, format="tf_saved_model", verbose=False, input_signature=signature)
    return _specs(model.input, rows)


def _to_onnx(model: keras.Model, path: Path, rows: int | None) -> _Specs:
    signature = _tensorflow.signature_of(model, rows)
    inputs, outputs = _tensorflow.inputs_of(signature), _tensorflow.outputs_of(model, rows)
    with atomic(path) as temporary:
        _onnx.write(model, temporary, signature, inputs, outputs)
    return inputs


def _to_litert(model: keras.Model, path: Path, rows: int | None) -> _Specs:
    signature = _tensorflow.signature_of(model, rows)
    with atomic(path) as temporary:
        _litert.write(model, temporary, signature)
    return _tensorflow.inputs_of(signature)


def _specs(inputs: Any, rows: int | None) -> tuple[TensorSpec, ...]:
    tensors = keras.tree.flatten(inputs)
    return tuple(TensorSpec(each.name, each.dtype, (rows, *each.shape[1:])) for each in tensors)


_WRITERS = {
    "keras": _to_keras,
    "tf_saved_model": _to_saved_model,
    "onnx": _to_onnx,
    "litert": _to_litert,
}


def _checked_path(path: Any) -> Path:
    if not isinstance(path, (str, Path)) or not str(path):
        fail("path", "a path", path, "Such as 'model.onnx'.")
    return Path(path).expanduser()


def _format_of(path: Path, format: str) -> str:
    check_choice("format", format, ["auto", *FORMATS])
    suffix = path.suffix.lower()
    if format == "auto":
        remedy = "Or say `format`; a folder, for SavedModel, has no suffix."
        check_choice("path's suffix", suffix, SUFFIXES, remedy=remedy)
        return SUFFIXES[suffix]
    if format != "tf_saved_model" and SUFFIXES.get(suffix) != format:
        wanted = next(each for each, name in SUFFIXES.items() if name == format)
        fail("path", f"a file that ends in {wanted} for format={format!r}", str(path))
    return format


def _checked_raw(raw: Any, format: str, model: keras.Model) -> bool:
    check_choice("raw", raw, ["auto", True, False])
    takes = format in _TAKES_STRINGS
    if raw is True and not takes and isinstance(model, RawRowsModel):
        remedy = "Use raw=False and `kerasrecipes.exporting.encode`, or format='tf_saved_model'."
        fail("raw", f"False for format={format!r}, which has no strings", raw, remedy)
    return takes if raw == "auto" else raw


def _check_strings(model: keras.Model, format: str) -> None:
    names = [each.name for each in keras.tree.flatten(model.input) if each.dtype == "string"]
    if names and format not in _TAKES_STRINGS:
        raise InputError(
            f"`model` must take numbers for format={format!r}, which has no strings. Its input "
            f"{names[0]!r} takes strings. Use format='tf_saved_model', or a model of "
            "`kerasrecipes.recipes.text`, which can start after the encoding."
        )


def _checked_batch_size(batch_size: Any, format: str, model: keras.Model) -> int | None:
    if batch_size is not None and batch_size != "auto":
        check_int("batch_size", batch_size, low=1, remedy="Or 'auto', or None for any number.")
        if format == "keras":
            fail("batch_size", "'auto' or None for format='keras'", batch_size)
        return batch_size
    if format == "litert" and _litert.has_recurrence(model):
        if batch_size is None:
            remedy = "Give the number of rows of each call."
            fail("batch_size", "an integer >= 1 for recurrent layers in LiteRT", None, remedy)
        return 1
    return None


def _check_free(path: Path, format: str) -> None:
    """Refuses to replace what is not an earlier export."""
    if format != "tf_saved_model":
        if path.is_dir():
            fail("path", "a file", str(path), "There is a folder of that name.")
        return
    is_export = path.is_dir() and (path / "saved_model.pb").exists()
    if path.exists() and not is_export and (path.is_file() or any(path.iterdir())):
        raise InputError(
            f"`path` must be a new folder, or one that holds a SavedModel. Received: {path}, which "
            "holds something else."
        )
