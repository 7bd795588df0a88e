"""Every fault of the data that `load` knows, each with the input made wrong and the message."""

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from kerasrecipes import InputError
from kerasrecipes.data import load

GOOD = "age,height,label\n30,1.5,a\n41,1.75,b\n52,1.25,a\n"
CSV = {"source": "csv", "path": "a.csv", "target": "label"}
PARQUET = {**CSV, "source": "parquet", "path": "a.parquet"}
NPZ = {"source": "npz", "path": "a.npz"}
IMAGES = {"source": "images", "path": "a"}
TEXTS = {"source": "texts", "path": "a"}
X, Y = np.arange(6.0).reshape(3, 2), np.array([0, 1, 0])


def csv(text=GOOD):
    data = text if isinstance(text, bytes) else text.encode()
    return lambda folder: (folder / "a.csv").write_bytes(data)


def parquet(**columns):
    return lambda folder: pd.DataFrame(columns).to_parquet(folder / "a.parquet")


def npz(**arrays):
    return lambda folder: np.savez(folder / "a.npz", **arrays)


def files(**content):
    """Writes files from names with `/` as `__`; an array is an image, None a folder."""

    def write(folder):
        for name, data in content.items():
            path = folder / "a" / name.replace("__", "/").replace("_dot_", ".")
            (path if data is None else path.parent).mkdir(parents=True, exist_ok=True)
            if isinstance(data, np.ndarray):
                data = tf.io.encode_png(data.astype("uint8")).numpy()
            if data is not None:
                path.write_bytes(data)

    return write


