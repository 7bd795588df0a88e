"""ActivationMonitor."""

from collections.abc import Mapping
from typing import Any

import keras

from kerasrecipes._checks import InputError
from kerasrecipes._export import export
from kerasrecipes.callbacks._layer_activations import LayerActivations
from kerasrecipes.callbacks._layer_groups import activated_layers
from kerasrecipes.callbacks._layer_monitor import LayerMonitor
from kerasrecipes.callbacks._variables import build_optimizer


@export("callbacks", saved=False)
class ActivationMonitor(LayerMonitor):
    """Adds the size of each layer's activations, and its share of dead units, to the logs.

    For layer l with the outputs h of the sampled steps of the epoch, which are the first one and
    each `every`-th after it:
        activation_rms/l = sqrt(mean(h^2))
        dead_fraction/l = share of the units (last axis of h) with the same output for all rows
    A ReLU that is never active is dead, and so is a saturated tanh or sigmoid: nothing goes
    through it, neither forward nor backward. Hidden layers with an activation other than linear and
    softmax are looked at, also those within blocks, as they are in training, before dropout.

    All is computed on the device, as a part of the compiled step, and read once an epoch. Any
    optimizer will do. Few rows in all, `every` steps apart, make units look dead that are not.

    It must come before the callbacks that read the logs.

    Args:
        every: Updates from one sample to the next, int >= 1. Defaults to 10.

    Attributes:
        layers: Names of the layers that are looked at, in the order of the model.

    Raises: InputError before training under other backends than TensorFlow, for a subclassed model
        (it takes a functional or sequential one), and for one without such a layer.

    Example:
    >>> import keras, numpy as np
    >>> never = keras.initializers.Constant(-100.0)
    >>> layer = keras.layers.Dense(4, "relu", name="hidden", bias_initializer=never)
    >>> model = keras.Sequential([keras.Input((2,)), layer, keras.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> x, y = np.eye(2, dtype="float32"), np.ones((2, 1))
    >>> monitor = ActivationMonitor()
    >>> history = model.fit(x, y, verbose=0, callbacks=[monitor]).history
    >>> {name: values for name, values in history.items() if name != "loss"}
    {'activation_rms/hidden': [0.0], 'dead_fraction/hidden': [1.0]}
    """

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Begins to watch."""
        self.close()
        if keras.config.backend() != "tensorflow":
            raise InputError(
                "ActivationMonitor works within the training step of TensorFlow. Received: "
                f"{keras.config.backend()}. Leave it out, or train under KERAS_BACKEND=tensorflow."
            )
        if not getattr(self.model, "inputs", None):
            raise InputError(
                "ActivationMonitor takes a functional or sequential model that is built. Received: "
                f"a {type(self.model).__name__}. Make it one by `keras.Model(inputs, outputs)`."
            )
        layers = activated_layers(self.model)
        if not layers:
            raise InputError(
                f"The model {self.model.name!r} has no layer with an activation, so there is "
                "nothing for ActivationMonitor to look at. Leave it out."
            )
        build_optimizer(self.model)
        watch = LayerActivations(self.model, layers, self.every)
        watch.attach()
        self._watch, self.layers = watch, tuple(layers)
