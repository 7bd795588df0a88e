import keras
import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris

import kerasrecipes as kr
from kerasrecipes import runs

pytestmark = pytest.mark.usefixtures("plain_pictures")

NAMES = ["setosa", "versicolor", "virginica"]


@pytest.fixture
def flowers(tmp_path):
    iris = load_iris(as_frame=True)
    path = tmp_path / "flowers.csv"
    frame = iris.data.iloc[::10]
    frame.to_csv(path, index=False)
    return path, frame


def test_classes_have_names_and_probabilities(iris_run, flowers):
    path, frame = flowers
    table = runs.predict(iris_run.folder, path).table
    p = keras.saving.load_model(iris_run.folder / "model.keras").predict(frame.values, verbose=0)
    assert list(table) == ["prediction", *(f"probability_{name}" for name in NAMES)]
    np.testing.assert_allclose(table.iloc[:, 1:].to_numpy(), p, rtol=1e-4, atol=1e-6)
    assert list(table["prediction"]) == [NAMES[i] for i in p.argmax(axis=1)]


def test_columns_are_found_by_name(iris_run, flowers):
    path, frame = flowers
    expected = runs.predict(iris_run.folder, path).table
    shuffled = frame[frame.columns[::-1]].assign(number=range(len(frame)))
    shuffled.to_csv(path, index=False)
    found = runs.predict(iris_run.folder, path)
    pd.testing.assert_frame_equal(found.table, expected)
    assert found.ignored == ("number",)


def test_missing_columns_are_all_named(iris_run, flowers):
    path, frame = flowers
    frame = frame.drop(columns="petal width (cm)").rename(
        columns=lambda c: c.replace("sepal", "spal")
    )
    frame.to_csv(path, index=False)
    message = (
        r"lacks 3 of the 4 columns .*'sepal length \(cm\)', 'sepal width \(cm\)', "
        r"'petal width \(cm\)'.* It has besides: 'spal length.*Did you mean 'spal length"
    )
    with pytest.raises(kr.InputError, match=message):
        runs.predict(iris_run.folder, path)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("", "NaN.*'petal width"),
        ("wide", "'petal width.*holds text, such as 'wide'"),
        ("inf", "Inf"),
    ],
)
def test_a_bad_value_is_one_clear_error(iris_run, flowers, value, message):
    path, frame = flowers
    frame = frame.astype(object)
    frame.iloc[2, 3] = value
    frame.to_csv(path, index=False)
    with pytest.raises(kr.InputError, match=message):
        runs.predict(iris_run.folder, path)


def test_files_that_are_not_there_or_empty(iris_run, tmp_path):
    with pytest.raises(kr.InputError, match="no.csv cannot be read: No such file"):
        runs.predict(iris_run.folder, tmp_path / "no.csv")
    (tmp_path / "empty.csv").write_text("")
    with pytest.raises(kr.InputError, match="lacks 4 of the 4 columns"):
        runs.predict(iris_run.folder, tmp_path / "empty.csv")
    (tmp_path / "latin.csv").write_bytes(b"\xe9,b\n")
    with pytest.raises(kr.InputError, match="not UTF-8"):
        runs.predict(iris_run.folder, tmp_path / "latin.csv")


def test_the_target_and_dropped_columns_may_stay_in_the_file(table_run):
    rows = table_run.folder.parents[2] / "rows.csv"
    found = runs.predict(table_run.folder, rows)
    assert found.ignored == ()
    assert list(found.table) == ["prediction", "probability_no", "probability_yes"]
    p = found.table[["probability_no", "probability_yes"]].to_numpy()
    np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-6)
    assert list(found.table["prediction"]) == ["yes" if b > a else "no" for a, b in p]


@pytest.mark.slow
def test_texts_are_taken_from_their_column(tmp_path):
    rows = [f"good {i},pos\nbad {i},neg" for i in range(20)]
    (tmp_path / "texts.csv").write_text("\n".join(["words,mood", *rows]) + "\n")
    path = tmp_path / "mine.toml"
    path.write_text(
        'recipe = "mlp"\n[data]\nsource = "csv"\npath = "texts.csv"\ntext = "words"\n'
        'target = "mood"\n[model]\nhidden = [8]\nnormalization = "none"\nlearning_rate = 0.1\n'
        "[preprocessing]\nngrams = 1\n[fit]\nepochs = 10\n"
    )
    result = runs.train(path, out=tmp_path / "out", quiet=True)
    (tmp_path / "new.csv").write_text("n,words\n1,good stuff\n2,bad stuff\n")
    found = runs.predict(result.folder, tmp_path / "new.csv")
    assert list(found.table["prediction"]) == ["pos", "neg"]
    assert found.ignored == ("n",)


def test_values_are_predicted_in_their_own_unit(table, tmp_path):
    overrides = ["data.target=one", 'data.drop=["id", "kind"]']
    result = runs.train(table, overrides=overrides, out=tmp_path / "out", quiet=True)
    found = runs.predict(result.folder, tmp_path / "rows.csv").table
    assert list(found) == ["prediction"]
    assert found["prediction"].dtype == "float32"


def test_arrays_without_names_cannot_be_given_as_csv(tmp_path):
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "data.npz", x=rng.normal(size=(40, 2)), y=rng.normal(size=40))
    path = tmp_path / "mine.toml"
    path.write_text(
        'recipe = "mlp"\n[data]\nsource = "npz"\npath = "data.npz"\n[model]\nhidden = [2]\n'
        "[fit]\nepochs = 1\n"
    )
    result = runs.train(path, out=tmp_path / "out", quiet=True)
    (tmp_path / "new.csv").write_text("a,b\n1,2\n")
    with pytest.raises(kr.InputError, match="whose inputs have no column names"):
        runs.predict(result.folder, tmp_path / "new.csv")
