"""AverageForEvaluation."""

from collections.abc import Mapping
from typing import Any

from kerasrecipes import _keras_internals
from kerasrecipes._export import export
from kerasrecipes.callbacks.callback import Callback


@export("callbacks", saved=False)
class AverageForEvaluation(Callback):
    """Evaluates, keeps and ends with the averaged weights of `ScheduleFreeAdamW`.

    The weights go to the average before each validation and at the end of each epoch, and back to
    the training point when the next epoch begins; so early stopping and checkpoints, which come
    after it in the list, see what validation saw. Recipe models and `standard()` bring it along;
    with other optimizers it does nothing.

    Example:
    >>> import keras, numpy as np
    >>> import kerasrecipes as kr
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    >>> model.compile(kr.optimizers.ScheduleFreeAdamW(0.1), "mse")
    >>> x, y = np.ones((8, 2)), np.ones((8, 1))
    >>> history = model.fit(x, y, verbose=0, callbacks=[AverageForEvaluation()])
    >>> float(model.optimizer.is_average)
    1.0
    """

    def _move(self, method: str) -> None:
        optimizer = _keras_internals.inner_optimizer(self.model.optimizer)
        with _keras_internals.strategy_scope(self.model):
            getattr(optimizer, method, lambda: None)()

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Goes to the training point."""
        self._move("to_training")

    def on_test_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Goes to the average."""
        self._move("to_average")

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Goes to the average."""
        self._move("to_average")

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Goes to the average, also when an epoch was interrupted."""
        self._move("to_average")

    def close(self) -> None:
        """Goes to the average, also after an exception."""
        if self.model is not None:  # else the fit has not begun
            self._move("to_average")
