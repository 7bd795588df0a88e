"""Series of unlike lengths: padded, masked, classified by convolution, read back raw."""

import pathlib
import tempfile

import keras
import numpy as np

import kerasrecipes as kr

PADDING = -1e9  # a value that no series has
rng = np.random.default_rng(0)


def recording(kind):
    """A wave of two channels: slow, fast, or getting faster, of 20 to 60 steps."""
    t = np.arange(rng.integers(20, 61)) + rng.uniform(0, 20)
    phase = [t / 3, t, t**2 / 40][kind]
    wave = np.stack([np.sin(phase), np.cos(phase)], axis=1)
    return 50 + 10 * wave + rng.normal(scale=5, size=wave.shape)


def padded(series):
    """Returns one array (rows, steps, channels)."""
    return keras.utils.pad_sequences(series, dtype="float32", padding="post", value=PADDING)


y = np.arange(600) % 3
series = [recording(kind) for kind in y]
rows = kr.data.split(padded(series), y, validation=0.2, test=0.2, seed=0)
steps = rows.train.x.reshape(-1, 2)
scaled = kr.data.normalization(steps[steps[:, 0] != PADDING])  # of the steps that there are

model = kr.recipes.temporal(
    (None, 2),
    kr.targets.Multiclass(["slow", "fast", "faster"]),
    filters=(16, 32, 16),
    mask_value=PADDING,
    preprocessing=scaled,
    seed=0,
)
model.fit(
    kr.data.batches(*rows.train, batch_size=32, seed=0),
    validation_data=rows.validation,
    epochs=15,
    verbose=0,
    callbacks=kr.callbacks.standard(patience=None),
)
print(model.evaluate(*rows.test, return_dict=True, verbose=0))

path = pathlib.Path(tempfile.mkdtemp()) / "waves.keras"
model.save(path)
new = padded([recording(0), recording(1)])  # another number of steps than in training
print(keras.saving.load_model(path).predict(new, verbose=0).round(2))
