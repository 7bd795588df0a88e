"""What `auto` infers from files and folders."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from kerasrecipes import InputError
from kerasrecipes.runs._inferred import inferred

RNG = np.random.default_rng(0)
N = 60
FRAME = pd.DataFrame(
    {
        "id": range(100, 100 + N),
        "size": RNG.normal(size=N),
        "city": RNG.choice(["Bern", "Genf"], N),
        "name": [f"house {i}" for i in range(N)],
        "sold": RNG.choice(["no", "yes"], N),
    }
)


def written(tmp_path, frame=FRAME, name="houses.csv", **options):
    frame.to_csv(tmp_path / name, index=False, **options)
    return tmp_path / name


def test_the_last_column_is_the_target_unless_one_has_its_name(tmp_path):
    found = inferred(written(tmp_path), None)
    assert (found.recipe, found.data["source"], found.data["target"]) == ("tabular", "csv", "sold")
    assert ("the target is the column 'sold'", "--target COLUMN") in found.notes
    named = FRAME.rename(columns={"city": "Label"})
    assert inferred(written(tmp_path, named), None).data["target"] == "Label"
    told = inferred(written(tmp_path), "size")
    assert told.data["target"] == "size"
    assert not [what for what, _ in told.notes if "target" in what]


def test_columns_that_only_tell_rows_apart_are_left_out_and_said(tmp_path):
    found = inferred(written(tmp_path), None)
    assert found.data["drop"] == ["id", "name"]
    assert any("left out" in what and "id, name" in what for what, _ in found.notes)
    few = inferred(written(tmp_path, FRAME[["id", "sold"]]), None)
    assert "drop" not in few.data  # there would be nothing left


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_separators_and_compression(separator, tmp_path):
    path = written(tmp_path, name="houses.csv.gz", sep=separator)
    found = inferred(path, None)
    assert found.data.get("separator", ",") == separator
    assert found.data["target"] == "sold"
    assert found.data["path"] == str(path)


def test_parquet(tmp_path):
    FRAME.to_parquet(tmp_path / "houses.parquet")
    found = inferred(tmp_path / "houses.parquet", None)
    assert (found.data["source"], found.data["target"]) == ("parquet", "sold")


def test_a_column_of_sentences_is_text(tmp_path):
    words = [" ".join(RNG.choice(["a", "fine", "film", "dull"], 6)) + f" {i}" for i in range(N)]
    frame = pd.DataFrame({"id": range(N), "review": words, "stars": FRAME["sold"]})
    found = inferred(written(tmp_path, frame), None)
    assert (found.recipe, found.data["text"], found.data["target"]) == ("text", "review", "stars")
    assert any("'review' holds texts" in what for what, _ in found.notes)
    more = inferred(written(tmp_path, frame.assign(size=FRAME["size"])), "stars")
    assert more.recipe == "tabular"
    assert "review" in more.data["drop"]


@pytest.mark.parametrize(
    ("labels", "is_said"),
    [
        (RNG.integers(1, 4, N), True),
        (RNG.integers(0, 3, N).astype("float64"), True),
        (RNG.integers(0, 3, N), False),
        (RNG.normal(size=N), False),
        (RNG.choice(["a", "b"], N), False),
    ],
)
def test_numbers_that_may_be_classes_are_pointed_out(labels, is_said, tmp_path):
    found = inferred(written(tmp_path, FRAME.assign(sold=labels)), "sold")
    assert any("is a number, not one of" in what for what, _ in found.notes) == is_said


def test_folder_of_images(tmp_path):
    for name, mode in (("cats", "L"), ("dogs", "L")):
        (tmp_path / name).mkdir()
        for i in range(3):
            Image.new(mode, (200, 100)).save(tmp_path / name / f"{i}.png")
    found = inferred(tmp_path, None)
    assert (found.recipe, found.data["source"]) == ("cnn", "images")
    assert (found.data["size"], found.data["color"]) == ([32, 64], "grayscale")
    assert "32 x 64" in found.notes[0][0]
    Image.new("RGB", (200, 100)).save(tmp_path / "dogs" / "c.png")
    assert inferred(tmp_path, None).data["color"] == "rgb"


def test_folder_of_texts(tmp_path):
    for name in ("bad", "good"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.txt").write_text("a text")
    found = inferred(tmp_path, None)
    assert (found.recipe, found.data["source"]) == ("text", "texts")


def test_bad_input(tmp_path):
    path = written(tmp_path)
    with pytest.raises(InputError, match="`target` must name a column: 'id'.*Received: 'pric'"):
        inferred(path, "pric")
    with pytest.raises(InputError, match="`data` names nothing that is there"):
        inferred(tmp_path / "no.csv", None)
    with pytest.raises(InputError, match="`target` must be left out for a folder"):
        inferred(tmp_path, "x")
    (tmp_path / "notes.pdf").write_text("x")
    with pytest.raises(InputError, match="`data` must be a csv or parquet file"):
        inferred(tmp_path / "notes.pdf", None)
