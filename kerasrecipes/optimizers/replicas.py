"""Gradients of several replicas, where a TensorFlow distribution strategy runs the step."""

from collections.abc import Callable, Sequence
from typing import Any

import keras

from kerasrecipes._workers import several


def after_all_reduce(
    transform: Callable[[list[Any]], list[Any]], gradients: Sequence[Any]
) -> list[Any]:
    """Returns per-replica gradients whose sum over replicas is `transform` of their sum.

    Keras optimizers sum the gradients over replicas last; a transformation that is not linear,
    such as clipping, has to see that sum. So it is taken here first, transformed, and divided
    by the number of replicas, which the optimizer's own sum then undoes.
    """
    return divided(transform(all_reduced(gradients)))


def all_reduced(gradients: Sequence[Any]) -> list[Any]:
    """Returns the sums of the gradients over all replicas."""
    context = _replicas()
    if context is None:
        return [_dense(g) for g in gradients]
    present = [_dense(g) for g in gradients if g is not None]
    summed = iter(context.all_reduce("sum", present))
    return [None if g is None else next(summed) for g in gradients]


def on_one_host() -> bool:
    """Returns whether the step is that of several replicas whose devices compute exactly alike.

    Those of several hosts may differ in the last digit of a norm, and would drift apart.
    """
    context = _replicas()
    return context is not None and several(context.strategy) is None


def divided(whole: Sequence[Any]) -> list[Any]:
    """Returns each replica's part of gradients that all of them know; the parts add up."""
    context = _replicas()
    if context is None:
        return list(whole)
    return [None if g is None else g / context.num_replicas_in_sync for g in whole]


def any_replica(condition: Any) -> Any:
    """Returns whether a scalar boolean tensor is true on any replica."""
    context = _replicas()
    if context is None:
        return condition
    return context.all_reduce("sum", keras.ops.cast(condition, "float32")) > 0


def replicas_in_scope() -> int:
    """Returns how many replicas the strategy has whose scope, or whose step, this is."""
    if keras.config.backend() != "tensorflow":
        return 1
    import tensorflow as tf

    return tf.distribute.get_strategy().num_replicas_in_sync


def several_replicas() -> bool:
    """Returns whether the step is one of several replicas' steps."""
    return _replicas() is not None


def add_shared(
    optimizer: Any,
    name: str,
    *,
    shape: Sequence[int] = (),
    dtype: str = "float32",
    initializer: Any = "zeros",
) -> Any:
    """Returns a new variable of an optimizer, which is the same on every replica."""
    return optimizer.add_variable(
        tuple(shape),
        initializer=initializer,
        dtype=dtype,
        aggregation="only_first_replica",
        name=name,
    )


def _replicas() -> Any:
    """Returns the context of one of several replicas of TensorFlow, or None."""
    if keras.config.backend() != "tensorflow":
        return None
    import tensorflow as tf

    context = tf.distribute.get_replica_context()
    return None if context is None or context.num_replicas_in_sync == 1 else context


def _dense(gradient: Any) -> Any:
    return None if gradient is None else keras.ops.convert_to_tensor(gradient)
