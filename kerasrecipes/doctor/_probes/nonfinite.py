"""C7: a NaN inside an execution of several steps."""

from typing import Any

import keras
import numpy as np

from kerasrecipes.doctor._probes.seen import Seen
from kerasrecipes.doctor._probes.toys import X, Y


def several_steps(
    guard: Any = keras.callbacks.TerminateOnNaN,
    optimizer: Any = keras.optimizers.SGD,
    kind: type[keras.Model] = keras.Model,
) -> Seen:
    """Eight steps to an execution, and a NaN in the second."""
    x = X.copy()
    x[3] = np.nan
    inputs = keras.Input((3,))
    model = kind(inputs, keras.layers.Dense(1)(inputs))
    model.compile(optimizer(0.1), "mse", jit_compile=False, steps_per_execution=8)
    model.fit(x, Y, batch_size=2, shuffle=False, verbose=0, callbacks=[guard()])
    updates = int(np.array(model.optimizer.iterations))
    finite = all(np.isfinite(weight).all() for weight in model.get_weights())
    return Seen(
        not finite,
        f"a NaN in step 2 of 8: {updates} updates, weights {'finite' if finite else 'not finite'}",
    )
