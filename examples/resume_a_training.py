"""A training that is broken off, and goes on when the same program starts again.

Run it twice with the same folder as its argument, and press Ctrl-C (or kill it) in between. Without
an argument it shows both in one go.
"""

import sys
import tempfile

import keras
from sklearn.datasets import load_digits

import kerasrecipes as kr

EPOCHS = 8


class PowerCut(keras.callbacks.Callback):
    """Ends the training as nobody would want it to end."""

    def on_epoch_end(self, epoch, logs=None):
        """Raises after the fourth epoch."""
        if epoch == 3:
            raise RuntimeError("the power is cut")


def train(folder, *extra):
    """The program: nothing in it knows whether it goes on or begins."""
    x, y = load_digits(return_X_y=True)
    rows = kr.data.split(x, y, validation=0.2, test=0.2, seed=0)
    model = kr.recipes.mlp((64,), kr.targets.Multiclass(10), hidden=(64,), dropout=0.2, seed=0)
    callbacks = kr.callbacks.standard(checkpoint=folder, averaging="ema", plateau=3)
    history = model.fit(
        kr.data.batches(*rows.train, batch_size=64, seed=0),
        validation_data=rows.validation,
        epochs=EPOCHS,
        verbose=0,
        callbacks=[*callbacks, *extra],
    )
    print("resumed at (epoch, step)", callbacks[0].resumed, "of", len(history.epoch), "epochs")
    return history.history


if len(sys.argv) > 1:
    train(sys.argv[1])
else:
    with tempfile.TemporaryDirectory() as out:
        whole = train(f"{out}/whole")
        try:
            train(f"{out}/cut", PowerCut())
        except RuntimeError as error:
            print(error)
        again = train(f"{out}/cut")
        assert again == whole, "the History is that of the training that nothing interrupted"
        print("equal to the training that nothing interrupted: val_loss", again["val_loss"][-1])
