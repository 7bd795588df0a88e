"""Seconds of `kerasrecipes train digits-mlp`, start to end, against the same in plain Keras."""

import tempfile

from tables import machine, spread, table, timed

OURS = """
import sys
from kerasrecipes.cli.main import main
sys.argv = ["kerasrecipes", "train", "digits-mlp", "--quiet", "--out", {out!r},
            "--set", "fit.epochs={epochs}",
            "--set", "fit.patience={epochs}"]
main()
"""
PLAIN = """
import keras
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
keras.utils.set_random_seed(0)
x, y = load_digits(return_X_y=True)
x, xt, y, yt = train_test_split(x, y, test_size=0.25, stratify=y, random_state=0)
x, xv, y, yv = train_test_split(x, y, test_size=0.2, stratify=y, random_state=0)
normalize = keras.layers.Normalization()
normalize.adapt(x)
layers = [keras.Input((64,)), normalize]
for _ in range(2):
    layers += [keras.layers.Dense(256, use_bias=False), keras.layers.BatchNormalization(),
               keras.layers.Activation("relu"), keras.layers.Dropout(0.3)]
model = keras.Sequential([*layers, keras.layers.Dense(10, activation="softmax")])
model.compile(keras.optimizers.AdamW(1e-3), "sparse_categorical_crossentropy",
              metrics=["accuracy"])
model.fit(x, y, batch_size=32, epochs={epochs}, validation_data=(xv, yv), verbose=0)
model.evaluate(xt, yt, verbose=0)
model.save({out!r} + "/model.keras")
"""
EPOCHS = 30
ROUNDS = 5


def main():
    """Prints the table."""
    codes = {"kerasrecipes train digits-mlp": OURS, "the same model in plain Keras": PLAIN}
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
