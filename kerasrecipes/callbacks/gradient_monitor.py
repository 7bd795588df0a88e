"""GradientMonitor."""

from collections.abc import Mapping
from typing import Any

from kerasrecipes._export import export
from kerasrecipes.callbacks._hooks import attach
from kerasrecipes.callbacks._layer_gradients import LayerGradients
from kerasrecipes.callbacks._layer_groups import weight_groups
from kerasrecipes.callbacks._layer_monitor import LayerMonitor
from kerasrecipes.callbacks._variables import build_optimizer


@export("callbacks", saved=False)
class GradientMonitor(LayerMonitor):
    """Adds the gradient norm and the update ratio of each layer to the logs of each epoch.

    For layer l with the weights W, before and after an update, and their gradient G:
        gradient_norm/l = ||G||
        update_ratio/l = ||W_after - W_before|| / ||W_before||
    as means over the sampled updates of the epoch: the first one and each `every`-th after it.
    Norms are Euclidean, of all trainable weights of the layer together, of the gradient of the
    whole batch (of all replicas) before clipping. A block such as `DenseBlock` is one layer; those
    that are frozen when the fit begins are left out. Norms that fall by orders of magnitude from
    the last layer to the first vanish, those that rise explode; a healthy update ratio is about
    1e-3.

    All is computed on the device, as a part of the compiled step, and read once an epoch. It costs
    a copy of the weights at every step and the norms at the sampled ones.

    It must come before the callbacks that read the logs.

    Args:
        every: Updates from one sample to the next, int >= 1. Defaults to 10.

    Attributes:
        layers: Names of the layers that train, in the order of the model.

    Raises: InputError before training for a plain Keras optimizer, and under other backends than
        TensorFlow.

    Example:
    >>> import keras, numpy as np
    >>> import kerasrecipes as kr
    >>> model = kr.recipes.mlp((4,), kr.targets.Binary(), hidden=(8, 8), seed=0)
    >>> x, y = np.eye(4, dtype="float32"), np.array([0, 1, 0, 1])
    >>> monitor = GradientMonitor()
    >>> history = model.fit(x, y, verbose=0, callbacks=[monitor]).history
    >>> monitor.layers
    ('hidden_1', 'hidden_2', 'head')
    >>> [name for name in history if name.endswith("/head")]
    ['gradient_norm/head', 'update_ratio/head']
    """

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Puts the hook on the optimizer."""
        self.close()
        build_optimizer(self.model)
        watch = LayerGradients(self.model, weight_groups(self.model), self.every)
        attach(self, watch, what="GradientMonitor")
        self._watch, self.layers = watch, tuple(watch.groups)
