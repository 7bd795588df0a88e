"""WordDropout."""

from typing import Any

import tensorflow as tf

from kerasrecipes._export import export
from kerasrecipes.data.augment._words import WordLayer


@export("augment")
class WordDropout(WordLayer):
    """Leaves words out of texts at random, in training.

    Each word goes with probability `rate`, on its own. A text that would lose all its words
    keeps one of them, each alike, so no text becomes empty. Words are what blanks divide, and
    one blank stands between those that stay. Inference leaves the texts alone.

    Put it after `keras.Input((), dtype="string")` and before the `TextVectorization`, or use it
    in `kerasrecipes.data.augment.apply`. Inside a model it needs the TensorFlow backend.

    Args:
        rate: Probability, float in [0, 1). Defaults to 0.1.
        seed: Integer for reproducible draws, or None. Defaults to None.
        **kwargs: Arguments of `keras.layers.Layer`, such as `name`.

    Call arguments:
        inputs: Texts, a string tensor of any shape.
        training: Whether to leave words out.

    Returns: Texts of the same shape.

    Raises: InputError if `rate` is outside [0, 1), or `inputs` are not texts.

    Example:
    >>> import tensorflow as tf
    >>> layer = WordDropout(0.5, seed=1)
    >>> texts = tf.constant(["one two three four", "one"])
    >>> [text.decode() for text in layer(texts, training=True).numpy()]
    ['three four', 'one']
    >>> [text.decode() for text in layer(texts).numpy()]
    ['one two three four', 'one']

    Reference: Iyyer et al. 2015, Deep Unordered Composition Rivals Syntactic Methods (ACL).
    """

    def change(self, words: Any) -> Any:
        """Returns the words that stay."""
        drawn = words.with_flat_values(self.draw(words))
        # A word with the largest draw of its text stays, which matters only if none else does.
        largest = tf.gather(tf.reduce_max(drawn, axis=1), words.value_rowids())
        keep = (drawn.flat_values >= self.rate) | (drawn.flat_values == largest)
        return tf.ragged.boolean_mask(words, words.with_flat_values(keep))
