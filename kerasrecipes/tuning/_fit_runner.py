"""Trains runs one after the other, each by `fit`."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras

from kerasrecipes._keras_internals import strategy_scope
from kerasrecipes.callbacks.callback import Callback
from kerasrecipes.data.batches import batches
from kerasrecipes.tuning._fold import Fold
from kerasrecipes.tuning._gradient import factors
from kerasrecipes.tuning._run import Run, failure
from kerasrecipes.tuning._tables import encoded


class FitRunner:
    """Trains runs of any recipe, on any device, with any callbacks.

    Args:
        build: Function from the recipe's arguments, the seed and the number of the fold to a
            compiled model.
        monitor: Log entry that is the objective, with its "val_".
        callbacks: Function that makes more callbacks for each run, or None.
    """

    def __init__(
        self,
        build: Callable[..., Any],
        monitor: str,
        *,
        callbacks: Callable[[], Sequence[keras.callbacks.Callback]] | None = None,
    ) -> None:
        self._build = build
        self._monitor = monitor
        self._callbacks = callbacks

    def train(
        self,
        runs: Sequence[Run],
        fold: Fold,
        *,
        stops: Callable[[Run], str],
        keep_state: bool = False,
    ) -> None:
        """Trains the runs to their end, and sets what they hold; see `GraphRunner.train`."""
        for run in runs:
            try:
                model = run.state
                if model is None:
                    model = self._build(run.model, run.seed, run.fold)
                self._fit(model, run, fold, stops)
            except Exception as error:
                run.error = failure(error)
            else:
                run.state = model if keep_state else None

    def _fit(self, model: Any, run: Run, fold: Fold, stops: Callable[[Run], str]) -> None:
        more = [] if self._callbacks is None else list(self._callbacks())
        x, y, *weight = fold.train
        given: dict[str, Any] = {"batch_size": run.batch_size, "seed": run.seed}
        if weight:
            given["sample_weight"] = weight[0]
        model.fit(
            batches(encoded(model, x), y, **given),
            validation_data=fold.validation,
            initial_epoch=len(run.curve),
            epochs=run.epochs,
            callbacks=[*more, _Report(run, self._monitor, stops)],
            shuffle=False,
            verbose=0,
        )


class _Report(Callback):
    """Tells a run how each epoch went, keeps its best weights, and ends the training with it."""

    def __init__(self, run: Run, monitor: str, stops: Callable[[Run], str]) -> None:
        super().__init__()
        self._run = run
        self._monitor = monitor
        self._stops = stops

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Reports the objective."""
        run = self._run
        if run.report(float((logs or {})[self._monitor])):
            run.adapted = factors(self.siblings())
            with strategy_scope(self.model):
                run.weights = self.model.get_weights()
        run.ending = run.ending or self._stops(run)
        if run.ending:
            self.model.stop_training = True
