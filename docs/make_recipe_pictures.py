"""Draws the curves of the shipped recipes into docs/recipes/.

    python -m docs.make_recipe_pictures [FOLDER]

FOLDER has runs that `kerasrecipes train` made, one of each recipe; without it they are trained.
"""

import json
import pathlib
import sys
import tempfile

import pandas as pd
from sklearn.datasets import load_digits

import kerasrecipes as kr

PICTURES = pathlib.Path(__file__).resolve().parent / "recipes"
SHIPPED = (
    "digits-mlp",
    "breast-cancer-tabular",
    "digits-cnn",
    "digits-resnet",
    "digits-temporal",
    "digits-rnn",
    "digits-transformer",
    "numbers-text",
)


def draw(history: dict[str, list[float]], name: str, best_epoch: int | None = None) -> None:
    """Writes the curves of loss and accuracy."""
    figure = kr.reporting.curves(history, best_epoch=best_epoch, names=["loss", "accuracy"])
    figure.savefig(PICTURES / f"{name}.png", dpi=110)


def fine_tuned() -> dict[str, list[float]]:
    """Returns the history of a network of ten digits that learns which of them are even."""
    images, y = load_digits(return_X_y=True)
    images = (images.reshape(-1, 8, 8, 1) / 16).astype("float32")
    known, few, rest = slice(0, 1000), slice(1000, 1040), slice(1040, 1200)
    trained = kr.recipes.cnn((8, 8, 1), kr.targets.Multiclass(10), filters=(16, 32, 64), seed=0)
    trained.fit(
        kr.data.batches(images[known], y[known], batch_size=32, seed=0), epochs=8, verbose=0
    )
    model = kr.recipes.fine_tune(trained, kr.targets.Binary(), groups=2, seed=0)
    even = 1 - y % 2
    return model.fit(
        kr.data.batches(images[few], even[few], batch_size=8, seed=0),
        validation_data=(images[rest], even[rest]),
        epochs=10,
        verbose=0,
    ).history


def main(folder: pathlib.Path | None) -> None:
    """Draws all of them."""
    with tempfile.TemporaryDirectory() as temporary:
        for name in SHIPPED:
            if folder is None:
                run = pathlib.Path(kr.runs.train(name, out=temporary, quiet=True).folder)
            else:
                run = sorted((folder / name).iterdir())[-1]
            best = json.loads((run / "metrics.json").read_text())["epochs"]["best"]
            draw(pd.read_csv(run / "history.csv").to_dict("list"), name, best)
    draw(fine_tuned(), "fine-tune")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else None)