def cut_short(folder):
    np.savez(folder / "a.npz", x=X)
    data = (folder / "a.npz").read_bytes()
    (folder / "a.npz").write_bytes(data[: len(data) // 2])


def one_array(folder):
    np.save(folder / "a.npy", X)
    (folder / "a.npy").rename(folder / "a.npz")


def nothing(folder):
    """Writes no file."""


SMALL, LARGE = np.zeros((2, 2, 3)), np.zeros((4, 3, 3))
PETS = {"cat__1_dot_png": SMALL, "dog__1_dot_png": SMALL}
WORDS = {"good__1_dot_txt": b"fine", "bad__1_dot_txt": b"awful"}

TABLE = {
    # the table itself
    "not a table": (nothing, 3, "`data` must be a table"),
    "no source": (nothing, {"path": "a.csv"}, "`data.source` is missing"),
    "unknown source": (nothing, {"source": "cvs"}, "Did you mean 'csv'?"),
    "no path": (nothing, {"source": "csv"}, "`data.path` is missing"),
    "no name": (nothing, {"source": "sklearn"}, "`data.name` is missing"),
    "unknown option": (csv(), {**CSV, "targt": "label"}, "Did you mean 'target'?"),
    "option of another source": (csv(), {**CSV, "size": [2, 2]}, "`data.size` must be one of"),
    "unknown set": (nothing, {"source": "sklearn", "name": "mnist"}, "need no download"),
    "near name of a set": (nothing, {"source": "sklearn", "name": "digit"}, "mean 'digits'?"),
    "images of a table": (
        nothing,
        {"source": "sklearn", "name": "iris", "images": True},
        "`data.images` must be left out",
    ),
    "flag as text": (
        nothing,
        {"source": "sklearn", "name": "digits", "images": "yes"},
        "`data.images` must be true or false",
    ),
    # types of options
    "path as number": (nothing, {**CSV, "path": 3}, "`data.path` must be a text"),
    "target as list": (csv(), {**CSV, "target": ["label"]}, "`data.target` must be a text"),
    "empty target": (csv(), {**CSV, "target": ""}, "`data.target` must be a text"),
    "features as text": (csv(), {**CSV, "features": "age"}, "`data.features` must be a list"),
    "features of numbers": (csv(), {**CSV, "features": [1]}, r"`data.features\[0\]`"),
    "no features": (csv(), {**CSV, "features": []}, "must name at least one column"),
    "feature twice": (csv(), {**CSV, "features": ["age", "age"]}, "It is there twice"),
    "drop as text": (csv(), {**CSV, "drop": "age"}, "`data.drop` must be a list"),
    "separator as number": (csv(), {**CSV, "separator": 9}, "`data.separator` must be a text"),
    # options that contradict each other
    "target as feature": (csv(), {**CSV, "features": ["label"]}, "given the answer"),
    "target dropped": (csv(), {**CSV, "drop": ["label"]}, "must not name the target"),
    "feature dropped": (csv(), {**CSV, "features": ["age"], "drop": ["age"]}, "both name 'age'"),
    "features and text": (csv(), {**CSV, "features": ["age"], "text": "age"}, "not both"),
    "text as target": (csv(), {**CSV, "text": "label"}, "both name 'label'"),
    # files
    "missing file": (csv(), {**CSV, "path": "b.csv"}, r"names no file: /.*b\.csv.*mean 'a\.csv'"),
    "file unlike any": (csv(), {**CSV, "path": "zzzzzz"}, "The folder holds: a.csv"),
    "missing folder": (csv(), {**CSV, "path": "in/a.csv"}, "is not there either"),
    "folder as file": (files(x=None), {**CSV, "path": "a"}, "Received a folder"),
    "empty file": (csv(""), CSV, "an empty file"),
    "blank file": (csv("\n\n"), CSV, "No columns to parse"),
    "header only": (csv("age,label\n"), CSV, "no rows of data"),
    "not UTF-8": (csv(b"age,label\n1,\xff\n2,b\n"), CSV, "is not UTF-8"),
    "row too long": (csv(GOOD + "1,2,a,9\n"), CSV, "Expected 3 fields in line 5, saw 4"),
    "rows too long": (csv("age,label\n1,a,9\n2,b,9\n"), CSV, "loss of data"),
    # columns
    "unknown target": (csv(), {**CSV, "target": "lable"}, "'height', 'label'.*mean 'label'?"),
    "unknown feature": (csv(), {**CSV, "features": ["hight"]}, "Did you mean 'height'?"),
    "unknown dropped": (csv(), {**CSV, "drop": ["size"]}, "`data.drop` must name a column"),
    "unknown text": (csv(), {**CSV, "text": "body"}, "`data.text` must name a column"),
    "wrong separator": (csv(GOOD.replace(",", ";")), CSV, "is `separator` right?"),
    "column twice": (csv("age,age,label\n1,2,a\n2,3,b\n"), CSV, "2 columns named 'age'"),
    "column without name": (csv(",age,label\n0,2,a\n1,3,b\n"), CSV, "Column 1 .* has no name"),
    "nothing left": (csv(), {**CSV, "drop": ["age", "height"]}, "No column is left"),
    "names among features": (csv(), {**CSV, "target": "age"}, "'label' holds text, such as 'a'"),
    "two columns of names": (
        csv("a,b,label\nx,y,1\nz,w,2\n"),
        CSV,
        r"'a' holds text.*So do: 'b'\. Name it in `data.drop`",
    ),
    "one word among numbers": (csv(GOOD.replace("41", "4l")), CSV, "'4l' in row 2"),
    "text column of numbers": (csv(), {**CSV, "text": "age"}, "must name a column of texts"),
    # values
    "gap": (csv(GOOD.replace("1.75", "")), CSV, r"NaN\) in column 'height': 1 row\(s\): 2"),
    "question mark": (csv(GOOD.replace("41", "?")), CSV, r"column 'age': 1 row\(s\): 2"),
    "short row": (csv("age,h,label\n1,2,a\n2\n"), CSV, "Missing labels in target column 'label'"),
    "column of gaps": (csv("a,b,label\n1,,a\n2,,b\n"), CSV, r"'b': 2 row\(s\): 1, 2"),
    "infinity": (csv(GOOD.replace("1.5", "inf")), CSV, r"Infinite.* 'height': 1 row\(s\): 1"),
    "beyond float32": (csv(GOOD.replace("1.5", "1e39")), CSV, "beyond the float32 range"),
    "empty text": (
        csv('t,label\n" ",a\nword,b\n'),
        {**CSV, "text": "t"},
        r"Missing texts in column 't': 1 row\(s\): 1",
    ),
    # labels
    "label missing": (csv(GOOD.replace("1.75,b", "1.75,")), CSV, r"Missing labels.* row\(s\): 2"),
    "number missing": (csv("a,label\n1,2\n2,NA\n3,4\n"), CSV, r"Missing labels.* row\(s\): 2"),
    "infinite label": (csv("a,label\n1,2.5\n2,inf\n"), CSV, "Infinite values in target column"),
    "single class": (csv(GOOD.replace(",b", ",a")), CSV, "single value, 'a', in all 3 rows"),
    "constant target": (csv("a,label\n1,2\n2,2\n"), CSV, "single value, 2, in all 2 rows"),
    # parquet
    "not parquet": (lambda f: (f / "a.parquet").write_bytes(b"text"), PARQUET, "not a Parquet"),
    "date": (
        parquet(day=pd.to_datetime(["2020-01-01", "2020-01-02"]), label=[1, 2]),
        PARQUET,
        "'day' holds dates",
    ),
    "date as target": (
        parquet(a=[1, 2], label=pd.to_datetime(["2020-01-01", "2020-01-02"])),
        PARQUET,
        "Target column 'label' holds dates",
    ),
    "lists in a column": (parquet(a=[[1], [2, 3]], label=[1, 2]), PARQUET, "'a' holds text"),
    "null in parquet": (parquet(a=[1.0, None], label=[1, 2]), PARQUET, "Missing values"),
    "null label in parquet": (parquet(a=[1, 2], label=["u", None]), PARQUET, "Missing labels"),
    # npz
    "not npz": (lambda f: (f / "a.npz").write_bytes(b"text"), NPZ, "is not an .npz file"),
    "npz cut short": (cut_short, NPZ, "is not an .npz file"),
    "npy": (one_array, NPZ, r"one array \(.npy\)"),
    "array missing": (npz(data=X, y=Y), NPZ, "`data.x` must name an array of the file: 'data'"),
    "labels missing": (npz(x=X), {**NPZ, "y": "labels"}, "`data.y` must name an array"),
    "lengths differ": (npz(x=X, y=Y[:2]), NPZ, "'x' has 3 and 'y' has 2"),
    "objects": (npz(x=np.array([{}, 1], dtype=object)), NPZ, "holds Python objects"),
    "scalar": (npz(x=3.0), NPZ, "'x' holds no rows"),
    "no rows": (npz(x=X[:0], y=Y[:0]), NPZ, "'x' holds no rows"),
    "flat numbers": (npz(x=Y), NPZ, "one row per example"),
    "complex numbers": (npz(x=X * 1j), NPZ, "dtype complex128"),
    "NaN in array": (npz(x=np.where(X == 3, np.nan, X)), NPZ, r"array 'x': 1 row\(s\): 2"),
    "NaN in labels": (npz(x=X, y=np.array([0, 1, np.nan])), NPZ, r"labels 'y': 1 row\(s\): 3"),
    "complex labels": (npz(x=X, y=Y * 1j), NPZ, "Labels 'y' must be numbers or texts"),
    "constant labels": (npz(x=X, y=Y * 0), NPZ, "single value, 0, in all 3 rows"),
    # images and texts
    "file as folder": (csv(), {**IMAGES, "path": "a.csv"}, "Received a file"),
    "missing image folder": (files(x=None), {**IMAGES, "path": "b"}, "names no folder"),
    "no class folders": (files(x_dot_md=b"about"), IMAGES, "holds no sub-folder"),
    "one class folder": (files(cat__1_dot_png=SMALL), IMAGES, "holds only 'cat'"),
    "images beside classes": (files(**PETS, x_dot_png=SMALL), IMAGES, "itself"),
    "empty class": (files(**PETS, cow=None), IMAGES, "class folder .*cow is empty"),
    "a level too high": (files(a__cat=None, b__dog=None), IMAGES, "one level up from the files"),
    "other file": (files(**PETS, cat__2_dot_webp=b"RIFF"), IMAGES, "2.webp is not one of"),
    "broken image": (files(**PETS, cat__2_dot_png=b"\x89PNG"), IMAGES, "2.png cannot be read"),
    "sizes differ": (files(**PETS, cat__2_dot_png=LARGE), IMAGES, r"1.png is \[2, 2\].*\[4, 3\]"),
    "size as number": (files(**PETS), {**IMAGES, "size": 8}, r"`data.size` must be \[height"),
    "size of zero": (files(**PETS), {**IMAGES, "size": [0, 8]}, "`data.size` must be an integer"),
    "unknown colour": (files(**PETS), {**IMAGES, "color": "gray"}, "mean 'grayscale'?"),
    "text not UTF-8": (files(**WORDS, bad__2_dot_txt=b"\xff"), TEXTS, "2.txt is not UTF-8"),
    "empty text file": (files(**WORDS, bad__2_dot_txt=b" "), TEXTS, "2.txt holds no text"),
    "image among texts": (files(**WORDS, bad__2_dot_png=SMALL), TEXTS, "2.png is not one of .txt"),
}


@pytest.mark.parametrize("fault", TABLE)
def test_fault_is_named_before_anything_trains(fault, tmp_path):
    write, spec, message = TABLE[fault]
    write(tmp_path)
    with pytest.raises(InputError, match=f"(?s){message}"):
        load(spec, base=tmp_path)
