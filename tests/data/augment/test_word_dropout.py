import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasrecipes import InputError
from kerasrecipes.data.augment import WordDropout

WORDS = [f"w{i}" for i in range(10)]
TEXT = " ".join(WORDS)


def dropped(rate, texts, seed=0):
    y = WordDropout(rate, seed=seed)(tf.constant(texts), training=True)
    return [text.decode() for text in y.numpy().ravel()]


@pytest.mark.parametrize("rate", [0.05, 0.3, 0.7])
def test_each_word_goes_with_the_rate_in_order(rate):
    kept = [text.split() for text in dropped(rate, [TEXT] * 2000)]
    assert all([w for w in WORDS if w in text] == text for text in kept)
    bound = 5 * np.sqrt(rate * (1 - rate) / 2000) + rate**10
    for word in WORDS:
        assert abs(sum(word in text for text in kept) / 2000 - (1 - rate)) < bound


def test_number_of_words_is_binomial_but_for_empty_texts():
    counts = np.bincount([len(t.split()) for t in dropped(0.8, ["a b"] * 5000)], minlength=3)
    assert counts[0] == 0
    assert abs(counts[2] / 5000 - 0.04) < 5 * np.sqrt(0.04 * 0.96 / 5000)


def test_word_that_saves_a_text_is_any_of_them_alike():
    kept = dropped(0.999, ["a b c d"] * 4000)
    assert all(kept)
    for word in "abcd":
        assert abs(kept.count(word) / 4000 - 0.25) < 0.04


@pytest.mark.parametrize("text", ["", "one", " ", "\t\n", "ein Bär läuft", "一 二 三", "a  b"])
def test_odd_texts_are_never_emptied(text):
    found = dropped(0.9, [text] * 20)
    assert all(set(f.split()) <= set(text.split()) for f in found)
    assert all(bool(f.split()) == bool(text.split()) for f in found)
    if not text.split():
        assert found == [text] * 20


@pytest.mark.parametrize("shape", [(4,), (4, 1), (2, 2)])
def test_shapes(shape):
    x = tf.reshape(tf.constant([TEXT] * 4), shape)
    assert tuple(WordDropout(0.5)(x, training=True).shape) == shape


def test_rate_zero_is_the_identity():
    assert dropped(0, ["a  b"]) == ["a  b"]


def test_half_precision_policy_changes_nothing():
    keras.config.set_dtype_policy("mixed_float16")
    half = dropped(0.5, [TEXT] * 20)
    keras.config.set_dtype_policy("float32")
    assert half == dropped(0.5, [TEXT] * 20)


@pytest.mark.parametrize("rate", [1.0, -0.1, "a", None])
def test_bad_rate(rate):
    with pytest.raises(InputError, match="`rate`"):
        WordDropout(rate)


def test_numbers_are_refused():
    with pytest.raises(InputError, match="`inputs`"):
        WordDropout()(tf.zeros((2,)), training=True)
    with pytest.raises(InputError, match="`inputs`"):
        WordDropout()(keras.Input((3,)))
