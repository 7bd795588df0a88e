"""Texts as words and back, and the base of the layers that change them."""

from typing import Any

import keras
import tensorflow as tf

from kerasrecipes._checks import check_int, check_number, fail
from kerasrecipes._seeds import child_seed


class WordLayer(keras.layers.Layer):
    """Changes the words of texts in training; words are what blanks divide.

    Args:
        rate: Probability, float in [0, 1).
        seed: Integer for reproducible draws, or None. Defaults to None.
        **kwargs: Arguments of `keras.layers.Layer`, such as `name`.
    """

    def __init__(self, rate: float = 0.1, *, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate = check_number("rate", rate, low=0, high=1, open_high=True)
        self.seed = None if seed is None else check_int("seed", seed)
        own = child_seed(self.seed, type(self).__name__)
        self.seed_generator = keras.random.SeedGenerator(own)
        self.supports_jit = False  # nor do the string operations of TensorFlow

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Returns `inputs`, changed in training."""
        _check_texts(inputs)
        if not training or self.rate == 0:
            return inputs
        flat = tf.reshape(inputs, [-1])
        words = tf.strings.split(flat)
        changed = tf.strings.reduce_join(self.change(words), axis=-1, separator=" ")
        changed = tf.where(words.row_lengths() > 0, changed, flat)
        return tf.ensure_shape(tf.reshape(changed, tf.shape(inputs)), inputs.shape)

    def change(self, words: Any) -> Any:
        """Returns the new words of each text; both are `tf.RaggedTensor` (texts, words)."""
        raise NotImplementedError(f"{type(self).__name__} must implement `change`.")

    def draw(self, words: Any) -> Any:
        """Returns one number of U(0, 1) for each word, flat."""
        count = tf.shape(words.flat_values)
        return keras.random.uniform(count, dtype="float32", seed=self.seed_generator)

    def compute_output_spec(self, inputs: Any, training: bool = False) -> Any:
        """Returns the shape of `inputs` and the dtype of texts."""
        _check_texts(inputs)
        return keras.KerasTensor(inputs.shape, dtype="string")

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {**super().get_config(), "rate": self.rate, "seed": self.seed}


def _check_texts(inputs: Any) -> None:
    dtype = keras.backend.standardize_dtype(inputs.dtype)
    if dtype != "string":
        fail("inputs", "texts", f"dtype {dtype}")
