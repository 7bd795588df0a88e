import json

import numpy as np
import pandas as pd
import pytest

import kerasrecipes as kr
from kerasrecipes import InputError
from kerasrecipes.exporting import encode, plain_model
from kerasrecipes.exporting.encode import encoding_of
from tests.exporting.models import TABLE, close, made


def test_columns_as_they_are_and_encoded():
    model, _, _ = made("tabular mlp")
    raw = encode(model, TABLE.iloc[2:5], raw=True)
    assert raw["kind of"].tolist() == ["a", "", "c"]
    assert raw["month"].tolist() == [2.0, 3.0, 4.0]
    assert raw["flag"].tolist() == [1.0, 0.0, 1.0]
    assert np.isnan(raw["size"][0])
    encoded = encode(model, TABLE.iloc[2:5])
    assert {name: array.shape for name, array in encoded.items()} == {
        "numeric": (3, 1),
        "categorical": (3, 4),
    }


def test_unknown_and_missing_values_predict_alike_in_the_graph():
    model, _, _ = made("tabular tabm")
    odd = pd.DataFrame(
        {
            "size": [np.nan, 1e6],
            "kind of": ["new", None],
            "month": [99, 3.0],
            "flag": [True, False],
            "many": [None, "m3"],
        }
    )
    found = plain_model(model).predict(encode(model, odd, raw=True), verbose=0)
    close(found, model.predict(odd, verbose=0))


def test_an_empty_text_that_is_a_category_is_not_what_is_missing():
    table = {"kind": ["", "a", "b"] * 4, "size": list(range(12))}
    model = kr.recipes.tabular(table, "binary", form="mlp", hidden=(4,), seed=0)
    rows = {"kind": ["", "a", None], "size": [1, 2, 3]}
    found = plain_model(model).predict(encode(model, rows, raw=True), verbose=0)
    close(found, model.predict(rows, verbose=0))


def test_columns_with_slashes():
    table = {"km/h": [1.0, 2.0, 3.0], "a b": [1.0, 5.0, 2.0]}
    model = kr.recipes.tabular(table, "binary", form="mlp", hidden=(4,), seed=0)
    assert set(encode(model, table, raw=True)) == {"km_h", "a b"}
    clash = {"km/h": [1.0, 2.0, 3.0], "km_h": [1.0, 5.0, 2.0]}
    model = kr.recipes.tabular(clash, "binary", form="mlp", hidden=(4,), seed=0)
    with pytest.raises(InputError, match="differ by more than slashes"):
        plain_model(model)


def test_the_encoding_can_be_written_as_json():
    encoding = encoding_of(made("tabular mlp")[0])
    assert encoding["numeric"] == ["size"]
    assert encoding["categorical"]["kind of"] == ["a", "b", "c"]
    texts = encoding_of(made("text ngrams")[0])
    assert set(texts) == {"words", "characters"}
    assert len(texts["words"]["vocabulary"]) == len(texts["words"]["idf_weights"])
    assert json.loads(json.dumps(texts)) == json.loads(json.dumps(texts, ensure_ascii=False))
    assert encoding_of(made("mlp")[0]) is None


def test_wrong_rows_are_refused():
    model, _, _ = made("tabular mlp")
    with pytest.raises(InputError, match="Missing: 'kind of'"):
        encode(model, TABLE[["size"]], raw=True)
    with pytest.raises(InputError, match="`x` must be a list of str"):
        encode(made("text cnn")[0], np.ones(3))
