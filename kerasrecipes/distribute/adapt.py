"""Strategies that Keras trains under."""

from typing import Any

import keras

from kerasrecipes._checks import InputError, fail
from kerasrecipes._export import export
from kerasrecipes.distribute._tensorflow import tensorflow


@export("distribute", saved=False)
def adapt(strategy: Any) -> Any:
    """Returns the strategy, mended where Keras 3 does not train under it as it is.

    `fit` and `evaluate` of Keras 3 fail under a `MultiWorkerMirroredStrategy` with several
    workers (keras#20585): they give `Strategy.reduce` a whole batch, of which they only want the
    shapes, and scalars with `axis=0`. The object, not its class, gets a `reduce` that answers a
    nested value with the part of it that this worker's first replica has, and takes scalars
    without `axis`. All else goes to TensorFlow's own. Adapting twice does no harm.

    A `MirroredStrategy` gets the same, without which `evaluate` fails when a replica's part of the
    first batch is smaller than another's. Strategies of one device come back as they are. A
    `TPUStrategy` has not been tried on a TPU.

    `strategy` and the argument `strategy` of recipes adapt by themselves.

    Args:
        strategy: A `tf.distribute.Strategy`.

    Returns: The same object.

    Raises: InputError for a `ParameterServerStrategy`, and a `CentralStorageStrategy` on several
        devices, under which Keras 3 does not train.

    Example:
    >>> import tensorflow as tf
    >>> one = tf.distribute.OneDeviceStrategy("CPU:0")
    >>> adapt(one) is one
    True
    """
    tf = tensorflow()
    if not isinstance(strategy, tf.distribute.Strategy):
        fail("strategy", "a `tf.distribute.Strategy`", strategy)
    _refuse(tf, strategy)
    several = isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)
    several = several or strategy.num_replicas_in_sync > 1
    if several and not isinstance(vars(strategy).get("reduce"), _Reduce):
        strategy.reduce = _Reduce(tf, strategy)
    return strategy


def adapt_strategy_in_scope() -> Any:
    """Returns the strategy whose scope this is, adapted, or None."""
    if keras.config.backend() != "tensorflow":
        return None
    tf = tensorflow()
    return adapt(tf.distribute.get_strategy()) if tf.distribute.has_strategy() else None


def _refuse(tf: Any, strategy: Any) -> None:
    several_hosts = 'Use `kerasrecipes.distribute.strategy("multi_worker")` instead.'
    one_host = 'Use `kerasrecipes.distribute.strategy("mirrored")` instead.'
    if isinstance(strategy, tf.distribute.ParameterServerStrategy):
        raise InputError(
            f"`strategy` is a {type(strategy).__name__}, under which Keras 3 does not train. "
            + several_hosts
        )
    central = isinstance(strategy, tf.distribute.experimental.CentralStorageStrategy)
    if central and strategy.num_replicas_in_sync > 1:
        raise InputError(
            f"`strategy` is a {type(strategy).__name__} on several devices, under which Keras 3 "
            "does not train. " + one_host
        )


class _Reduce:
    """A strategy's `reduce`, for what Keras gives it beyond what it takes."""

    def __init__(self, tf: Any, strategy: Any) -> None:
        self._tf = tf
        self._strategy = strategy
        self._original = strategy.reduce

    def __call__(self, reduce_op: Any, value: Any, axis: Any = None) -> Any:
        if keras.tree.is_nested(value):
            return keras.tree.map_structure(lambda leaf: self._local(leaf)[0], value)
        local = self._local(value)
        if axis is None or getattr(local[0], "shape", None) != ():
            return self._original(reduce_op, value, axis=axis)
        if len(local) == 1:
            # A metric that returns its variable gives a tensor without a device; a sum needs one.
            with self._tf.device(self._strategy.extended.worker_devices[0]):
                value = self._tf.identity(local[0])
        return self._original(reduce_op, value, axis=None)

    def _local(self, value: Any) -> Any:
        return self._strategy.experimental_local_results(value)
