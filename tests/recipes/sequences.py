"""Series that the tests of recipes for sequences share."""

import keras
import numpy as np

import kerasrecipes as kr

PADDING = -9.0
TARGET = kr.targets.Multiclass(3)
_RNG = np.random.default_rng(0)


def waves(lengths, seed=0):
    """Returns series of two channels, noisy waves of three shapes, and which shape each has."""
    rng = np.random.default_rng(seed)
    y = np.arange(len(lengths)) % 3
    series = []
    for length, kind in zip(lengths, y, strict=True):
        t = np.arange(length) + rng.uniform(0, 20)
        shape = [np.sin(t), np.sin(t / 3), np.sign(np.sin(t / 2))][kind]
        noise = rng.normal(size=(length, 2))
        series.append(np.stack([shape, -shape], axis=1) + 0.3 * noise)
    return [each.astype("float32") for each in series], y


def padded(series, value=PADDING, steps=None):
    """Returns series of unlike lengths as one array."""
    return keras.utils.pad_sequences(
        series, maxlen=steps, dtype="float32", padding="post", value=value
    )


def check_first_guess(recipe):
    """The first trial of a search trains the recipe as it is."""
    arguments, fit = kr.tuning.space(recipe, TARGET).arguments({})
    first, own = recipe((24, 2), TARGET, **arguments), recipe((24, 2), TARGET)
    assert first.count_params() == own.count_params()
    settings = [{**m.optimizer.get_config(), "name": ""} for m in (first, own)]
    assert settings[0] == settings[1]
    assert fit == {"batch_size": 32}


_SERIES, Y = waves([24] * 120)
X = np.stack(_SERIES)
RAGGED = waves(_RNG.integers(10, 25, 120), seed=1)
