"""The data sets that come with scikit-learn: nothing is downloaded."""

from pathlib import Path

import sklearn.datasets

from kerasrecipes._checks import check_choice, fail
from kerasrecipes._fingerprint import fingerprint
from kerasrecipes.data.examples import Examples
from kerasrecipes.data.loaders import _options

NAMES = ("breast_cancer", "diabetes", "digits", "iris", "linnerud", "wine")


def load(base: Path, *, name: str, images: bool = False) -> Examples:
    """Reads a data set by its name; digits as rows of 64, or as images of shape (8, 8, 1)."""
    check_choice("data.name", name, NAMES, remedy="Only sets that need no download are offered.")
    if _options.flag("images", images) and name != "digits":
        fail("data.images", f"left out for {name!r}, which holds no images", images)
    # In the units of the measurements: the scaled version has seen the rows of every split.
    options = {"scaled": False} if name == "diabetes" else {}
    bunch = getattr(sklearn.datasets, f"load_{name}")(**options)
    x = bunch.images[..., None] if images else bunch.data
    x = x.astype("float32")
    y = bunch.target.astype("int64" if bunch.target.dtype.kind in "iu" else "float64")
    names = None if images else tuple(str(each) for each in bunch.feature_names)
    return Examples(x, y, names, f"sklearn: {name}", fingerprint(x, y))
