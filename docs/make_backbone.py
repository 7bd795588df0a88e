"""Makes what recipes/images/digits-fine-tune.toml needs: a trained network, and pictures.

    python -m docs.make_backbone

Of scikit-learn's digits the first 1,000 teach the network the ten digits; the others, with whether
they are even, are what is learnt from it.
"""

import pathlib

import keras
import numpy as np
from sklearn.datasets import load_digits

import kerasrecipes as kr

FOLDER = pathlib.Path(__file__).resolve().parents[1] / "recipes" / "images"
KNOWN = 1000


def main() -> None:
    """Writes ten-digits.keras and even-digits.npz."""
    rows, y = load_digits(return_X_y=True)
    images = rows.reshape(-1, 8, 8, 1).astype("uint8")
    keras.utils.set_random_seed(0)
    model = kr.recipes.cnn(
        (8, 8, 1),
        kr.targets.Multiclass(10),
        filters=(16, 32, 64),
        preprocessing=kr.data.normalization(images[:KNOWN], axis=None),
        rows=KNOWN,
        seed=0,
    )
    data = kr.data.batches(images[:KNOWN], y[:KNOWN], batch_size=32, seed=0)
    model.fit(data, epochs=20, verbose=0)
    features = keras.Model(model.input, model.get_layer("head").input, name="ten_digits")
    features.save(FOLDER / "ten-digits.keras")
    np.savez_compressed(FOLDER / "even-digits.npz", x=images[KNOWN:], y=1 - y[KNOWN:] % 2)


if __name__ == "__main__":
    main()
