"""Training the best recipe on all rows."""

import dataclasses
import inspect
import statistics
from collections.abc import Mapping
from typing import Any

import keras

from kerasrecipes.callbacks.callback import Callback
from kerasrecipes.data.batches import batches
from kerasrecipes.tuning._fold import Preprocessing, checked_rows, fit_layer
from kerasrecipes.tuning._gradient import Adapting, settled
from kerasrecipes.tuning.search_result import SearchResult


def refit_model(
    result: SearchResult,
    recipe: Any,
    target: Any,
    data: Any,
    preprocessing: Preprocessing,
    *,
    seed: int,
    patience: int,
    adapting: Adapting | None = None,
) -> SearchResult:
    """Returns the result with the model of the best trial, trained on all rows.

    It trains for the median of the best epochs of the trial's runs, at the rates of these epochs.
    After a constant rate follow `patience` epochs in which it falls to zero: there are no rows left
    to choose an epoch by, and at a constant rate one epoch may be far worse than the next (Haegele
    et al. 2024, arXiv:2405.18392). A rate that was adapted is adapted again, with the decay that
    the trial came to.
    """
    best = result.best
    rows = checked_rows("data", data, target)
    layer = fit_layer(rows[0], preprocessing)
    own = {"seed": seed, "preprocessing": layer}
    accepted = inspect.signature(recipe).parameters
    own = {n: value for n, value in own.items() if n in accepted and value is not None}
    if "seed" not in own:
        keras.utils.set_random_seed(seed)
    shape = () if rows[0].dtype.kind in "OUS" else rows[0].shape[1:]
    first = rows[0] if "texts" in accepted else shape
    # The rate is adapted again; for the decay there are no rows left to adapt it by.
    arguments = best.model if adapting is None else settled(best, ["weight_decay"])
    falls = adapting is None and _is_constant(arguments, accepted)
    until = max(1, round(statistics.median(best.epochs)))
    if falls:
        falling = min(patience, best.fit["epochs"])
        until += falling
        schedule = {"name": "warmup_stable_decay", "warmup": 0.0, "decay": falling / until}
        arguments = {**arguments, "schedule": schedule}
    model = recipe(first, target, **own, **arguments)
    x, y, *weight = rows
    more = {"sample_weight": weight[0]} if weight else {}
    data = batches(x, y, batch_size=best.fit["batch_size"], seed=seed, **more)
    callbacks = [*([] if adapting is None else adapting.on_all_rows()), _Until(until)]
    epochs = until if falls else best.fit["epochs"]
    model.fit(data, epochs=epochs, callbacks=callbacks, shuffle=False, verbose=0)
    return dataclasses.replace(result, model=model)


def _is_constant(arguments: Mapping[str, Any], accepted: Mapping[str, Any]) -> bool:
    """Returns whether a recipe has been given a rate that stays, and could be given another."""
    optimizer = arguments.get("optimizer", "adamw")
    name = optimizer.get("name") if isinstance(optimizer, Mapping) else optimizer
    named = isinstance(name, str) and name != "schedule_free_adamw"
    default = accepted["schedule"].default if "schedule" in accepted else "none"
    return named and arguments.get("schedule", default) in (None, "constant")


class _Until(Callback):
    """Ends the training after an epoch, from 1."""

    def __init__(self, epoch: int) -> None:
        super().__init__()
        self._epoch = epoch

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Ends the training if this was the epoch."""
        if epoch + 1 >= self._epoch:
            self.model.stop_training = True
