import ast
import pathlib
import sys

import numpy as np
import pandas as pd
import pytest
import sklearn.datasets
import tensorflow as tf

import kerasrecipes.data
from kerasrecipes import InputError
from kerasrecipes.data import fingerprint, load

TABLE = "age,height,city,price\n30,1.5,Paris,10\n41,1.75,Rome,20\n52,1.25,Oslo,30\n"


@pytest.fixture
def table(tmp_path):
    (tmp_path / "houses.csv").write_text(TABLE)
    return tmp_path


def write_image(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    tf.io.write_file(str(path), tf.io.encode_png(np.asarray(pixels, "uint8")))


@pytest.mark.parametrize(
    "name", ["iris", "wine", "breast_cancer", "digits", "diabetes", "linnerud"]
)
def test_sklearn(name):
    options = {"scaled": False} if name == "diabetes" else {}
    x, y = getattr(sklearn.datasets, f"load_{name}")(return_X_y=True, **options)
    found = load({"source": "sklearn", "name": name})
    np.testing.assert_array_equal(found.x, x.astype("float32"))
    np.testing.assert_array_equal(found.y, y)
    assert len(found.feature_names) == found.x.shape[1]
    assert found.fingerprint == fingerprint(found.x, found.y)
    assert (len(found), found.source) == (len(x), f"sklearn: {name}")


def test_digits_as_images():
    found = load({"source": "sklearn", "name": "digits", "images": True})
    assert found.x.shape == (1797, 8, 8, 1)
    np.testing.assert_array_equal(found.x[..., 0], sklearn.datasets.load_digits().images)
    assert found.feature_names is None


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({"drop": ["city"]}, ("age", "height")),
        ({"features": ["height"]}, ("height",)),
        ({"features": ["height", "age"]}, ("height", "age")),
        ({"drop": ["city", "age"]}, ("height",)),
    ],
)
def test_csv_features(table, options, names):
    found = load({"source": "csv", "path": "houses.csv", "target": "price", **options}, base=table)
    frame = pd.read_csv(table / "houses.csv")
    np.testing.assert_array_equal(found.x, frame[list(names)].to_numpy("float32"))
    assert found.x.dtype == "float32"
    assert found.y.tolist() == [10, 20, 30]
    assert found.y.dtype == "int64"
    assert found.feature_names == names


def test_csv_without_target_and_with_names_as_labels(table):
    spec = {"source": "csv", "path": "houses.csv"}
    assert load({**spec, "drop": ["city"]}, base=table).y is None
    found = load({**spec, "target": "city"}, base=table)
    assert found.y.tolist() == ["Paris", "Rome", "Oslo"]
    assert found.y.dtype == object


def test_csv_text_keeps_words_that_look_like_gaps(tmp_path):
    (tmp_path / "a.csv").write_text("text;label\nNA;None\n12;x\n")
    spec = {"source": "csv", "path": "a.csv", "text": "text", "target": "label", "separator": ";"}
    found = load(spec, base=tmp_path)
    assert (found.x.tolist(), found.y.tolist()) == (["NA", "12"], ["None", "x"])
    assert found.feature_names is None


def test_csv_kinds_of_labels_and_compression(tmp_path):
    frame = pd.DataFrame(
        {"x": [1, 2], "f": [0.5, 1.5], "b": [True, False], "i": [3, 4], "s": ["é", "b"]}
    )
    frame.to_csv(tmp_path / "a.csv.gz", index=False)
    for column, kind in {"f": "f", "b": "b", "i": "i", "s": "O"}.items():
        spec = {"source": "csv", "path": "a.csv.gz", "features": ["x", "b"], "target": column}
        if column == "b":
            spec["features"] = ["x"]
        found = load(spec, base=tmp_path)
        assert found.y.dtype.kind == kind
        assert found.y.tolist() == frame[column].tolist()
        assert column == "b" or found.x.tolist() == [[1, 1], [2, 0]]


