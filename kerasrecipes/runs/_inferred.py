"""What a file or a folder holds, and what to learn from it."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kerasrecipes._checks import InputError
from kerasrecipes.data.loaders import images as image_loader

TABLES = (".csv", ".tsv", ".txt", ".parquet", ".pq")
TARGETS = ("target", "label", "class", "y", "outcome", "response")
_LOOKED_AT = 5_000
_LARGEST = 64
_SENTENCE = 4.0
_SEPARATORS = ",;\t|"


@dataclass(frozen=True)
class Inferred:
    """The [data] section for a file or folder, and what it rests on.

    Attributes:
        data: The section.
        recipe: Name of the recipe.
        notes: What was inferred, as (what, how to say otherwise).
    """

    data: dict[str, Any]
    recipe: str
    notes: tuple[tuple[str, str], ...]


def inferred(path: str | Path, target: str | None) -> Inferred:
    """Returns what is in a csv or parquet file, or in a folder with a sub-folder per class."""
    found = Path(path).expanduser()
    if not found.exists():
        raise InputError(f"`data` names nothing that is there: {found}.")
    if found.is_dir():
        if target is not None:
            raise InputError(
                "`target` must be left out for a folder, whose sub-folders are the classes."
            )
        return _folder(found)
    suffixes = [each.lower() for each in found.suffixes]
    if not set(suffixes) & set(TABLES):
        raise InputError(
            f"`data` must be a csv or parquet file, or a folder with a sub-folder of images or "
            f"texts for each class. Received: {found}."
        )
    return _table(found, suffixes, target)


def _folder(path: Path) -> Inferred:
    files = [each for each in path.rglob("*") if each.is_file() and not each.name.startswith(".")]
    pictures = [each for each in files if each.suffix.lower() in image_loader.SUFFIXES]
    data = {"path": str(path.resolve())}
    if len(pictures) < len(files) / 2:
        note = ("texts, one in each .txt file, the sub-folder is its class", "")
        return Inferred({"source": "texts", **data}, "text", (note,))
    size, color = _sizes(pictures)
    what = f"images, the sub-folder is the class; {size[0]} x {size[1]}, {color}"
    how = f"--set data.size=[{size[0]},{size[1]}] --set data.color={color}"
    found = {"source": "images", **data, "size": list(size), "color": color}
    return Inferred(found, "cnn", ((what, how),))


def _sizes(files: Sequence[Path]) -> tuple[tuple[int, int], str]:
    """Returns the median height and width, 64 at most, and the colours, of some images."""
    import tensorflow as tf  # here, since tables do without

    shapes = []
    for file in files[:: max(1, len(files) // 50)]:
        try:
            image = tf.io.decode_image(tf.io.read_file(str(file)), expand_animations=False)
        except tf.errors.OpError:
            continue  # the loader says which file it is
        shapes.append(image.shape)
    if not shapes:
        raise InputError(f"None of the images can be read, such as {files[0]}.")
    height, width = (int(np.median([shape[axis] for shape in shapes])) for axis in (0, 1))
    shrink = min(1.0, _LARGEST / max(height, width))
    size = max(1, round(height * shrink)), max(1, round(width * shrink))
    return size, "grayscale" if all(shape[-1] <= 2 for shape in shapes) else "rgb"


def _table(path: Path, suffixes: list[str], target: str | None) -> Inferred:
    is_parquet = bool({".parquet", ".pq"} & set(suffixes))
    data: dict[str, Any] = {"source": "parquet" if is_parquet else "csv"}
    data["path"] = str(path.resolve())
    if not is_parquet:
        separator = _separator(path)
        data |= {} if separator == "," else {"separator": separator}
    frame = _read(path, data)
    notes = []
    if target is None:
        target = _target(frame)
        notes.append((f"the target is the column {target!r}", "--target COLUMN"))
    elif target not in frame.columns:
        shown = ", ".join(repr(str(name)) for name in frame.columns[:30])
        raise InputError(f"`target` must name a column: {shown}. Received: {target!r}.")
    data["target"] = target
    notes += _doubtful_classes(frame[target])
    features = frame.drop(columns=target)
    text = _only_text(features)
    if text is not None:
        notes.append((f"the column {text!r} holds texts", "--set data.text=COLUMN"))
        return Inferred({**data, "text": text}, "text", tuple(notes))
    left_out = [str(name) for name in features if _tells_rows_apart(features[name])]
    if left_out and len(left_out) < len(features.columns):
        data["drop"] = left_out
        listed = ", ".join(left_out)
        how = '--set data.drop=["COLUMN"], or one that is not there is an error'
        notes.append((f"left out, since they only tell rows apart: {listed}", how))
    return Inferred(data, "tabular", tuple(notes))


def _separator(path: Path) -> str:
    with pd.io.common.get_handle(path, "r", compression="infer", encoding="utf-8-sig") as opened:
        line = opened.handle.readline()
    counts = {each: len(next(csv.reader([str(line)], delimiter=each))) for each in _SEPARATORS}
    return max(counts, key=lambda each: counts[each])


def _read(path: Path, data: dict[str, Any]) -> pd.DataFrame:
    try:
        if data["source"] == "parquet":
            return pd.read_parquet(path)
        return pd.read_csv(path, sep=data.get("separator", ","), nrows=_LOOKED_AT)
    except (ValueError, ImportError, OSError) as error:
        raise InputError(f"{path} cannot be read as a table: {error}") from error


def _target(frame: pd.DataFrame) -> str:
    lower = {str(name).lower(): str(name) for name in frame.columns}
    return next((lower[each] for each in TARGETS if each in lower), str(frame.columns[-1]))


def _doubtful_classes(column: pd.Series) -> list[tuple[str, str]]:
    """Returns a note for whole numbers that may be classes, and are taken for values."""
    if column.dtype.kind not in "iuf" or column.isna().any():
        return []
    values = np.unique(column.to_numpy("float64"))
    few = len(values) <= 20 and bool((values == np.round(values)).all())
    if not few or (values == np.arange(len(values))).all() and column.dtype.kind != "f":
        return []
    what = f"the target is a number, not one of {len(values)} classes"
    return [(what, "write classes as names, or as whole numbers from 0")]


def _only_text(features: pd.DataFrame) -> str | None:
    """Returns the column of texts if there is nothing else to learn from."""
    names = [name for name in features if _words(features[name]) >= _SENTENCE]
    others = [name for name in features if name not in names]
    if len(names) != 1 or not all(_tells_rows_apart(features[name]) for name in others):
        return None
    return str(names[0])


def _words(column: pd.Series) -> float:
    """Returns how many words the texts of a column have on average; 0 for other columns."""
    if column.dtype.kind not in "OUT":
        return 0.0
    texts = column.dropna().astype(str)
    mostly_different = texts.nunique() > 0.5 * max(len(texts), 1)
    return float(texts.str.split().str.len().mean()) if mostly_different and len(texts) else 0.0


def _tells_rows_apart(column: pd.Series) -> bool:
    """Whether nearly every row has a name of its own, or its number, in a column."""
    known = column.dropna()
    if column.dtype.kind in "OUT":
        return len(known) > 20 and known.nunique() > 0.9 * len(known)
    if column.dtype.kind not in "iu" or len(known) < 20:
        return False
    steps = np.diff(known.to_numpy("int64"))
    return bool((steps == 1).all())
