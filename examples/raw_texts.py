"""Raw texts in and out: a schema, a bag of n-grams, and a saved model that takes strings."""

import pathlib
import tempfile

import keras
import numpy as np

import kerasrecipes as kr

rng = np.random.default_rng(0)
WORDS = {
    "complaint": "late broken missing refund wrong damaged unhappy never".split(),
    "praise": "quick perfect friendly thank lovely again happy well".split(),
}
FILLER = "the parcel order arrived my with and driver shop box was it from".split()


def message(kind):
    """Returns some words, two of which tell what kind of message it is."""
    words = [*rng.choice(FILLER, rng.integers(6, 14)), *rng.choice(WORDS[kind], 2)]
    return " ".join(rng.permutation(words)).capitalize() + "."


kinds = rng.choice(list(WORDS), 600)
texts = np.array([message(kind) for kind in kinds], object)

target = kr.targets.Binary(sorted(WORDS))
rows = kr.data.split(texts, target.encode(kinds), validation=0.15, test=0.2, seed=0)
schema = kr.data.TextSchema.from_texts(rows.train.x)
print(schema)

model = kr.recipes.text(schema, target.adapt(rows.train.y), seed=0)
model.fit(
    kr.data.batches(*rows.train, batch_size=model.suggestion.batch_size, seed=0),
    validation_data=rows.validation,
    epochs=model.suggestion.epochs,
    callbacks=kr.callbacks.standard(progress=False),
    verbose=0,
)
print(model.evaluate(*rows.test, return_dict=True, verbose=0))

path = pathlib.Path(tempfile.mkdtemp()) / "messages.keras"
model.save(path)
loaded = keras.saving.load_model(path)
print(loaded.predict(["The driver was friendly, thank you!", "My box came damaged"], verbose=0))
