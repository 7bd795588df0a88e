"""Rows of tables as the searches hold them."""

import pandas as pd

import kerasrecipes as kr
from kerasrecipes.tuning._tables import categories, encoded, joined, with_frame

FIRST = pd.DataFrame(
    {
        "zone": pd.Categorical([1, 2], categories=[2, 1]),
        "size": [1.0, 2.0],
        "city": ["u", None],
        "open": [True, False],
        "gone": ["x", "y"],
    },
    index=[7, 3],
)


def test_joined_rows_have_the_columns_and_kinds_of_the_first():
    second = pd.DataFrame(
        {"city": ["w"], "more": [0], "zone": [3], "size": [5], "open": [True]}, index=[7]
    )
    found = joined(FIRST, second)
    assert list(found) == list(FIRST)
    assert found["zone"].tolist() == [1, 2, 3]
    assert found["zone"].cat.categories.tolist() == [2, 1, 3]
    assert found["size"].tolist() == [1.0, 2.0, 5.0]
    assert found["open"].dtype == bool
    assert found["gone"].isna().tolist() == [False, False, True]
    assert found.index.tolist() == [0, 1, 2]


def test_columns_that_are_all_missing_have_no_say_in_the_kind():
    gaps = FIRST.assign(city=None, size=float("nan"), open=None)
    for found in (joined(FIRST, gaps), joined(gaps, FIRST)):
        schema = kr.data.TableSchema.from_dataframe(found)
        assert [each.name for each in schema.numeric] == ["size"]
        kinds = {each.name: each.holds for each in schema.categorical}
        assert kinds == {"zone": "number", "city": "text", "open": "bool", "gone": "text"}


def test_columns_without_names_meet_those_of_their_number():
    matrix = with_frame(([[1.0, 2.0]], "labels"))
    assert matrix[1] == "labels"
    found = joined(matrix[0], pd.DataFrame({"1": [4.0], "0": [3.0]}))
    assert found.to_numpy().tolist() == [[1.0, 2.0], [3.0, 4.0]]


def test_what_is_no_pair_stays_for_others_to_refuse():
    for data in (None, (), 0.2, FIRST):
        assert with_frame(data) is data


def test_categories_are_those_of_pandas():
    assert categories(FIRST) == ["zone"]


def test_only_a_model_of_tables_encodes():
    model = kr.recipes.tabular(FIRST, "binary", form="mlp", hidden=())
    assert set(encoded(model, FIRST)) == {"numeric", "categorical"}
    assert encoded(None, FIRST) is FIRST
