"""F1 and F3: update rules of optimizers."""

from typing import Any

import keras
import numpy as np

from kerasrecipes.doctor._probes.seen import Seen


def nadam_momentum(nadam: Any = keras.optimizers.Nadam) -> Seen:
    """The first update for a gradient of one, against Dozat's rule with 0.96^(0.004 t)."""
    optimizer, variable = nadam(1.0), keras.Variable([0.0])
    optimizer.apply([keras.ops.ones(1)], [variable])
    found = -float(np.array(variable)[0])
    u1, u2 = (0.9 * (1 - 0.5 * 0.96 ** (0.004 * t)) for t in (1, 2))
    expected = u2 * 0.1 / (1 - u1 * u2) + (1 - u1) / (1 - u1)
    return Seen(
        abs(found - expected) > 1e-3, f"the first update is {found:.4f} instead of {expected:.4f}"
    )


def schedule_free_start(optimizer: Any = keras.optimizers.ScheduleFreeAdamW) -> Seen:
    """Three epochs at a rate so small that the weights must stay."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, use_bias=False)])
    model.compile(optimizer(1e-6), "mse", jit_compile=False)
    start = model.get_weights()[0]
    model.fit(np.ones((8, 3)), np.ones((8, 1)), epochs=3, verbose=0)
    moved = float(np.abs(model.get_weights()[0] - start).max())
    return Seen(moved > 1e-3, f"3 updates at a rate of 1e-6 moved a weight by {moved:.2g}")
