"""Putting the hooks of callbacks on the optimizer of a model, for the length of a fit."""

from typing import Any

import keras

from kerasrecipes import _keras_internals
from kerasrecipes._checks import InputError
from kerasrecipes.callbacks.callback import Callback
from kerasrecipes.optimizers.update_hook import UpdateHook


def takes_hooks(model: keras.Model) -> bool:
    """Returns whether the optimizer of the model is one that hooks can be put on."""
    optimizer = _keras_internals.inner_optimizer(model.optimizer)
    return hasattr(optimizer, "hooks") and keras.config.backend() == "tensorflow"


def attach(callback: Callback, hook: UpdateHook, *, what: str) -> None:
    """Adds a hook to every update of the callback's model; the training step is traced anew.

    Hooks that a fit has left which failed are removed.

    Args:
        callback: Whose hook it is, in a fit of a compiled model.
        hook: The hook.
        what: What needs it, for the error.

    Raises: InputError for plain Keras optimizers, and under other backends than TensorFlow: the
        training step of JAX gives no variables back but those of the model and the optimizer, and
        PyTorch's optimizers assign past `Optimizer.assign`.
    """
    model = callback.model
    if not takes_hooks(model):
        name = type(_keras_internals.inner_optimizer(model.optimizer)).__name__
        raise InputError(
            f"{what} works within the updates, which needs an optimizer of "
            f"`kerasrecipes.optimizers` under TensorFlow. Received: {name} under "
            f"{keras.config.backend()}. Compile the model with "
            f"`kerasrecipes.optimizers.get({name.lower()!r})`, for example."
        )
    optimizer = _keras_internals.inner_optimizer(model.optimizer)
    hook.fit = callback.fit
    optimizer.hooks = (*(each for each in optimizer.hooks if each.fit is hook.fit), hook)
    model.make_train_function(force=True)


def detach(model: keras.Model, hook: UpdateHook) -> None:
    """Removes a hook; does nothing if the optimizer does not have it."""
    optimizer = _keras_internals.inner_optimizer(model.optimizer)
    hooks = getattr(optimizer, "hooks", ())
    kept = tuple(each for each in hooks if each is not hook)
    if len(kept) < len(hooks):
        optimizer.hooks = kept
        model.make_train_function(force=True)


def shared_variable(value: Any, dtype: str, name: str) -> keras.Variable:
    """Returns a variable of a hook, which is the same on every replica."""
    return keras.Variable(
        value, dtype=dtype, trainable=False, aggregation="only_first_replica", name=name
    )
