import collections
import math

import keras
import numpy as np
import pandas as pd
import pytest

from kerasrecipes import InputError
from kerasrecipes.data import vectorization
from tests.harness import check_save_round_trip

TEXTS = ["The cat sat.", "The dog sat down", "a bird!", "Dog; dog dog, dog"]
FRESH = ["the dog sat", "unknown words", "", "cat"]


def grams(text, longest):
    words = "".join(c for c in text.lower() if c.isalnum() or c == " ").split()
    return [
        " ".join(words[i : i + n]) for n in range(1, longest + 1) for i in range(len(words) - n + 1)
    ]


def by_hand(layer, text, output, longest):
    """The vector of one text from the formulas in the docstring."""
    vocabulary = [str(token) for token in layer.get_vocabulary()]
    held = [set(grams(each, longest)) for each in TEXTS]
    weights = [
        math.log(1 + len(TEXTS) / (1 + sum(token in each for each in held)))
        for token in vocabulary[1:]
    ]
    weights = np.array([np.mean(weights), *weights])
    counts = np.zeros(len(vocabulary))
    for gram in grams(text, longest):
        counts[vocabulary.index(gram) if gram in vocabulary else 0] += 1
    return {"count": counts, "multi_hot": counts > 0, "tf_idf": counts * weights}[output]


@pytest.mark.parametrize("output", ["tf_idf", "multi_hot", "count"])
@pytest.mark.parametrize("longest", [1, 2])
def test_equals_the_formulas(output, longest):
    layer = vectorization(TEXTS, ngrams=longest, output=output)
    for text in TEXTS + FRESH:
        expected = by_hand(layer, text, output, longest)
        np.testing.assert_allclose(layer([text])[0], expected, rtol=1e-6)


def test_vocabulary_is_the_most_frequent():
    counts = collections.Counter(gram for text in TEXTS for gram in grams(text, 2))
    layer = vectorization(TEXTS, max_tokens=5)
    kept = [str(token) for token in layer.get_vocabulary()[1:]]
    assert len(kept) == 4
    assert min(counts[token] for token in kept) >= sorted(counts.values())[-4]


@pytest.mark.parametrize("output", ["tf_idf", "multi_hot", "count"])
def test_saved_model_takes_raw_texts(output, tmp_path):
    layer = vectorization(TEXTS, output=output)
    inputs = keras.Input((), dtype="string")
    model = keras.Model(inputs, keras.layers.Dense(3)(layer(inputs)))
    model.compile("sgd", "mse")
    x = np.array(TEXTS + FRESH, dtype=object)
    model.fit(x, np.zeros((len(x), 3)), verbose=0)
    loaded = check_save_round_trip(model, x, tmp_path, atol=0)
    assert loaded.layers[1].get_vocabulary() == layer.get_vocabulary()


def test_kinds_of_texts_and_characters():
    words = vectorization(TEXTS).get_vocabulary()
    assert vectorization(np.array(TEXTS)).get_vocabulary() == words
    assert vectorization(pd.Series(TEXTS)).get_vocabulary() == words
    letters = vectorization(["Ab"], split="character", standardize=None)
    assert {str(token) for token in letters.get_vocabulary()} == {"[UNK]", "A", "b", "A b"}


@pytest.mark.parametrize(
    ("texts", "arguments", "message"),
    [
        ([1, 2], {}, "`texts` must be a list of str"),
        ("one text", {}, "`texts` must be an array"),
        (["a", None], {}, "`texts` must be an array of numbers or of texts"),
        ([["a", "b"]], {}, "`texts` must be a list of str"),
        (["", " . "], {}, "must hold words"),
        (TEXTS, {"max_tokens": 1}, "`max_tokens`"),
        (TEXTS, {"ngrams": 0}, "`ngrams`"),
        (TEXTS, {"output": "tfidf"}, "Did you mean 'tf_idf'"),
        (TEXTS, {"standardize": "lower_case"}, "`standardize`"),
        (TEXTS, {"split": "space"}, "`split`"),
    ],
)
def test_bad_input(texts, arguments, message):
    with pytest.raises(InputError, match=message):
        vectorization(texts, **arguments)
