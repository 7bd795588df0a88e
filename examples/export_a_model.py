"""A trained model for those who do not have this package: plain Keras, and a SavedModel."""

import pathlib
import tempfile

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

import kerasrecipes as kr

rng = np.random.default_rng(0)
table = pd.DataFrame(
    {
        "age": np.where(rng.uniform(size=400) < 0.1, np.nan, rng.uniform(20, 70, 400)),
        "job": rng.choice(["cook", "nurse", "smith"], 400),
    }
)
late = np.where((table["job"] == "cook") & ~(table["age"] > 50), "yes", "no")

model = kr.recipes.tabular(table, kr.targets.Binary(["no", "yes"]), seed=0)
model.fit(table, late, epochs=10, verbose=0)
expected = model.predict(table[:3], verbose=0)

folder = pathlib.Path(tempfile.mkdtemp())
print(kr.exporting.export(model, folder / "late.keras"))
print(kr.exporting.export(model, folder / "late"))

# From here on nothing needs kerasrecipes: columns by name, "" for a missing text.
columns = {
    "age": np.array([35.0, np.nan, 61.0], "float32"),
    "job": np.array(["cook", "", "smith"], object),
}
plain = keras.saving.load_model(folder / "late.keras").predict(columns, verbose=0)
served = tf.saved_model.load(folder / "late")
again = served.serve({name: tf.constant(column) for name, column in columns.items()})
print("plain Keras", plain.ravel(), "SavedModel", again.numpy().ravel())

known = kr.exporting.encode(model, table[:3], raw=True)
assert np.allclose(keras.saving.load_model(folder / "late.keras").predict(known), expected)
