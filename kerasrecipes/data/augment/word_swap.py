"""WordSwap."""

from typing import Any

import tensorflow as tf

from kerasrecipes._export import export
from kerasrecipes.data.augment._words import WordLayer


@export("augment")
class WordSwap(WordLayer):
    """Lets neighbouring words of texts change places at random, in training.

    With b_i ~ Bernoulli(rate) for each word i that has a right neighbour in its text, words i and
    i + 1 change places if b_i = 1 and b_(i-1) = 0, so no word moves twice. Every text keeps its
    words. Words are what blanks divide, and one blank stands between them afterwards. Inference
    leaves the texts alone.

    It changes pairs of words, not which words there are: useful before n-grams or a sequence
    model, without effect on a bag of single words. Put it after `keras.Input((), dtype="string")`
    and before the `TextVectorization`, or use it in `kerasrecipes.data.augment.apply`. Inside a
    model it needs the TensorFlow backend.

    Args:
        rate: Probability, float in [0, 1). Defaults to 0.1.
        seed: Integer for reproducible draws, or None. Defaults to None.
        **kwargs: Arguments of `keras.layers.Layer`, such as `name`.

    Call arguments:
        inputs: Texts, a string tensor of any shape.
        training: Whether to swap.

    Returns: Texts of the same shape.

    Raises: InputError if `rate` is outside [0, 1), or `inputs` are not texts.

    Example:
    >>> import tensorflow as tf
    >>> layer = WordSwap(0.5, seed=0)
    >>> layer(tf.constant(["one two three four"]), training=True).numpy()[0].decode()
    'two one three four'

    Reference: Wei & Zou 2019, arXiv:1901.11196 (random swap; here of neighbours, as in Lample et
        al. 2018, arXiv:1711.00043).
    """

    def change(self, words: Any) -> Any:
        """Returns the words in their new order."""
        flat, text = words.flat_values, words.value_rowids()
        has_right = tf.concat([text[:-1] == text[1:], tf.zeros_like(text[:1], tf.bool)], 0)
        drawn = (self.draw(words) < self.rate) & has_right
        before = tf.concat([tf.zeros_like(drawn[:1]), drawn[:-1]], 0)
        left = drawn & tf.logical_not(before)
        right = tf.concat([tf.zeros_like(left[:1]), left[:-1]], 0)
        shift = tf.cast(left, "int32") - tf.cast(right, "int32")
        return words.with_flat_values(tf.gather(flat, tf.range(tf.size(flat)) + shift))
