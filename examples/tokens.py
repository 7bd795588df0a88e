"""Tokens of unlike numbers: a transformer from integers, padded with 0."""

import keras
import numpy as np

import kerasrecipes as kr

VOCABULARY = 50  # the padding 0 counts
rng = np.random.default_rng(0)


def sentence(comes_first):
    """Ten to thirty tokens, among them a 1 and a 2; what is asked is which comes first."""
    tokens = rng.integers(3, VOCABULARY, rng.integers(10, 31))
    places = np.sort(rng.choice(len(tokens), 2, replace=False))
    tokens[places] = [1, 2] if comes_first == 0 else [2, 1]
    return tokens


y = np.arange(2000) % 2
x = keras.utils.pad_sequences([sentence(first) for first in y], padding="post")
rows = kr.data.split(x, y, validation=0.2, test=0.2, seed=0)
model = kr.recipes.transformer(
    (None,), kr.targets.Binary(["1 first", "2 first"]), vocabulary_size=VOCABULARY, seed=0
)
model.fit(
    kr.data.batches(*rows.train, batch_size=32, seed=0),
    validation_data=rows.validation,
    epochs=12,
    verbose=0,
    callbacks=kr.callbacks.standard(patience=None),
)
print(model.evaluate(*rows.test, return_dict=True, verbose=0))
