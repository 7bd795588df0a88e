"""GradualUnfreeze."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import keras

from kerasrecipes._checks import InputError, check_int, fail
from kerasrecipes._export import export
from kerasrecipes._find import find
from kerasrecipes.callbacks._variables import build_optimizer
from kerasrecipes.callbacks.callback import Callback
from kerasrecipes.optimizers.decay import check_patterns

Patterns = str | Sequence[str]


@export("callbacks", saved=False)
class GradualUnfreeze(Callback):
    """Fine-tunes from the head down: freezes all layers but some, and unfreezes more by epoch.

    At epoch e the layers of all groups up to e train. The others are frozen as in Keras: their
    weights and the optimizer's variables for them stay, and a frozen batch normalisation uses its
    moving statistics and does not move them. The optimizer keeps what it has learned when a group
    joins. The training step is traced anew for each group. When the fit is over, every layer is
    as trainable as it was before.

    A group is a regular expression, or several, searched for in the path of a layer: the names of
    the models and layers that it is in and its own, such as "backbone/block5_conv1". "all" is
    every layer. A layer that has others inside trains its own weights as soon as one of those
    trains. What was frozen before the fit stays frozen. Frozen weights have no part in the weight
    penalty, so the loss rises by theirs when they join.

    Args:
        groups: Dict from epochs, counted from 0, to patterns; or a list of patterns, of which one
            more joins after every `every` epochs. The first joins at epoch 0.
        every: Epochs between the groups of a list, int >= 1. Defaults to 1.

    Attributes:
        epochs: Dict from the epoch to the tuple of patterns that join at it.

    Raises: InputError before training for a pattern that no layer has, and under JAX, where Keras
        optimizers update all their variables or none.

    Example:
    >>> import keras, numpy as np
    >>> import kerasrecipes as kr
    >>> layers = [keras.layers.Dense(2, name=name) for name in ("low", "middle", "head")]
    >>> model = keras.Sequential([keras.Input((2,)), *layers])
    >>> model.compile(kr.optimizers.Adam(0.1), "mse")
    >>> class Show(keras.callbacks.Callback):
    ...     def on_epoch_end(self, epoch, logs=None):
    ...         print(epoch, [layer.name for layer in self.model.layers if layer.trainable])
    >>> unfreeze = GradualUnfreeze({0: "head", 2: "all"})
    >>> x = np.ones((4, 2))
    >>> history = model.fit(x, x, epochs=3, verbose=0, callbacks=[unfreeze, Show()])
    0 ['head']
    1 ['head']
    2 ['low', 'middle', 'head']

    Reference: Howard & Ruder 2018, arXiv:1801.06146, section 3.3.
    """

    def __init__(
        self, groups: Mapping[int, Patterns] | Sequence[Patterns], *, every: int = 1
    ) -> None:
        super().__init__()
        self.every = check_int("every", every, low=1)
        self.epochs = _check_groups(groups, self.every)
        self._layers: list[tuple[Any, str]] = []
        self._before: dict[str, list[tuple[Any, bool]]] = {}
        self._joined: tuple[str, ...] | None = None

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Finds the layers, and builds the optimizer for all that will ever train."""
        if keras.config.backend() == "jax":
            raise InputError(
                "GradualUnfreeze needs TensorFlow or PyTorch: under JAX a Keras optimizer updates "
                "all its variables or none. Use `rate_multipliers` of the optimizer."
            )
        self.close()
        self._layers = _paths(self.model)
        for patterns in self.epochs.values():
            for pattern in patterns:
                _check_found(pattern, [path for _, path in self._layers])
        build_optimizer(self.model)
        self._before = {
            "layers": [(layer, layer.trainable) for layer, _ in self._layers],
            "weights": [(weight, weight.trainable) for weight in self.model.weights],
        }

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Freezes and unfreezes what this epoch asks for, if anything changes."""
        groups = [patterns for begin, patterns in self.epochs.items() if begin <= epoch]
        joined = tuple(pattern for patterns in groups for pattern in patterns)
        if joined == self._joined:
            return
        self._joined = joined
        trains = [_matches(path, joined) for _, path in self._layers]
        self._set(trains)
        if not self.model.trainable_weights:
            raise InputError(
                f"`groups` must unfreeze layers with weights at epoch 0. Received: {joined}, whose "
                "layers have none that train."
            )
        _trace_anew(self.model)

    def _set(self, trains: list[bool]) -> None:
        """Sets the layers; those outside come first, since they set the ones inside as well."""
        wanted = {
            id(layer) for (layer, _), train in zip(self._layers, trains, strict=True) if train
        }
        for layer, trainable in self._before["layers"]:
            inside = find(layer, keras.layers.Layer)
            layer.trainable = trainable and any(id(each) in wanted for each in inside)
        self._refreeze_weights()

    def _refreeze_weights(self) -> None:
        for weight, trainable in self._before["weights"]:
            if not trainable:
                weight.trainable = False

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Leaves every layer as trainable as it was."""
        self.close()

    def close(self) -> None:
        """Leaves every layer as trainable as it was."""
        if self._joined is None:
            return
        self._joined = None
        for layer, trainable in self._before["layers"]:
            layer.trainable = trainable
        self._refreeze_weights()
        _trace_anew(self.model)


def _trace_anew(model: keras.Model) -> None:
    model.make_train_function(force=True)
    model.make_test_function(force=True)  # the penalty of the weights that train is in its loss


def _check_groups(groups: Any, every: int) -> dict[int, tuple[str, ...]]:
    expected = "a dict from epochs to patterns of layer paths, or a list of patterns"
    if isinstance(groups, Mapping):
        pairs = sorted((check_int("groups", epoch, low=0), groups[epoch]) for epoch in groups)
    elif isinstance(groups, Sequence) and not isinstance(groups, str):
        pairs = [(index * every, group) for index, group in enumerate(groups)]
    else:
        fail("groups", expected, groups)
    if not pairs or pairs[0][0] != 0:
        fail("groups", f"{expected}, the first for epoch 0", groups, "Or else nothing trains.")
    for _, group in pairs:
        if not isinstance(group, Sequence):
            fail("groups", expected, groups)
    return {epoch: check_patterns("groups", group) for epoch, group in pairs}


def _paths(model: keras.Model) -> list[tuple[Any, str]]:
    """Returns every layer inside the model with its path, the outer ones first."""
    layers = [each for each in find(model, keras.layers.Layer) if each is not model]
    names: dict[int, list[str]] = {id(layer): [] for layer in layers}
    for layer in layers:
        for each in find(layer, keras.layers.Layer):
            names[id(each)].append(layer.name)
    return [(layer, "/".join(names[id(layer)])) for layer in layers]


def _matches(path: str, patterns: Sequence[str]) -> bool:
    return any(pattern == "all" or re.search(pattern, path) for pattern in patterns)


def _check_found(pattern: str, paths: list[str]) -> None:
    if not any(_matches(path, (pattern,)) for path in paths):
        raise InputError(
            f"`groups` must hold patterns of layer paths. Received: {pattern!r}, which none of "
            f"{', '.join(paths[:30])}{', ...' * (len(paths) > 30)} has."
        )
