"""D11: a model that is not of the strategy."""

from collections.abc import Callable

import keras
import numpy as np

from kerasrecipes.doctor._probes.mirrored import strategy
from kerasrecipes.doctor._probes.seen import Seen
from kerasrecipes.doctor._probes.toys import first_line


def built_outside(check: Callable[[keras.Model], object] | None = None) -> Seen:
    """A model built outside the scope, and compiled and trained inside.

    Args:
        check: Called with the model before it is trained.
    """
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    try:
        with strategy().scope():
            model.compile("sgd", "mse")
            if check is not None:
                check(model)
            model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0)
    except AssertionError as error:
        return Seen(not str(error), f"built outside the scope: {first_line(error)}")
    except Exception as error:
        return Seen(False, f"built outside the scope: {first_line(error)}")
    return Seen(False, "built outside the scope: trained")
