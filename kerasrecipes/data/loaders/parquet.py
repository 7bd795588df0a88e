"""A table from a Parquet file."""

from pathlib import Path

import pandas as pd

from kerasrecipes._checks import InputError
from kerasrecipes.data.examples import Examples
from kerasrecipes.data.loaders import _options, _table


def load(
    base: Path,
    *,
    path: str,
    target: str | None = None,
    features: list[str] | None = None,
    drop: list[str] | None = None,
    text: str | None = None,
    mixed: bool = False,
) -> Examples:
    """Reads a Parquet file with pyarrow, which `kerasrecipes[parquet]` brings."""
    columns = _table.check_options(target, features, drop, text, mixed)
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise InputError(
            "`data.source` = 'parquet' needs pyarrow: pip install kerasrecipes[parquet]."
        ) from error
    file = _options.file(base, path)
    try:
        names = pyarrow.parquet.read_schema(file).names
        _table.check_header(file, names)
        frame = pd.read_parquet(file, engine="pyarrow")
    except (pyarrow.ArrowException, OSError) as error:
        raise InputError(f"{file} is not a Parquet file that can be read ({error}).") from error
    return _table.examples(frame, columns, f"parquet: {path}")
