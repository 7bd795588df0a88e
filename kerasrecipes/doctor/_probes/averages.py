"""R5: the moving average of the weights."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np

from kerasrecipes.doctor._probes.seen import Seen

_ONES = np.ones((4, 1), "float32")


def _sgd() -> Any:
    return keras.optimizers.SGD(1.0, use_ema=True, ema_momentum=0.5)


def validated(
    optimizer: Callable[[], Any] = _sgd,
    callbacks: Callable[[], Sequence[Any]] = list,
    kind: type[keras.Model] = keras.Model,
) -> Seen:
    """One weight that falls by 1 in each of four updates; the loss is the weight."""
    inputs = keras.Input((1,))
    dense = keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")
    model = kind(inputs, dense(inputs))
    model.compile(optimizer(), lambda y_true, y_pred: y_pred, jit_compile=False)
    history = model.fit(
        _ONES, _ONES, batch_size=1, validation_data=(_ONES, _ONES), verbose=0,
        callbacks=callbacks(),
    )  # fmt: skip
    found = history.history["val_loss"][0]
    return Seen(
        abs(found + 4.0) < 1e-5,
        f"val_loss {found:.4g}; the last weights have -4, their average over four updates more",
    )


def micro_steps(optimizer: Any = keras.optimizers.SGD) -> Seen:
    """Two updates of two micro-batches each; the weight is -1 and -2 after them."""
    accumulating = optimizer(1.0, use_ema=True, ema_momentum=0.5, gradient_accumulation_steps=2)
    variable = keras.Variable([0.0])
    for _ in range(4):
        accumulating.apply([keras.ops.ones(1)], [variable])
    average = next(v for v in accumulating.variables if "average" in v.path)
    found, expected = float(np.array(average)[0]), 0.5 * (0.5 * -1.0) + 0.5 * -2.0
    return Seen(
        abs(found - expected) > 1e-5,
        f"under accumulation the average is {found:.4g}; updates alone make it {expected:.4g}",
    )