def test_parquet_equals_csv(table):
    frame = pd.read_csv(table / "houses.csv").astype({"price": "Int64", "city": "category"})
    frame.to_parquet(table / "houses.parquet")
    for target, options in (("price", {"drop": ["city"]}), ("city", {})):
        spec = {"target": target, **options}
        a = load({"source": "csv", "path": "houses.csv", **spec}, base=table)
        b = load({"source": "parquet", "path": "houses.parquet", **spec}, base=table)
        assert a.fingerprint == b.fingerprint
        assert a.feature_names == b.feature_names


def test_parquet_without_pyarrow(table, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(InputError, match=r"pip install kerasrecipes\[parquet\]"):
        load({"source": "parquet", "path": "houses.csv"}, base=table)


def test_npz(tmp_path):
    images, rows = np.zeros((3, 4, 4, 1), "uint8"), np.arange(6.0).reshape(3, 2)
    np.savez(
        tmp_path / "a.npz", images=images, x=rows, names=np.array(["a", "b", "a"]), y=[0, 1, 2]
    )
    spec = {"source": "npz", "path": "a.npz"}
    found = load(spec, base=tmp_path)
    assert (found.x.dtype, found.x.tolist(), found.y.tolist()) == (
        "float32",
        rows.tolist(),
        [0, 1, 2],
    )
    found = load({**spec, "x": "images", "y": "names"}, base=tmp_path)
    assert (found.x.dtype, found.y.tolist()) == ("uint8", ["a", "b", "a"])
    found = load({**spec, "x": "names"}, base=tmp_path)
    assert found.x.tolist() == ["a", "b", "a"]
    np.savez(tmp_path / "b.npz", x=rows)
    assert load({**spec, "path": "b.npz"}, base=tmp_path).y is None


def test_images(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, size=(3, 6, 5, 3))
    for name, image in zip(["cat/b.png", "cat/a.png", "dog/a.png"], pixels, strict=True):
        write_image(tmp_path / "pets" / name, image)
    (tmp_path / "pets/cat/.hidden").write_text("")
    (tmp_path / "pets/README.md").write_text("about")
    spec = {"source": "images", "path": "pets"}
    found = load(spec, base=tmp_path)
    np.testing.assert_array_equal(found.x, pixels[[1, 0, 2]])
    assert (found.x.dtype, found.y.tolist()) == ("uint8", ["cat", "cat", "dog"])
    gray = load({**spec, "color": "grayscale"}, base=tmp_path).x
    luma = pixels[[1, 0, 2]] @ [0.299, 0.587, 0.114]
    assert (abs(gray[..., 0] - luma) <= 1.01).all()


def test_images_are_resized(tmp_path):
    write_image(tmp_path / "pets/cat/a.png", np.full((8, 8, 3), 200))
    write_image(tmp_path / "pets/dog/a.png", np.repeat([[0], [100]], 4, 0)[..., None] * np.ones(3))
    found = load({"source": "images", "path": "pets", "size": [2, 4]}, base=tmp_path).x
    assert found.shape == (2, 2, 4, 3)
    assert (found[0] == 200).all()
    # Antialiased halving of 0 0 0 0 100 100 100 100: a triangle of width 4 over the edge.
    assert (found[1, 0] < 20).all()
    assert (found[1, 1] > 80).all()


def test_texts(tmp_path):
    for name, content in {
        "bad/1.txt": "awful\n",
        "good/2.txt": "fine",
        "good/1.txt": "ça va",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content, encoding="utf-8")
    found = load({"source": "texts", "path": str(tmp_path)})
    assert found.x.tolist() == ["awful\n", "ça va", "fine"]
    assert found.y.tolist() == ["bad", "good", "good"]


def test_relative_path_starts_from_the_working_folder_without_base(table, monkeypatch):
    monkeypatch.chdir(table)
    spec = {"source": "csv", "path": "houses.csv", "target": "city"}
    assert load(spec).fingerprint == load(spec, base=str(table)).fingerprint


def test_importing_the_package_loads_neither_pandas_nor_scikit_learn():
    folder = pathlib.Path(kerasrecipes.data.__file__).parent
    for file in folder.glob("*.py"):
        for node in ast.parse(file.read_text()).body:
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                names = [getattr(node, "module", ""), *(alias.name for alias in node.names)]
                assert not {"pandas", "sklearn", "loaders"} & set(".".join(names).split(".")), file
