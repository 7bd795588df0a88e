import numpy as np
import pytest
import tensorflow as tf

from kerasrecipes import InputError
from kerasrecipes.data.augment import WordSwap

WORDS = [f"w{i}" for i in range(8)]


def swapped(rate, texts, seed=0):
    y = WordSwap(rate, seed=seed)(tf.constant(texts), training=True)
    return [text.decode() for text in y.numpy()]


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_neighbours_change_places_with_the_stated_probability(rate):
    found = [text.split() for text in swapped(rate, [" ".join(WORDS)] * 3000)]
    order = np.array([[WORDS.index(word) for word in text] for text in found])
    assert (np.sort(order, 1) == np.arange(8)).all()
    assert (np.abs(order - np.arange(8)) <= 1).all()
    moved = (order[:, :-1] == np.arange(1, 8)).mean(0)
    expected = np.array([rate] + [rate * (1 - rate)] * 6)
    bound = 5 * np.sqrt(expected * (1 - expected) / 3000)
    assert (np.abs(moved - expected) < bound).all()


def test_words_stay_in_their_text():
    texts = ["a b", "c", "", " ", "d e f"]
    for _ in range(10):
        found = swapped(0.9, texts)
        assert [sorted(t.split()) for t in found] == [sorted(t.split()) for t in texts]
        assert found[1:4] == texts[1:4]


def test_batch_of_empty_texts():
    assert swapped(0.9, ["", " "]) == ["", " "]


@pytest.mark.parametrize("rate", [1.0, -0.1, "a"])
def test_bad_rate(rate):
    with pytest.raises(InputError, match="`rate`"):
        WordSwap(rate)
