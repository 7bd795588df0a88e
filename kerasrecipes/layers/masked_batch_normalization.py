"""MaskedBatchNormalization."""

from typing import Any

import keras
from keras import ops

from kerasrecipes._export import export


@export("layers")
class MaskedBatchNormalization(keras.layers.BatchNormalization):
    """Batch normalisation of padded sequences with statistics over all replicas.

    With weights w of 1 for steps and 0 for padding, and sums over rows and steps of all replicas:
        mean = sum(w x) / sum(w),  var = sum(w (x - mean)^2) / sum(w)
        training:   y = gamma * (x - mean) / sqrt(var + epsilon) + beta
                    moving = momentum * moving + (1 - momentum) * (mean or var)
        inference:  the same with the moving statistics
    Keras leaves `synchronized=True` aside under a mask, so that each replica takes statistics of
    its own rows, and the replicas' moving statistics part. Without a mask, or without
    `synchronized=True`, this is Keras's layer as it stands.

    Args:
        **kwargs: Arguments of `keras.layers.BatchNormalization`; the channels come last.

    Call arguments:
        inputs: Tensor (batch, steps, channels).
        training: Whether to use and record the statistics of the batch.
        mask: Boolean tensor (batch, steps): steps that are False do not count.

    Returns: Tensor of the shape of `inputs` in the layer's compute dtype.

    Example:
    >>> import numpy as np
    >>> layer = MaskedBatchNormalization(synchronized=True)
    >>> x = np.array([[[1.0], [3.0], [99.0]]], "float32")
    >>> y = layer(x, training=True, mask=np.array([[True, True, False]]))
    >>> np.array(y, "float64").ravel()[:2].round(3).tolist()
    [-1.0, 1.0]

    Reference: Ioffe & Szegedy 2015, arXiv:1502.03167.
    """

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Returns the normalised inputs; see the class."""
        last = self.axis in (-1, len(inputs.shape) - 1)
        if mask is None or not (training and self.trainable and self.synchronized and last):
            return super().call(inputs, training=training, mask=mask)
        x = ops.cast(inputs, "float32")
        mean, variance = _moments(x, ops.cast(ops.expand_dims(mask, -1), "float32"))
        for moving, value in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(moving * self.momentum + value * (1.0 - self.momentum))
        outputs = ops.batch_normalization(
            x,
            mean,
            variance,
            axis=-1,
            offset=ops.cast(self.beta, "float32") if self.center else None,
            scale=ops.cast(self.gamma, "float32") if self.scale else None,
            epsilon=self.epsilon,
        )
        return ops.cast(outputs, self.compute_dtype)


def _moments(x: Any, weight: Any) -> tuple[Any, Any]:
    """Returns mean and variance for each channel over all replicas."""
    axes = tuple(range(len(x.shape) - 1))
    total, count = _over_replicas([ops.sum(x * weight, axes), ops.sum(weight)])
    count = ops.maximum(count, 1.0)
    mean = total / count
    (squares,) = _over_replicas([ops.sum(weight * ops.square(x - mean), axes)])
    return mean, squares / count


def _over_replicas(sums: list[Any]) -> list[Any]:
    if keras.backend.backend() != "tensorflow":
        return sums
    import tensorflow as tf

    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return sums
    return context.all_reduce(tf.distribute.ReduceOp.SUM, sums)
