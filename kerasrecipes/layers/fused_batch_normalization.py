"""FusedBatchNormalization."""

from typing import Any

import keras
from keras import ops

from kerasrecipes._export import export

_SMALLEST_EPSILON = 1.001e-5  # that of cuDNN, to which TensorFlow raises smaller ones


@export("layers")
class FusedBatchNormalization(keras.layers.BatchNormalization):
    """Batch normalisation of images by the fused kernel of TensorFlow.

    It computes what `keras.layers.BatchNormalization` does, with its arguments, weights and moving
    statistics. Over the batch, the rows and the columns, for each channel:
        training:   y = gamma * (x - mean(x)) / sqrt(var(x) + epsilon) + beta
                    moving = momentum * moving + (1 - momentum) * (mean(x) or var(x))
        inference:  the same with the moving statistics
    with the variance of the population in both, as in Keras and unlike the kernel's own. The
    kernel goes over the images less often: convolutional networks train 1.3 to 1.4 times as fast
    on a CPU (docs/images.md).

    Where there is no such kernel it is Keras's layer as it stands: on other backends, for inputs
    that are not images with the channels last, under a mask, in float64, with statistics over
    several replicas (`synchronized=True`), with `renorm`, without scale or offset, and for an
    epsilon below 1.001e-5.

    Args:
        **kwargs: Arguments of `keras.layers.BatchNormalization`.

    Call arguments:
        inputs: Tensor (batch, height, width, channels), or any other that Keras's layer takes.
        training: Whether to use and record the statistics of the batch.
        mask: Boolean tensor (batch, height, width): positions that are False do not count.

    Returns: Tensor of the shape of `inputs` in the layer's compute dtype.

    Example:
    >>> import keras, numpy as np
    >>> x = np.random.default_rng(0).normal(3.0, 2.0, size=(8, 4, 4, 2)).astype("float32")
    >>> layer = FusedBatchNormalization()
    >>> y = np.array(layer(x, training=True))
    >>> [round(abs(float(v)), 3) for v in (y.mean(), y.std())]
    [0.0, 1.0]
    >>> np.allclose(y, keras.layers.BatchNormalization()(x, training=True), atol=1e-5)
    True

    Reference: Ioffe & Szegedy 2015, arXiv:1502.03167.
    """

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Returns the normalised inputs; see the class."""
        if mask is not None or not self._has_kernel(inputs):
            return super().call(inputs, training=training, mask=mask)
        x = ops.cast(inputs, "float32")  # as Keras does, since BN overflows in float16
        if not (training and self.trainable):
            moving = (
                ops.cast(self.moving_mean, "float32"),
                ops.cast(self.moving_variance, "float32"),
            )
            return ops.cast(self._kernel(x, *moving)[0], self.compute_dtype)
        y, mean, variance = self._kernel(x)
        count = ops.cast(ops.size(x[..., 0]), "float32")
        self._move(self.moving_mean, mean)
        self._move(self.moving_variance, variance * (count - 1) / ops.maximum(count, 1))
        return ops.cast(y, self.compute_dtype)

    def _has_kernel(self, inputs: Any) -> bool:
        return (
            keras.backend.backend() == "tensorflow"
            and len(inputs.shape) == 4
            and self.axis in (-1, 3)
            and self.scale
            and self.center
            and not self.synchronized
            and not getattr(self, "renorm", False)
            and self.epsilon >= _SMALLEST_EPSILON
            and keras.backend.standardize_dtype(inputs.dtype) != "float64"
        )

    def _kernel(self, x: Any, mean: Any = None, variance: Any = None) -> Any:
        """Returns the output, the mean, and the unbiased variance of the batch."""
        import tensorflow as tf

        return tf.compat.v1.nn.fused_batch_norm(
            x,
            ops.cast(self.gamma, "float32"),
            ops.cast(self.beta, "float32"),
            mean=mean,
            variance=variance,
            epsilon=self.epsilon,
            is_training=mean is None,
        )

    def _move(self, moving: Any, value: Any) -> None:
        moving.assign(moving * self.momentum + value * (1.0 - self.momentum))
