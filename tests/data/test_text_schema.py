"""What a schema keeps of texts, against counts by hand."""

import keras
import numpy as np
import pytest

from kerasrecipes import InputError
from kerasrecipes.data import TextSchema
from tests.harness import check_config_round_trip

TEXTS = ["Good film!", "bad film", "A good, good book", "film film film"]


def test_entries_are_counted_by_text():
    schema = TextSchema.from_texts(TEXTS)
    assert dict(schema.words) == {"film": 3, "good": 2}
    assert schema.single_words == ["film", "good"]
    found = {token: texts for token, texts in schema.characters}
    assert found["f i l m"] == 3
    assert found["g o o d"] == 2
    assert "b o o k" not in found
    assert (schema.rows, schema.length, schema.counted) == (4, 4, 4)


def test_least_and_most_entries():
    every = TextSchema.from_texts(TEXTS, min_texts=1)
    assert len(every.words) == 11
    assert dict(every.words)["film film"] == 1
    assert [entry.token for entry in TextSchema.from_texts(TEXTS, max_tokens=1).words] == ["film"]
    alone = TextSchema.from_texts(["one", "two"])  # nothing that two texts hold
    assert dict(alone.words) == {"one": 1, "two": 1}


def test_weights_are_the_formula():
    layer = TextSchema.from_texts(TEXTS).layer("words")
    film, good = np.log(1 + 4 / (1 + 3)), np.log(1 + 4 / (1 + 2))
    expected = [[0, 2 * film, good], [(film + good) / 2 * 3, 0, 0], [0, 0, 0]]
    found = layer(["FILM, good film?".replace(",", ""), "no such word".replace(" ", "  "), ""])
    # "film good" and "good film" are pairs that are not known
    unknown = np.array(found)[0, 0]
    assert unknown == pytest.approx((film + good) / 2 * 2, rel=1e-6)
    expected[0][0] = unknown
    expected[1][0] = (film + good) / 2 * 5  # three words, two pairs
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_numbers_of_words():
    layer = TextSchema.from_texts(TEXTS).layer("words", length=3)
    assert np.array(layer(["a good film", "film", ""])).tolist() == [
        [1, 3, 2],
        [2, 0, 0],
        [0, 0, 0],
    ]


def test_a_large_set_is_sampled_evenly():
    schema = TextSchema.from_texts(["even text", "odd text"] * 10_001)
    assert (schema.rows, schema.counted) == (20_002, 6_668)
    assert dict(schema.words)["text"] == 6_668


def test_config_and_saving_in_a_layer(tmp_path):
    schema = check_config_round_trip(TextSchema.from_texts(TEXTS))
    inputs = keras.Input((), dtype="string")
    model = keras.Model(inputs, schema.layer("characters")(inputs))
    model.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    x = np.array(["good film", "anything"], object)
    np.testing.assert_array_equal(loaded.predict(x, verbose=0), model.predict(x, verbose=0))


@pytest.mark.parametrize(
    ("texts", "arguments", "message"),
    [
        ([1, 2], {}, "`texts` must be a list of str"),
        ("one", {}, "`texts`"),
        (["", " "], {}, "must hold words"),
        (TEXTS, {"max_tokens": 0}, "`max_tokens`"),
        (TEXTS, {"min_texts": 0}, "`min_texts`"),
    ],
)
def test_bad_input(texts, arguments, message):
    with pytest.raises(InputError, match=message):
        TextSchema.from_texts(texts, **arguments)
    with pytest.raises(InputError, match="Did you mean 'words'"):
        TextSchema.from_texts(TEXTS).layer("word")
