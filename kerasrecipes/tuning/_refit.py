"""Training the best recipe on all rows."""

import dataclasses
import inspect
import statistics
from collections.abc import Mapping
from typing import Any

import keras

from kerasrecipes._keras_internals import inner_optimizer, learning_rate_schedule
from kerasrecipes.callbacks.callback import Callback
from kerasrecipes.data.batches import batches
from kerasrecipes.recipes._call import call
from kerasrecipes.tuning._fold import Preprocessing, Rows, checked_rows, fit_layer
from kerasrecipes.tuning._gradient import Adapting, settled
from kerasrecipes.tuning._own import own, own_target
from kerasrecipes.tuning._recipes import takes_table
from kerasrecipes.tuning._tables import encoded
from kerasrecipes.tuning.search_result import SearchResult


def refit_model(
    result: SearchResult,
    recipe: Any,
    target: Any,
    data: Any,
    preprocessing: Preprocessing,
    *,
    seed: int,
    patience: int | None,
    trained_on: int,
    adapting: Adapting | None = None,
) -> SearchResult:
    """Returns the result with the model of the best trial, trained on all rows.

    It trains for the median of the best epochs of the trial's runs, at the rates of these epochs.
    After a constant rate follow `patience` epochs in which it falls to zero: there are no rows left
    to choose an epoch by, and at a constant rate one epoch may be far worse than the next (Haegele
    et al. 2024, arXiv:2405.18392). A schedule at whose end a form of `tabular` is at its best has
    its end there too, for the same reason. A rate that was adapted is adapted again, with the
    decay that the trial came to.

    Args:
        result: What was found.
        recipe: The recipe function.
        target: What it predicts.
        data: All rows.
        preprocessing: As for `make_folds`.
        seed: Of the weights and the order of rows.
        patience: As for `search`.
        trained_on: Rows that the trial was trained on: what a recipe for tables chooses by their
            number stays as it was.
        adapting: Makes the callbacks of runs that adapt their rate, or None.
    """
    best, table = result.best, takes_table(recipe)
    rows = checked_rows("data", data, target, table=table)
    target = own_target(recipe, target, rows[1])
    given = {
        "seed": seed,
        "preprocessing": fit_layer(rows[0], preprocessing),
        "rows": trained_on if table else None,
    }
    accepted = inspect.signature(recipe).parameters
    given = {n: value for n, value in given.items() if n in accepted and value is not None}

    def made(arguments: Mapping[str, Any]) -> Any:
        if "seed" not in given:
            keras.utils.set_random_seed(seed)
        return call(recipe, rows[0], target, {**given, **arguments})

    # The rate is adapted again; for the decay there are no rows left to adapt it by.
    arguments = best.model if adapting is None else settled(best, ["weight_decay"])
    model = made(arguments)
    falls = adapting is None and "schedule" in accepted and _is_constant(model, arguments)
    until, longest = max(1, round(statistics.median(best.epochs))), best.fit["epochs"]
    usual = own(recipe, best.model, trained_on, target).patience
    ends = falls or (adapting is None and usual is None)
    if falls:
        falling = min(patience or usual or longest, longest)
        until += falling
        schedule = {"name": "warmup_stable_decay", "warmup": 0.0, "decay": falling / until}
        model = made({**arguments, "schedule": schedule})
    callbacks = [*([] if adapting is None else adapting.on_all_rows()), _Until(until)]
    data = _batches(model, rows, best.fit["batch_size"], seed)
    epochs = until if ends else longest
    model.fit(data, epochs=epochs, callbacks=callbacks, shuffle=False, verbose=0)
    return dataclasses.replace(result, model=model)


def _batches(model: Any, rows: Rows, batch_size: int, seed: int) -> Any:
    x, y, *weight = rows
    more = {"sample_weight": weight[0]} if weight else {}
    return batches(encoded(model, x), y, batch_size=batch_size, seed=seed, **more)


def _is_constant(model: Any, arguments: Mapping[str, Any]) -> bool:
    """Returns whether the rate of a model stays, and its recipe could be given a schedule."""
    optimizer = arguments.get("optimizer")
    name = optimizer.get("name") if isinstance(optimizer, Mapping) else optimizer
    if name == "schedule_free_adamw" or not (name is None or isinstance(name, str)):
        return False
    return isinstance(learning_rate_schedule(inner_optimizer(model.optimizer)), keras.Variable)


class _Until(Callback):
    """Ends the training after an epoch, from 1."""

    def __init__(self, epoch: int) -> None:
        super().__init__()
        self._epoch = epoch

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Ends the training if this was the epoch."""
        if epoch + 1 >= self._epoch:
            self.model.stop_training = True
