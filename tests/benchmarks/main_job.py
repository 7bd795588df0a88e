"""Seconds from the start of a process to a saved model of the digits: plain Keras, and ours."""

import tempfile

from tables import machine, spread, table, timed

COMMAND = """
import sys
from kerasrecipes.cli.main import main
sys.argv = ["kerasrecipes", "train", "digits-mlp", "--quiet", "--out", {out!r},
            "--set", "fit.epochs={epochs}",
            "--set", "fit.patience={epochs}"]
main()
"""
DATA = """
import keras
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
keras.utils.set_random_seed(0)
x, y = load_digits(return_X_y=True)
x, xt, y, yt = train_test_split(x, y, test_size=0.25, stratify=y, random_state=0)
x, xv, y, yv = train_test_split(x, y, test_size=0.2, stratify=y, random_state=0)
normalize = keras.layers.Normalization()
normalize.adapt(x)
"""
PLAIN_MODEL = """
layers = [keras.Input((64,)), normalize]
for _ in range(2):
    layers += [keras.layers.Dense(256, use_bias=False), keras.layers.BatchNormalization(),
               keras.layers.Activation("relu"), keras.layers.Dropout(0.3)]
model = keras.Sequential([*layers, keras.layers.Dense(10, activation="softmax")])
model.compile(keras.optimizers.AdamW(1e-3), "sparse_categorical_crossentropy",
              metrics=["accuracy"])
"""
RECIPE_MODEL = """
import kerasrecipes as kr
model = kr.recipes.mlp((64,), kr.targets.Multiclass(10), hidden=(256, 256), dropout=0.3,
                       preprocessing=normalize)
"""
FIT = """
model.fit(x, y, batch_size=32, epochs={epochs}, validation_data=(xv, yv), verbose=0)
model.evaluate(xt, yt, verbose=0)
model.save({out!r} + "/model.keras")
"""
EPOCHS = 60  # those of the recipe file
ROUNDS = 5


def main():
    """Prints the table."""
    codes = {
        "plain Keras": DATA + PLAIN_MODEL + FIT,
        "`recipes.mlp`": DATA + RECIPE_MODEL + FIT,
        "`kerasrecipes train digits-mlp`, with checks, pictures and report": COMMAND,
    }
    seconds = {name: ([], []) for name in codes}
    for _ in range(ROUNDS):
        for name, code in codes.items():
            with tempfile.TemporaryDirectory() as out:
                found = timed(code.format(out=out, epochs=EPOCHS))
            for values, value in zip(seconds[name], found, strict=True):
                values.append(value)
    print(f"{machine()}; {EPOCHS} epochs, process start to saved model, ", end="")
    print(f"median (least to most) of {ROUNDS} alternating runs\n")
    rows = [[name, spread(wall, 1), spread(cpu, 1)] for name, (wall, cpu) in seconds.items()]
    print(table(["job", "wall s", "CPU s"], rows))


if __name__ == "__main__":
    main()
