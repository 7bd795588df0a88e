"""More networks for the time that is left: each holds out other rows, and their mean predicts."""

import dataclasses
import time
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from rich.console import Console
from rich.progress import track
from sklearn.model_selection import KFold, StratifiedKFold

from kerasrecipes._arrays import take
from kerasrecipes.callbacks.standard import standard
from kerasrecipes.data.split import Pair
from kerasrecipes.recipes.table_model import TableModel
from kerasrecipes.runs import execute
from kerasrecipes.runs._baseline import Baseline, fit_to
from kerasrecipes.runs.prepare import Prepared, Rows, another, takes_table
from kerasrecipes.tuning._fold import all_rows

_CAUTION = 1.15
_FEW = 2_000


@dataclasses.dataclass(frozen=True, eq=False)
class Network:
    """A trained network, with what was predicted for the rows that it has not seen.

    Attributes:
        model: The network.
        y: Encoded labels of rows held out.
        outputs: Predictions for them, of "network", and of "baseline" if there is a linear model,
            which has not seen them either.
    """

    model: keras.Model
    y: np.ndarray
    outputs: Mapping[str, np.ndarray]


def judged(prepared: Prepared, linear: Baseline | None) -> Network:
    """Returns a trained network with the predictions for its validation rows."""
    x, y = prepared.rows.parts["validation"]
    return Network(prepared.model, y, predictions(prepared.model, linear, x))


def predictions(network: keras.Model, linear: Baseline | None, x: Any) -> dict[str, np.ndarray]:
    """Returns what a network predicts, and what the linear model does if there is one."""
    found = {"network": _predicted(network, x)}
    if linear is not None:
        found["baseline"] = _predicted(linear.model, x)
    return found


def _predicted(model: keras.Model, x: Any) -> np.ndarray:
    """Returns the outputs for rows; for few rows of a table without a graph, which takes longer."""
    if not isinstance(model, TableModel) or len(x) > _FEW:
        return execute.predict(model, x)
    return keras.ops.convert_to_numpy(model(model.encode(x), training=False))


def known(prepared: Prepared) -> Pair:
    """Returns all rows but the test's, those of the training first."""
    train, validation = (tuple(prepared.rows.parts[name]) for name in ("train", "validation"))
    return Pair(*all_rows(train, validation, table=takes_table(prepared.recipe.recipe)))


def more(
    prepared: Prepared,
    linear: Baseline | None,
    count: int,
    *,
    seconds: float,
    deadline: float,
    console: Console,
) -> list[Network]:
    """Trains further networks on other parts of the training and validation rows.

    The training rows are cut into `count` parts, by class; each network holds one of them out, and
    trains on the others and on the validation rows. One that does not come to its end in time, or
    before Ctrl-C, is left out. The linear model has its own weights at the end.

    Args:
        prepared: The first network, trained, with its rows.
        linear: The linear model beside them, which is fitted to the same rows as each.
        count: Most further networks.
        seconds: What the first one took.
        deadline: `time.perf_counter()` at which the last has to be done.
        console: Where to show how far it is.
    """
    found: list[Network] = []
    rows = known(prepared)
    parts = _parts(prepared, count)
    weights = None if linear is None else linear.model.get_weights()
    try:
        for held_out in track(parts, "More networks", console=console, disable=console.quiet):
            began = time.perf_counter()
            if began + _CAUTION * seconds > deadline:
                break
            own = _rows(prepared.rows, rows, held_out)
            network = _trained(prepared, own, linear, len(found) + 1, deadline)
            if network is None:
                break
            found.append(network)
            seconds = max(seconds, time.perf_counter() - began)
    except KeyboardInterrupt:
        console.print("Ctrl-C: no more networks.")
    if linear is not None:
        linear.model.set_weights(weights)
    return found


def _parts(prepared: Prepared, count: int) -> list[np.ndarray]:
    """Returns the numbers of the training rows that each further network holds out."""
    y = np.asarray(prepared.rows.parts["train"].y)
    number = max(2, count)
    if len(y) < number:
        return []
    by_class = prepared.rows.target.name in ("binary", "multiclass")
    is_enough = by_class and np.bincount(np.ravel(y).astype("int64")).max() >= number
    kind = StratifiedKFold if is_enough else KFold
    splitter = kind(number, shuffle=True, random_state=prepared.recipe.seed)
    labels = np.ravel(y) if is_enough else None
    return [held_out for _, held_out in splitter.split(np.zeros(len(y)), labels)][:count]


def _rows(rows: Rows, known: Pair, held_out: np.ndarray) -> Rows:
    """Returns rows of which some of the training rows are those to validate with."""
    others = np.setdiff1d(np.arange(len(known.y)), held_out)
    parts = {"train": Pair(*take(tuple(known), others))}
    parts["validation"] = Pair(*take(tuple(known), held_out))
    return dataclasses.replace(rows, parts={**rows.parts, **parts})


def _trained(
    prepared: Prepared, rows: Rows, linear: Baseline | None, number: int, deadline: float
) -> Network | None:
    """Returns a network for other rows than the first one's; None if it was stopped."""
    seed = prepared.recipe.seed + number
    model = another(prepared, seed, f"{prepared.model.name}_{number}")
    recipe = dataclasses.replace(prepared.recipe, seed=seed)
    callbacks = standard(
        monitor=recipe.fit.get("monitor"),
        patience=recipe.fit["patience"],
        seconds=max(1.0, deadline - time.perf_counter()),
        progress=False,
    )
    own = Prepared(recipe, rows, model)
    execute.fit(own, callbacks)
    if any(getattr(each, "interrupted", False) for each in callbacks):
        return None
    if linear is not None:
        fit_to(linear, *rows.parts["train"], rows.target)
    return judged(own, linear)
