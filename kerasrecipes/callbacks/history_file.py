"""HistoryFile."""

import csv
import io
import json
import math
import os
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kerasrecipes._atomic import atomic
from kerasrecipes._checks import InputError, check_choice, fail
from kerasrecipes._export import export
from kerasrecipes.callbacks.callback import Callback, plain


@export("callbacks", saved=False)
class HistoryFile(Callback):
    """Writes the logs of every epoch to a csv or JSON Lines file, at full precision.

    There is a row per epoch, with "epoch" counted from 1, as in `history.csv` of a run folder
    (Keras's `CSVLogger` counts from 0), then the loss, then the other entries in the order in
    which they first came. An entry that comes later, or not in every epoch, has a column of its
    own with empty cells in the csv, and is absent from a JSON row. Numbers that are not finite are
    "nan" and "inf" in the csv and null in JSON.

    The file is whole at each moment: after every epoch all of it is written beside the last one,
    synced and renamed, which takes about 5 ms at first, 20 ms after 1,000 epochs and 0.2 s after
    10,000. A write that fails (a full disk) warns, and training goes on; the next one has all rows.

    With `Checkpoint` a run that is started again ends with the file of the run that nothing
    interrupted. Otherwise a file that exists is another run's: it stays, renamed to the first free
    of "history-1.csv", "history-2.csv" and so on, unless `append` is set.

    It must come after the callbacks that add to the logs.

    Args:
        path: File that ends in ".csv" or ".jsonl"; its folder is created if it is missing.
        append: Whether to keep the rows that the file has for the epochs before the first one of
            the fit, for a fit with `initial_epoch`; those of later epochs are replaced. Defaults
            to False.

    Raises: InputError before training for another suffix, or a file that cannot be continued.

    Example:
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "history.csv"
    >>> file = HistoryFile(path)
    >>> file.on_train_begin()
    >>> file.on_epoch_end(0, {"accuracy": 0.5, "loss": 1.0})
    >>> file.on_epoch_end(1, {"accuracy": 0.75, "loss": 0.5, "val_loss": 0.625})
    >>> print(path.read_text())
    epoch,loss,accuracy,val_loss
    1,1.0,0.5,
    2,0.5,0.75,0.625
    <BLANKLINE>
    """

    state = ("rows",)

    def __init__(self, path: str | os.PathLike[str], *, append: bool = False) -> None:
        super().__init__()
        if not isinstance(path, (str, os.PathLike)):
            fail("path", "the path of a .csv or .jsonl file", path)
        self.path = Path(path).expanduser()
        if self.path.suffix not in (".csv", ".jsonl"):
            fail("path", "a file that ends in .csv or .jsonl", str(path))
        self.append = check_choice("append", append, (True, False))
        self.rows: list[dict[str, Any]] = []
        self._continues = False

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Makes sure, before anything trains, that the file can be written."""
        self.rows, self._continues = [], False
        if not self.is_writer:
            return
        if self.path.is_dir():
            fail("path", "a file", str(self.path), "There is a folder of this name.")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=self.path.parent).close()
        except OSError as error:
            raise InputError(
                f"`path` cannot be written: {self.path} ({error}). Choose another folder."
            ) from error
        if self.append:
            self.rows, self._continues = self._read(), True

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Goes on with the rows of the run that is continued."""
        super().load_state_dict(state)
        self._continues = True

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Adds the row, and writes the file; of several workers the chief does."""
        self.rows = [row for row in self.rows if row["epoch"] <= epoch]
        self.rows.append({"epoch": epoch + 1, **_values(logs or {})})
        if not self.is_writer:
            return
        try:
            self._write()
        except OSError as error:
            warnings.warn(f"{self.path} could not be written: {error}.", stacklevel=2)

    def _write(self) -> None:
        if not self._continues:
            self._set_aside()
            self._continues = True
        text = _csv(self.rows) if self.path.suffix == ".csv" else _jsonl(self.rows)
        with atomic(self.path) as temporary:
            temporary.write_text(text, encoding="utf-8", newline="\n")

    def _set_aside(self) -> None:
        """Gives the file of another run a name of its own."""
        if not self.path.exists():
            return
        count = 1
        while (aside := self.path.with_stem(f"{self.path.stem}-{count}")).exists():
            count += 1
        self.path.rename(aside)

    def _read(self) -> list[dict[str, Any]]:
        if not self.path.exists():
            return []
        try:
            text = self.path.read_text(encoding="utf-8")
            return _from_csv(text) if self.path.suffix == ".csv" else _from_jsonl(text)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(
                f"{self.path} cannot be continued: it is not a history file ({error}). Move it, "
                "or set `append=False`."
            ) from error


def _values(logs: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the logs as plain numbers and lists, the loss first."""
    names = sorted(logs, key=lambda name: name != "loss")
    values = {name: plain(logs[name]) for name in names}
    return {name: getattr(value, "tolist", lambda v=value: v)() for name, value in values.items()}


def _csv(rows: list[dict[str, Any]]) -> str:
    text = io.StringIO()
    columns = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _from_csv(text: str) -> list[dict[str, Any]]:
    rows = csv.DictReader(io.StringIO(text), strict=True)
    return [
        {"epoch": int(row.pop("epoch")), **{n: _number(c) for n, c in row.items() if c != ""}}
        for row in rows
    ]


def _number(cell: str) -> Any:
    return json.loads(cell) if cell.startswith("[") else float(cell)


def _jsonl(rows: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(_finite(row), allow_nan=False) + "\n" for row in rows)


def _from_jsonl(text: str) -> list[dict[str, Any]]:
    rows = [json.loads(line) for line in text.splitlines()]
    return [{**row, "epoch": int(row["epoch"])} for row in rows]


def _finite(value: Any) -> Any:
    """Returns the value with null for what JSON has no number for."""
    if isinstance(value, dict):
        return {name: _finite(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
