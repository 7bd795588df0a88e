"""R1: the order of the rows in each epoch."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from kerasrecipes.doctor._probes.seen import Seen

_ROWS = np.arange(24, dtype="float32")[:, None]


class _Recorder(keras.Model):
    """A linear model that writes down the rows of each step."""

    def __init__(self) -> None:
        super().__init__()
        self.dense = keras.layers.Dense(1)
        self.rows: list[int] = []

    def call(self, x: Any) -> Any:
        return self.dense(x)

    def train_step(self, data: Any) -> Any:
        self.rows += np.array(data[0])[:, 0].astype(int).tolist()
        return super().train_step(data)


def repeated_order(dataset: Callable[[Any, Any], Any] | None = None) -> Seen:
    """A shuffled fit of three epochs with a seed set.

    Args:
        dataset: Makes the data of `fit` out of inputs and targets; None for `shuffle=True`.
    """
    model = _Recorder()
    model.compile("sgd", "mse", run_eagerly=True)
    keras.utils.set_random_seed(3)
    if dataset is None:
        model.fit(_ROWS, _ROWS, batch_size=8, epochs=3, shuffle=True, verbose=0)
    else:
        model.fit(dataset(_ROWS, _ROWS), epochs=3, shuffle=False, verbose=0)
    orders = {tuple(order) for order in np.reshape(model.rows, (3, -1)).tolist()}
    return Seen(len(orders) < 3, f"3 shuffled epochs have {len(orders)} order(s) of the rows")
