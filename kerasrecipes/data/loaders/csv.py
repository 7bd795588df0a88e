"""A table from a text file with separated columns."""

import warnings
from pathlib import Path
from typing import Any

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
    separator: str = ",",
) -> Examples:
    """Reads a UTF-8 file whose first line names the columns; compressed files too."""
    columns = _table.check_options(target, features, drop, text, mixed)
    _options.text("separator", separator)
    file = _options.file(base, path)
    names = _read(file, separator, header=None, nrows=1, dtype=str).iloc[0]
    names = ["" if pd.isna(name) else str(name) for name in names]
    _table.check_header(file, names)
    missing = {name: [""] if name in (target, text) else list(_table.MISSING) for name in names}
    frame = _read(
        file, separator, header=0, keep_default_na=False, na_values=missing, low_memory=False
    )
    return _table.examples(frame, columns, f"csv: {path}")


def _read(file: Path, separator: str, **options: Any) -> pd.DataFrame:
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)
        try:
            return pd.read_csv(file, sep=separator, index_col=False, **options)
        except UnicodeDecodeError as error:
            raise InputError(f"{file} is not UTF-8 text ({error}). Save it as UTF-8.") from error
        except (pd.errors.ParserError, pd.errors.ParserWarning, ValueError) as error:
            raise InputError(
                f"{file} cannot be read as a table with separator {separator!r}: "
                f"{str(error).strip()}"
            ) from error
