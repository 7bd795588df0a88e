"""The update of Adam in one operation for each variable."""

from typing import Any

import keras
from keras import ops


class FusedAdam:
    """Makes the update of `keras.optimizers.Adam` by TensorFlow's kernel for it.

    The rule is the same, so the numbers are but for rounding; about fifteen operations for each
    variable become one. That counts for small models, whose steps take as long as their
    operations are many. To be named before `keras.optimizers.Adam` or a class of it.

    It leaves to Keras what the kernel does not do: other backends and dtypes, `amsgrad`, and sparse
    gradients.
    """

    _powers: Any = None

    def apply(self, grads: Any, trainable_variables: Any = None) -> None:
        """Updates the variables."""
        optimizer: Any = super()
        self._powers = None  # of the update before
        try:
            optimizer.apply(grads, trainable_variables)
        finally:
            self._powers = None

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Updates one variable."""
        if not self._fuses(gradient, variable):
            optimizer: Any = super()
            optimizer.update_step(gradient, variable, learning_rate)
            return
        import tensorflow as tf

        if self._powers is None:
            step = ops.cast(self.iterations + 1, "float32")  # type: ignore[attr-defined]
            betas = self.beta_1, self.beta_2  # type: ignore[attr-defined]
            self._powers = [ops.power(ops.cast(beta, "float32"), step) for beta in betas]
        powers = self._powers

        def update() -> Any:
            self._apply_kernel(gradient, variable, learning_rate, powers)
            return tf.constant(0)

        if self._is_always_due():  # type: ignore[attr-defined]
            update()
        else:
            tf.cond(self._is_due(), update, lambda: tf.constant(0))  # type: ignore[attr-defined]

    def _apply_kernel(self, gradient: Any, variable: Any, rate: Any, powers: list[Any]) -> None:
        import tensorflow as tf

        index = self._get_variable_index(variable)  # type: ignore[attr-defined]
        own = variable, self._momentums[index], self._velocities[index]  # type: ignore[attr-defined]
        own = [_of_tensorflow(each) for each in own]
        tf.raw_ops.ResourceApplyAdam(
            var=own[0].handle,
            m=own[1].handle,
            v=own[2].handle,
            beta1_power=powers[0],
            beta2_power=powers[1],
            lr=ops.cast(rate, "float32"),
            beta1=ops.cast(self.beta_1, "float32"),  # type: ignore[attr-defined]
            beta2=ops.cast(self.beta_2, "float32"),  # type: ignore[attr-defined]
            epsilon=ops.cast(self.epsilon, "float32"),  # type: ignore[attr-defined]
            grad=gradient,
        )

    def _fuses(self, gradient: Any, variable: Any) -> bool:
        if keras.config.backend() != "tensorflow" or self.amsgrad:  # type: ignore[attr-defined]
            return False
        import tensorflow as tf

        raw = _of_tensorflow(variable)
        return (
            isinstance(gradient, tf.Tensor)
            and isinstance(raw, tf.Variable)  # not so where Keras updates statelessly
            and gradient.dtype == raw.dtype == tf.float32
        )


def _of_tensorflow(variable: Any) -> Any:
    """Returns the variable of TensorFlow that a variable of Keras has; that itself."""
    return variable.value if isinstance(variable, keras.Variable) else variable
