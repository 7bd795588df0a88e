"""The loss of masked sequences under several replicas."""

from typing import Any

from keras import ops

from kerasrecipes import _keras_internals


def weights_of_masked(y_pred: Any, x: Any, sample_weight: Any) -> Any:
    """Returns sample weights with which a masked loss is normalised over all replicas (D8).

    Keras takes the mean over the steps that are not masked on each replica, then the mean of
    those. With m steps on a replica of n rows, and M and N on all of them, the weight
        (m / n) / (M / N)
    on top of `sample_weight` makes it the mean over all steps. Without a mask, or on one
    replica, `sample_weight` comes back as it is.
    """
    mask = _keras_internals.mask_of(y_pred)
    if mask is None:
        return sample_weight
    import tensorflow as tf

    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return sample_weight
    rows = ops.cast(ops.shape(tf.nest.flatten(x)[0])[0], "float32")
    steps = ops.sum(ops.cast(mask, "float32"))
    all_steps, all_rows = context.all_reduce("sum", [steps, rows])
    share = ops.divide_no_nan(steps * all_rows, rows * all_steps)
    if sample_weight is None:
        return ops.broadcast_to(share, ops.shape(mask))
    return sample_weight * ops.cast(share, sample_weight.dtype)
