"""Loading a saved run: how the model was made, and predictions for raw rows.

Takes the folder of a run as its argument; without one it trains a short run first.
"""

import pathlib
import sys
import tempfile

import keras
from sklearn.datasets import load_digits

import kerasrecipes as kr

if len(sys.argv) > 1:
    folder = pathlib.Path(sys.argv[1])
else:
    out = tempfile.mkdtemp()
    folder = kr.runs.train("digits-mlp", overrides=["fit.epochs=3"], out=out).folder

model = keras.saving.load_model(folder / "model.keras")
print("made by", model.recipe.name, "for", model.target.name)

x, y = load_digits(return_X_y=True)
p = model.predict(x[:5], verbose=0)
print("predicted", p.argmax(axis=1).tolist(), "true", y[:5].tolist())
