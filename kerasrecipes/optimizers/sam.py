"""SAM."""

import contextlib
import contextvars
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
from keras import ops

from kerasrecipes import _keras_internals
from kerasrecipes._checks import InputError, check_number
from kerasrecipes._export import export
from kerasrecipes.optimizers.clipping import safe_norm
from kerasrecipes.optimizers.known import known
from kerasrecipes.optimizers.replicas import after_all_reduce
from kerasrecipes.optimizers.wrapper import OptimizerWrapper


@export("optimizers")
class SAM(OptimizerWrapper):
    """Sharpness-aware minimisation: the gradient is taken at the worst nearby weights.

    With gradient g at the weights w, and the inner optimizer's update U:
        e = rho g / ||g||,  g' = gradient at w + e,  w = U(w, g')
    with one norm over all variables, and over the whole batch of all replicas. An update costs
    two gradients, so a model has to take part: `recipes.RecipeModel` does, and can be used in
    place of `keras.Model(inputs, outputs)`; under TensorFlow only. The moving statistics of
    normalisations and the metrics follow the first pass alone.

    Args:
        inner_optimizer: A Keras optimizer, or a name or dict as for `optimizers.get`.
        rho: Distance, float > 0. Defaults to 0.05.
        name: Name, or None.

    Raises: InputError when a model that does not take part is trained.

    Example:
    >>> optimizer = SAM("sgd", rho=0.1)
    >>> type(optimizer.inner_optimizer).__name__, optimizer.rho
    ('SGD', 0.1)

    Reference: Foret et al. 2021, arXiv:2010.01412.
    """

    def __init__(self, inner_optimizer: Any, *, rho: float = 0.05, name: str | None = None) -> None:
        super().__init__(inner_optimizer, name=name)
        if any(isinstance(each, SAM) for each in _keras_internals.wrapped(self.inner_optimizer)):
            raise InputError("`inner_optimizer` must not be SAM again. Raise `rho` instead.")
        self.rho = check_number("rho", rho, low=0.0, open_low=True)

    def build(self, variables: Sequence[Any]) -> None:
        """Creates the variables that hold e."""
        if self.built:
            return
        super().build(variables)
        self.offsets = self.add_optimizer_variables(variables, "offset")

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Any] | None = None) -> None:
        """Takes the gradient at w + e, and lets the inner optimizer update w with it."""
        gradient_of = _SECOND.get()
        if gradient_of is None:
            raise InputError(
                "SAM needs a model that takes the gradient twice in each step. Build the model "
                "with a recipe, or with `kerasrecipes.recipes.RecipeModel(inputs, outputs)` in "
                "place of `keras.Model`, and train it under TensorFlow."
            )
        variables = known(self, trainable_variables)
        super().apply(after_all_reduce(self._climb, grads), variables)
        worst = gradient_of(variables)
        present = [v for g, v in zip(grads, variables, strict=True) if g is not None]
        super().apply([ops.zeros(()) for _ in present], present)
        self.inner_optimizer.apply(worst, variables)

    def _climb(self, gradients: list[Any]) -> list[Any]:
        scale = self.rho / ops.maximum(safe_norm(gradients), 1e-12)
        return [None if g is None else g * ops.cast(scale, g.dtype) for g in gradients]

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Replaces one variable's offset from w."""
        offset = self.offsets[self._get_variable_index(variable)]
        new = ops.cast(gradient, variable.dtype) + ops.zeros_like(offset)
        self.assign_add(variable, new - offset)
        self.assign(offset, new)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {**super().get_config(), "rho": self.rho}


_SECOND: contextvars.ContextVar[Callable[[list[Any]], list[Any]] | None]
_SECOND = contextvars.ContextVar("second_gradient", default=None)  # replicas run in threads


@contextlib.contextmanager
def second_gradient(model: keras.Model, data: Any, *_: Any) -> Iterator[None]:
    """Tells `SAM` how to take the gradient of one batch again, while a train step runs."""
    takes_part = any(isinstance(each, SAM) for each in _keras_internals.wrapped(model.optimizer))
    if not takes_part or keras.config.backend() != "tensorflow":
        yield
        return
    import tensorflow as tf

    x, y, weight = keras.utils.unpack_x_y_sample_weight(data)

    def gradient_of(variables: list[Any]) -> list[Any]:
        statistics = [*model.non_trainable_weights, *model.metrics_variables]
        before = [ops.copy(each) for each in statistics]
        with tf.GradientTape() as tape:
            predictions = model(x, training=True)
            loss = model.compute_loss(x, y, predictions, weight, training=True)
            loss = model.optimizer.scale_loss(loss)
        for each, value in zip(statistics, before, strict=True):
            each.assign(value)
        return tape.gradient(loss, [variable.value for variable in variables])

    token = _SECOND.set(gradient_of)
    try:
        yield
    finally:
        _SECOND.reset(token)
