"""Raw texts to a bag of n-grams, as a layer inside the model."""

import string
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from kerasrecipes._arrays import as_array
from kerasrecipes._checks import InputError, check_choice, check_int, fail
from kerasrecipes._export import export

OUTPUTS = ("tf_idf", "multi_hot", "count")
STANDARDIZE = ("lower_and_strip_punctuation", "lower", "strip_punctuation", None)


@export("data", saved=False)
def vectorization(
    texts: Any,
    *,
    max_tokens: int = 20000,
    ngrams: int | Sequence[int] = 2,
    output: str = "tf_idf",
    standardize: str | None = "lower_and_strip_punctuation",
    split: str = "whitespace",
) -> keras.layers.TextVectorization:
    """Returns a layer from raw texts to a vector with one entry per n-gram.

    Put it first in the model, after `keras.Input((), dtype="string")`, so that the saved model
    takes raw texts. The vocabulary is the most frequent runs of 1 to `ngrams` words in the
    training texts; entry 0 stands for all others. For an n-gram that occurs c times in a text,
    and in d of the D training texts:

        count:      c
        multi_hot:  1 if c > 0, else 0
        tf_idf:     c * log(1 + D / (1 + d))     (entry 0: the mean of the logarithms)

    The layer is stock Keras and works on strings, so inside a model it needs the TensorFlow
    backend; on the others, apply it to a `tf.data.Dataset` before the model.

    Args:
        texts: Training texts, a list or array of str. Only those of the training split.
        max_tokens: Largest length of the vector, int >= 2. Defaults to 20000.
        ngrams: Longest run of words, int >= 1; or the lengths of runs, such as (3, 4, 5). Defaults
            to 2.
        output: "tf_idf", "multi_hot" or "count". Defaults to "tf_idf".
        standardize: "lower_and_strip_punctuation", "lower", "strip_punctuation" or None.
            Defaults to "lower_and_strip_punctuation".
        split: What ends a word, "whitespace", or "character" for n-grams of characters.
            Defaults to "whitespace".

    Returns: An adapted `keras.layers.TextVectorization`; (batch,) texts to (batch, entries),
        float32 for "tf_idf" and int64 for the others, where entries <= max_tokens.

    Raises: InputError if `texts` is not a list of str or holds no words.

    Example:
    >>> layer = vectorization(["good film", "bad film"], output="count")
    >>> [str(token) for token in layer.get_vocabulary()]
    ['[UNK]', 'film', 'good film', 'good', 'bad film', 'bad']
    >>> layer(["Good, good film!"]).numpy().tolist()
    [[1, 1, 1, 2, 0, 0]]

    Reference: Wang & Manning 2012, Baselines and Bigrams.
    """
    check_int("max_tokens", max_tokens, low=2)
    lengths = ngrams if isinstance(ngrams, (tuple, list)) and ngrams else [ngrams]
    checked = tuple(check_int("ngrams", each, low=1) for each in lengths)
    check_choice("output", output, OUTPUTS)
    check_choice("standardize", standardize, STANDARDIZE)
    check_choice("split", split, ("whitespace", "character"))
    array = as_texts("texts", texts)
    ignored = string.punctuation if "strip_punctuation" in (standardize or "") else ""
    if not any(text.translate(str.maketrans("", "", ignored)).strip() for text in array):
        raise InputError(f"`texts` must hold words. Received: {len(array)} text(s) without any.")
    layer = keras.layers.TextVectorization(
        max_tokens=max_tokens,
        ngrams=checked[0] if isinstance(ngrams, int) else checked,
        output_mode=output,
        standardize=standardize,
        split=split,
    )
    layer.adapt(array)
    return layer


def as_texts(argument: str, texts: Any) -> np.ndarray:
    """Returns texts as an object array of str, shape (n,); anything else is an `InputError`."""
    array = as_array(argument, texts)
    if array.dtype != object or array.ndim != 1:
        fail(argument, "a list of str", f"dtype {array.dtype}, shape {array.shape}")
    return array
