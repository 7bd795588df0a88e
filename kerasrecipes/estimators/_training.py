"""The fit of a model inside an estimator."""

import copy
from typing import Any, NamedTuple

import keras
import numpy as np

from kerasrecipes import _keras_internals
from kerasrecipes._arrays import take
from kerasrecipes._checks import check_choice, check_int, fail
from kerasrecipes.callbacks.early_stopping import EarlyStopping
from kerasrecipes.callbacks.interrupt import Interrupt
from kerasrecipes.callbacks.standard import standard
from kerasrecipes.data.batches import batches
from kerasrecipes.estimators._factory import Factory
from kerasrecipes.estimators._validation import train_and_validation
from kerasrecipes.recipes.auto import choice
from kerasrecipes.recipes.table_model import Suggestion
from kerasrecipes.targets.target import Target

EVALUATION_BATCH = 256
_PATIENCE = 10
_OF_OTHERS = Suggestion(40, 32)


class Rows(NamedTuple):
    """Rows to train on.

    Attributes:
        x: Inputs, as the model takes them.
        y: Labels.
        weight: One weight per row, or None.
    """

    x: Any
    y: np.ndarray
    weight: np.ndarray | None

    def only(self, chosen: np.ndarray) -> "Rows":
        """Returns some of the rows."""
        weight = None if self.weight is None else self.weight[chosen]
        return Rows(take(self.x, chosen), self.y[chosen], weight)

    def encoded(self, target: Target) -> tuple[Any, ...]:
        """Returns inputs, encoded labels and weights, if any, as `validation_data` of `fit`."""
        y = target.encode(self.y)
        return (self.x, y) if self.weight is None else (self.x, y, self.weight)


class Settings(NamedTuple):
    """The arguments of an estimator that are about the fit, as they came."""

    validation: Any
    seed: Any
    epochs: Any
    batch_size: Any
    patience: Any
    callbacks: Any
    verbose: Any


def train(
    factory: Factory, target: Target, rows: Rows, classes: np.ndarray | None, settings: Settings
) -> tuple[keras.Model, dict[str, list[float]]]:
    """Returns a trained model, and the history of its training.

    Args:
        factory: Makes the model.
        target: What it predicts; it has not seen the labels yet.
        rows: All rows.
        classes: Class numbers to stratify the validation by, or None.
        settings: How to train.
    """
    seed = settings.seed
    seed = None if seed is None else check_int("seed", seed, low=0)
    chosen, held_out = train_and_validation(len(rows.y), classes, settings.validation, seed)
    training, validation = rows.only(chosen), rows.only(held_out)
    target = target.adapt(training.y)
    model = factory.model(training.x, target, seed)
    epochs, batch_size = _length(model, training.x, settings)
    has_validation = len(held_out) > 0
    fitted = model.fit(
        batches(
            training.x,
            target.encode(training.y),
            batch_size=batch_size,
            seed=seed,
            sample_weight=training.weight,
        ),
        validation_data=validation.encoded(target) if has_validation else None,
        validation_batch_size=EVALUATION_BATCH,
        epochs=epochs,
        callbacks=_callbacks(model, settings, validates=has_validation),
        shuffle=False,  # the batches are
        verbose=0,
    )
    return model, {name: [float(v) for v in values] for name, values in fitted.history.items()}


def _length(model: keras.Model, x: Any, settings: Settings) -> Suggestion:
    """Returns the epochs and the batch size: the caller's, else what suits model and rows."""
    suggested = getattr(model, "suggestion", None)
    if suggested is None and x.ndim in (3, 4):
        suggested = choice(x).suggestion
    found = (suggested or _OF_OTHERS)._asdict()
    given = {name: getattr(settings, name) for name in found}
    found |= {name: value for name, value in given.items() if value is not None}
    return Suggestion(**{name: check_int(name, value, low=1) for name, value in found.items()})


def _callbacks(
    model: keras.Model, settings: Settings, *, validates: bool
) -> list[keras.callbacks.Callback]:
    """Returns the standard callbacks and copies of the caller's, which a fit changes.

    Ctrl-C is left alone: it has to end the search that this fit may be a part of.
    """
    patience, given = settings.patience, settings.callbacks
    watches = validates or patience not in ("auto", None)
    found = standard(
        monitor=None if validates else "loss",
        patience=_patience(model, patience),
        progress=bool(settings.verbose),
    )
    if isinstance(given, keras.callbacks.Callback):
        given = [given]
    if given is not None and not isinstance(given, (list, tuple)):
        fail("callbacks", "a list of callbacks, or None", given)
    left_out = (Interrupt,) if watches else (Interrupt, EarlyStopping)
    return [c for c in found if not isinstance(c, left_out)] + copy.deepcopy(list(given or []))


def _patience(model: keras.Model, patience: Any) -> Any:
    """Returns what "auto" stands for; a rate with a schedule is at its best at the end."""
    if not isinstance(patience, str):
        return copy.deepcopy(patience)
    check_choice("patience", patience, ["auto"], remedy="Or give a number of epochs, or None.")
    optimizer = _keras_internals.inner_optimizer(model.optimizer)
    rate = _keras_internals.learning_rate_schedule(optimizer)
    return _PATIENCE if isinstance(rate, keras.Variable) else None
