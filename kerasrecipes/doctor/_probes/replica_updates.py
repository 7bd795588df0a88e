"""D2, D5 and D6: updates of several replicas."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from kerasrecipes._checks import InputError
from kerasrecipes.doctor._probes.mirrored import on_each, replica, strategy
from kerasrecipes.doctor._probes.seen import Seen
from kerasrecipes.doctor._probes.toys import first_line

_CLIPPING = {
    "global_clipnorm": ({"global_clipnorm": 1.0}, 1.0),
    "clipnorm": ({"clipnorm": 1.0}, 1.0),
    "clipvalue": ({"clipvalue": 0.5}, 0.5 * np.sqrt(2)),
}


def clipped_update(optimizer: Any = keras.optimizers.SGD) -> Seen:
    """Large gradients, alike on both replicas, at a rate of one."""
    found = {}
    for name, (argument, expected) in _CLIPPING.items():
        with strategy().scope():
            variable = keras.Variable([0.0, 0.0])
            sgd = optimizer(1.0, momentum=0.0, **argument)
            sgd.build([variable])
        on_each(lambda sgd=sgd, v=variable: sgd.apply([tf.constant([30.0, 40.0])], [v]) or 0)
        found[name] = float(np.linalg.norm(np.array(variable))), expected
    wrong = any(abs(norm - expected) > 1e-3 for norm, expected in found.values())
    said = ", ".join(f"{norm:.2f} instead of {e:.2f} ({n})" for n, (norm, e) in found.items())
    return Seen(wrong, f"on 2 replicas an update has norm {said}")


def overflow(optimizer: Any = keras.optimizers.LossScaleOptimizer) -> Seen:
    """A gradient that is infinite on the second replica."""
    with strategy().scope():
        variable = keras.Variable([1.0])
        scaled = optimizer(keras.optimizers.SGD(0.1), initial_scale=4.0)
        scaled.build([variable])

    def update() -> Any:
        gradient = tf.where(replica() == 1, [np.inf], [1.0])
        return scaled.apply([gradient], [variable]) or 0

    on_each(update)
    found = float(np.array(variable)[0])
    return Seen(found != 1.0, f"an overflow on replica 2 of 2: the weight went from 1 to {found:g}")


def accumulation(optimizer: Any = keras.optimizers.SGD) -> Seen:
    """Two micro-batches to an update."""
    try:
        with strategy().scope():
            variable = keras.Variable([0.0])
            sgd = optimizer(1.0, momentum=0.0, gradient_accumulation_steps=2)
            sgd.build([variable])
        for _ in range(2):
            on_each(lambda: sgd.apply([tf.constant([0.5])], [variable]) or 0)
    except Exception as error:
        return Seen(True, f"gradient_accumulation_steps=2: {first_line(error)}")
    found = float(np.array(variable)[0])
    return Seen(found != -1.0, f"gradient_accumulation_steps=2 updates by {found:g}, not -1")


def _fit(kind: type[keras.Model], **settings: Any) -> None:
    with strategy().scope():
        inputs = keras.Input((2,))
        model = kind(inputs, keras.layers.Dense(1)(inputs))
        model.compile("sgd", "mse", **settings)
    x = np.ones((8, 2), "float32")
    model.fit(x, x[:, :1], batch_size=4, verbose=0, shuffle=False)


def compiled(kind: type[keras.Model] = keras.Model) -> Seen:
    """Settings of `compile` that fail only once the training has begun."""
    failed = []
    for name, value in (("steps_per_execution", 2), ("jit_compile", True)):
        try:
            _fit(kind, **{name: value})
        except InputError:
            pass  # a refusal, before training
        except Exception as error:
            failed.append(f"{name}={value}: {first_line(error)}")
    return Seen(bool(failed), "; ".join(failed) or "trained, or refused before training")
