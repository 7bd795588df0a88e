"""More networks for the time that is left: each holds out other rows, and their mean predicts."""

import dataclasses
import time
from collections.abc import Iterator, Mapping
from typing import Any

import keras
import numpy as np
from rich.console import Console
from sklearn.model_selection import KFold, StratifiedKFold

from kerasrecipes._arrays import take
from kerasrecipes.callbacks.interrupt import Interrupt
from kerasrecipes.callbacks.standard import standard
from kerasrecipes.callbacks.time_budget import TimeBudget
from kerasrecipes.data.split import Pair
from kerasrecipes.runs import execute
from kerasrecipes.runs._baseline import Baseline, fit_to
from kerasrecipes.runs.prepare import Prepared, Rows, another, takes_table
from kerasrecipes.tuning._fold import all_rows
from kerasrecipes.tuning._tables import encoded

CAUTION = 1.15
_FEW, _BATCH = 2_000, 256
_LEAST_PARTS = 5


@dataclasses.dataclass(frozen=True, eq=False)
class Network:
    """A trained network, with what was predicted for the rows that it was not trained on.

    Attributes:
        model: The network.
        y: Encoded labels of the rows held out. They decide its best epoch.
        outputs: Predictions for them, of "network", and of "baseline" if there is a linear model,
            which was not fitted to them either.
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
    """Returns the outputs for rows; for few rows without a graph, which takes longer to make."""
    if len(x) > _FEW or keras.config.backend() != "tensorflow":
        return execute.predict(model, x)
    parts = [take(x, np.arange(i, min(i + _BATCH, len(x)))) for i in range(0, len(x), _BATCH)]
    found = [model(_symbols_of(model, part), training=False) for part in parts]
    return np.concatenate([keras.ops.convert_to_numpy(each) for each in found])


def _symbols_of(model: keras.Model, x: Any) -> Any:
    """Returns rows as the layers take them."""
    found = encoded(model, x)
    return found if isinstance(found, dict) else keras.ops.convert_to_tensor(found)


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
) -> Iterator[Network]:
    """Trains further networks on other parts of the training and validation rows.

    The training rows are cut into `count` parts, five at least, by class; each network holds one
    of them out, and trains on the others and on the validation rows. It prepares its inputs as the
    first one does. None begins that would not come to its end in time, and the first that does not
    is left out and the last; so is one that predicts values that are not finite.

    Args:
        prepared: The first network, trained, with its rows.
        linear: The linear model beside them, which is fitted to the same rows as each, and has the
            weights at the end that it came with.
        count: Most further networks.
        seconds: What the first one took.
        deadline: `time.perf_counter()` at which the last has to be done.
        console: Where to print a line for each.

    Raises: KeyboardInterrupt at Ctrl-C and SystemExit at SIGTERM, which leave the network out.
    """
    weights = None if linear is None else linear.model.get_weights()
    try:
        rows = known(prepared)
        for number, held_out in enumerate(_parts(prepared, count), start=2):
            began = time.perf_counter()
            if began + CAUTION * seconds > deadline:
                console.print(f"No time for more networks than {number - 1}.")
                return
            network = _trained(
                prepared, _rows(prepared.rows, rows, held_out), linear, number, deadline
            )
            if network is None:
                console.print(f"No time to end network {number}.")
                return
            took = time.perf_counter() - began
            is_finite = np.isfinite(network.outputs["network"]).all()
            left_out = "" if is_finite else ", left out: its predictions are not finite"
            console.print(
                f"network {number}/{count + 1}  {len(held_out):,} other rows held out{left_out}  "
                f"{took:.1f}s"
            )
            if is_finite:
                yield network
            seconds = max(seconds, took)
    finally:
        if linear is not None:
            linear.model.set_weights(weights)


def _parts(prepared: Prepared, count: int) -> list[np.ndarray]:
    """Returns the numbers of the training rows that each further network holds out."""
    y = np.asarray(prepared.rows.parts["train"].y)
    number = max(_LEAST_PARTS, count)
    if len(y) < number:
        return []
    by_class = prepared.rows.target.name in ("binary", "multiclass")
    is_enough = by_class and np.bincount(np.ravel(y).astype("int64")).min() >= number
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
    """Returns a network for other rows than the first one's; None if its time was up."""
    seed = prepared.recipe.seed + number - 1
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
    if any(isinstance(each, Interrupt) and each.interrupted for each in callbacks):
        raise KeyboardInterrupt
    if any(isinstance(each, TimeBudget) and each.interrupted for each in callbacks):
        return None
    if linear is not None:
        fit_to(linear, *rows.parts["train"], rows.target)
    return judged(own, linear)
