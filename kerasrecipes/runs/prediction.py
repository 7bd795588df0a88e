"""Predictions of a run for the rows of a csv file."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kerasrecipes import _recipe_files, _run_files
from kerasrecipes._checks import InputError, did_you_mean
from kerasrecipes.data.load import load as load_data
from kerasrecipes.runs import folder
from kerasrecipes.runs.evaluation import load_model
from kerasrecipes.runs.execute import predict as outputs_of
from kerasrecipes.runs.prepare import takes_table


@dataclass(frozen=True, eq=False)
class Predictions:
    """Predictions, one row for each row of the file.

    Attributes:
        table: For classes a column `prediction` with the class name, and `probability_<class>`
            for each class; for labels `probability_<label>`; for values `prediction`, or
            `prediction_1` and so on.
        ignored: Columns of the file that the model does not use.
    """

    table: pd.DataFrame
    ignored: tuple[str, ...]


def predict(run: str | Path, data: str | Path) -> Predictions:
    """Predicts the rows of a csv file with a run's model.

    Columns are found by name, so their order does not matter. A missing one is an error, and one
    that the model does not use is left out and named in the result.

    Args:
        run: A run folder.
        data: Path to a csv file whose first line names the columns.

    Raises:
        InputError: For a folder without a complete run, or a file that lacks columns or holds
            something other than finite numbers (or texts) in them.
    """
    path = folder.check(run)
    metrics = folder.read_metrics(path)
    recipe = _recipe_files.read(path / _run_files.RECIPE)
    spec = recipe["data"]
    separator = spec.get("separator", ",")
    header = _header(Path(data), separator)
    wanted = _wanted(spec, metrics["data"], header)
    _check_columns(data, wanted, header)
    takes_text = _takes_text(metrics)
    options: dict[str, Any] = {"text": wanted[0]} if takes_text else {"features": wanted}
    if takes_table(recipe["recipe"]):
        options["mixed"] = True
    examples = load_data(
        {"source": "csv", "path": str(data), "separator": separator, **options}, base=Path.cwd()
    )
    outputs = outputs_of(load_model(path), examples.x)
    known = {*wanted, spec.get("target"), *spec.get("drop", [])}
    ignored = tuple(name for name in header if name not in known)
    return Predictions(_table(outputs, metrics["target"]), ignored)


def _takes_text(metrics: dict[str, Any]) -> bool:
    return metrics["data"]["shape"] == "one text"


def _header(path: Path, separator: str) -> list[str]:
    try:
        with pd.io.common.get_handle(path, "r", compression="infer", encoding="utf-8-sig") as file:
            return next(csv.reader(file.handle, delimiter=separator), [])
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text ({error}). Save it as UTF-8.") from error


def _wanted(spec: dict[str, Any], data: dict[str, Any], header: Sequence[str]) -> list[str]:
    """Returns the columns that the model takes, in its order."""
    if data["shape"] == "one text":
        return [spec.get("text", "text")]
    if data["features"] is not None:
        return list(data["features"])
    raise InputError(
        f"This run was trained on {data['source']}, whose inputs have no column names, so a csv "
        "file cannot give them. Load model.keras with Keras and call `predict` on arrays."
    )


def _check_columns(data: str | Path, wanted: Sequence[str], header: Sequence[str]) -> None:
    missing = [name for name in wanted if name not in header]
    if not missing:
        return
    extra = [name for name in header if name not in wanted]
    shown = ", ".join(repr(name) for name in missing[:10])
    more = f" and {len(missing) - 10} more" if len(missing) > 10 else ""
    others = f" It has besides: {', '.join(repr(name) for name in extra[:10])}." if extra else ""
    hint = did_you_mean(missing[0], extra)
    raise InputError(
        f"{data} lacks {len(missing)} of the {len(wanted)} columns that the model takes: "
        f"{shown}{more}.{others} {hint}".strip()
    )


def _table(outputs: np.ndarray, target: dict[str, Any]) -> pd.DataFrame:
    kind, names = target["kind"], target["classes"]
    if kind == "binary":
        outputs = np.concatenate([1 - outputs, outputs], axis=1)
    if kind in ("binary", "multiclass", "multilabel"):
        names = names or [str(number) for number in range(outputs.shape[1])]
        columns = {f"probability_{name}": outputs[:, i] for i, name in enumerate(names)}
        if kind == "multilabel":
            return pd.DataFrame(columns)
        chosen = [names[number] for number in outputs.argmax(axis=1)]
        return pd.DataFrame({"prediction": chosen, **columns})
    if outputs.shape[1] == 1:
        return pd.DataFrame({"prediction": outputs[:, 0]})
    return pd.DataFrame({f"prediction_{i + 1}": outputs[:, i] for i in range(outputs.shape[1])})
