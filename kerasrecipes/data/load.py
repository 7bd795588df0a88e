"""From a [data] table to arrays."""

import functools
import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kerasrecipes._checks import InputError, check_choice, fail
from kerasrecipes._export import bind, export
from kerasrecipes.data.examples import Examples

SOURCES = ("csv", "images", "npz", "parquet", "sklearn", "texts")


@export("data", saved=False)
def load(spec: Mapping[str, Any], *, base: str | Path | None = None) -> Examples:
    """Returns the examples that the [data] table of a recipe describes, all in memory.

    Every fault that would spoil training is an error here, with file, column and rows: missing
    files and columns, gaps and infinities, texts among numbers, labels that are missing or all
    the same, duplicate columns, damaged files. Nothing is dropped or filled in silently.

    | source | options |
    |---|---|
    | "sklearn" | `name`: a data set that comes with scikit-learn; `images` = true for "digits" |
    | "csv" | `path`, `target`, `features` or `text`, `drop`, `separator` (","), `mixed` |
    | "parquet" | as "csv" without `separator`; needs pyarrow |
    | "npz" | `path`, `x` ("x") and `y` ("y") name the arrays |
    | "images" | `path` with one sub-folder per class; `size` = [height, width], `color` ("rgb") |
    | "texts" | `path` with one sub-folder of .txt files per class |

    Features are all columns but the target and `drop`, unless `features` names them; `text`
    names one column of texts as x instead. With `mixed` = true x is a DataFrame, whose columns may
    hold texts and gaps, for `kerasrecipes.recipes.tabular`. Without `target` (or an array "y")
    there are no labels.

    Args:
        spec: The table: "source" and the options above.
        base: Folder that relative paths start from. Defaults to the working folder.

    Returns: `Examples`: x, y, feature_names, source and fingerprint.

    Raises: InputError as above, and for unknown sources, options and values of the wrong type.

    Example:
    >>> data = load({"source": "sklearn", "name": "iris"})
    >>> data.x.shape, data.y.shape, data.feature_names[0]
    ((150, 4), (150,), 'sepal length (cm)')
    """
    if not isinstance(spec, Mapping):
        fail("data", "a table (dict) with a 'source'", spec)
    options = dict(spec)
    if "source" not in options:
        raise InputError(f"`data.source` is missing: one of {', '.join(map(repr, SOURCES))}.")
    source = check_choice("data.source", options.pop("source"), SOURCES)
    read = importlib.import_module(f"kerasrecipes.data.loaders.{source}").load
    needed = "name" if source == "sklearn" else "path"
    if needed not in options:
        raise InputError(f"`data.{needed}` is missing: source {source!r} needs it.")
    folder = Path.cwd() if base is None else Path(base)
    return bind("data", functools.partial(read, folder), options)
