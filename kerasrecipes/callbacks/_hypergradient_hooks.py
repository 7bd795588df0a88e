"""Hooks that turn the rate and the decay of an optimizer by their hypergradients."""

import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import keras
from keras import ops

from kerasrecipes import _keras_internals
from kerasrecipes.callbacks._hooks import shared_variable
from kerasrecipes.optimizers.clipping import safe_norm
from kerasrecipes.optimizers.known import known
from kerasrecipes.optimizers.rate_multipliers import multiplier_of
from kerasrecipes.optimizers.replicas import after_all_reduce
from kerasrecipes.optimizers.update_hook import UpdateHook


class TurningHook(UpdateHook):
    """Base: a factor that each update changes, and that goes back where a batch is left out.

    Args:
        model: A model with a built optimizer.
        beta: Step of the rule.
        limits: Lowest and highest factor.

    Attributes:
        factor: The factor, a variable.
    """

    def __init__(self, model: keras.Model, *, beta: float, limits: tuple[float, float]) -> None:
        self.model = model
        self.optimizer = _keras_internals.inner_optimizer(model.optimizer)
        self._beta = beta
        self._limits = limits
        with _keras_internals.strategy_scope(model):
            self.factor = shared_variable(1.0, "float32", "hypergradient_factor")
            self._former = shared_variable(1.0, "float32", "hypergradient_former")

    def variables(self) -> dict[str, Any]:
        """Returns the variables that make up the state, by name."""
        return {"factor": self.factor}

    def load(self, values: Mapping[str, Any]) -> None:
        """Sets the variables."""
        variables = self.variables()
        with _keras_internals.strategy_scope(self.model):
            for name, value in values.items():
                variables[name].assign(value)

    def after(self, updated: Any) -> None:
        """Turns the factor back if the batch was left out."""
        admitted = self._is_admitted()
        if admitted is not None:
            now, former = ops.convert_to_tensor(self.factor), ops.convert_to_tensor(self._former)
            self.factor.assign(ops.where(admitted, now, former))

    def _turn(self, by: Any) -> None:
        # The mean: hosts may differ in the last digit of a norm, and would drift apart.
        [by] = after_all_reduce(lambda whole: whole, [by])
        now = ops.convert_to_tensor(self.factor)
        self._former.assign(now)
        self.factor.assign(ops.clip(now * by, *self._limits))

    def _is_admitted(self) -> Any:
        """Returns whether no hook has left the batch out, or None if none ever does."""
        answers = [hook.admitted() for hook in self.optimizer.hooks if hook.decides]
        return functools.reduce(ops.logical_and, answers) if answers else None


class RateHook(TurningHook):
    """Turns the rate by the gradient and the last update.

    Args:
        model: A model with a built optimizer.
        beta: Step of the rule.
        limits: Lowest and highest factor.
        rule: "multiplicative" or "additive".
    """

    def __init__(
        self, model: keras.Model, *, beta: float, limits: tuple[float, float], rule: str
    ) -> None:
        super().__init__(model, beta=beta, limits=limits)
        self._rule = rule
        self.rate_factor = self.factor
        variables = known(self.optimizer, None)
        with _keras_internals.strategy_scope(model):
            self._rate = shared_variable(0.0, "float32", "hypergradient_rate")
            self._before = {id(each): _like(each, "before") for each in variables}
            self._moves = {id(each): _like(each, "move") for each in variables}

    def variables(self) -> dict[str, Any]:
        """Returns the variables that make up the state, by name."""
        moves = {f"move_{index}": move for index, move in enumerate(self._moves.values())}
        return {**super().variables(), "rate": self._rate, **moves}

    def judge(self, gradients: Sequence[Any]) -> None:
        """Turns the rate, before the update that uses it."""
        variables = self.model.trainable_variables
        pairs = [
            (ops.cast(gradient, "float32"), ops.convert_to_tensor(self._moves[id(variable)]))
            for gradient, variable in zip(gradients, variables, strict=True)
            if gradient is not None
        ]
        self._turn(self._multiplicative(pairs) if self._is_normalised else self._additive(pairs))
        self._rate.assign(ops.cast(self.optimizer.learning_rate, "float32"))
        for variable in variables:
            self._before[id(variable)].assign(ops.cast(variable, "float32"))

    @property
    def _is_normalised(self) -> bool:
        return self._rule == "multiplicative"

    def _multiplicative(self, pairs: Sequence[tuple[Any, Any]]) -> Any:
        return ops.exp(-self._beta * cosine(pairs))

    def _additive(self, pairs: Sequence[tuple[Any, Any]]) -> Any:
        slope = ratio(_dot(pairs), ops.convert_to_tensor(self._rate))
        return 1 - self._beta * ratio(slope, ops.cast(self.optimizer.learning_rate, "float32"))

    def after(self, updated: Any) -> None:
        """Remembers how the gradient has moved the weights, without their decay."""
        super().after(updated)
        for variable in self.model.trainable_variables:
            before = ops.convert_to_tensor(self._before[id(variable)])
            move = ops.cast(variable, "float32") - before * (1 - self._shrinkage(variable))
            slot = self._moves[id(variable)]
            slot.assign(ops.where(updated, move, ops.convert_to_tensor(slot)))

    def _shrinkage(self, variable: Any) -> Any:
        """Returns the part of a variable that its decay has taken."""
        decay = self.optimizer.decay_of(variable)
        for hook in self.optimizer.hooks if decay else ():
            decay = decay if hook.decay_factor is None else decay * hook.decay_factor
        return self._rate * decay * multiplier_of(variable, self.optimizer.rate_multipliers)


class DecayHook(TurningHook):
    """Turns the decay by the gradient of validation rows and the weights.

    Args:
        model: A model with a built optimizer.
        beta: Step of the rule.
        limits: Lowest and highest factor.
        rows: Validation rows, (x, y) or (x, y, sample_weight), tensors.
        batch_size: How many rows are looked at.
        every: Batches between two looks.
    """

    def __init__(
        self,
        model: keras.Model,
        *,
        beta: float,
        limits: tuple[float, float],
        rows: tuple[Any, ...],
        batch_size: int,
        every: int,
    ) -> None:
        super().__init__(model, beta=beta, limits=limits)
        self.decay_factor = self.factor
        self._rows = rows
        self._number = int(ops.shape(keras.tree.flatten(rows)[0])[0])
        self._batch_size = min(batch_size, self._number)
        self._every = every
        with _keras_internals.strategy_scope(model):
            self._calls = shared_variable(0, "int32", "hypergradient_calls")

    def variables(self) -> dict[str, Any]:
        """Returns the variables that make up the state, by name."""
        return {**super().variables(), "calls": self._calls}

    def judge(self, gradients: Sequence[Any]) -> None:
        """Turns the decay, before the update that uses it."""
        due = ops.equal(ops.convert_to_tensor(self._calls) % self._every, 0)
        found = ops.cond(due, self._cosine, lambda: ops.zeros((), "float32"))
        self._turn(ops.exp(self._beta * found))

    def after(self, updated: Any) -> None:
        """Counts the batch."""
        super().after(updated)
        admitted = self._is_admitted()
        self._calls.assign_add(1 if admitted is None else ops.where(admitted, 1, 0))

    def _cosine(self) -> Any:
        """Returns the cosine of the gradient of validation rows and the weights that decay."""
        import tensorflow as tf

        variables = [v for v in self.model.trainable_variables if self.optimizer.decay_of(v)]
        start = ops.convert_to_tensor(self._calls) // self._every * self._batch_size
        places = (start + ops.arange(self._batch_size, dtype="int32")) % self._number
        x, y, *weight = keras.tree.map_structure(
            lambda each: ops.take(each, places, axis=0), self._rows
        )
        with tf.GradientTape() as tape:
            predictions = self.model(x, training=False)
            loss = self.model.compute_loss(x, y, predictions, *weight, training=False)
            loss = loss - self._penalty()
        gradients = tape.gradient(loss, [variable.value for variable in variables])
        return cosine(list(self._with_weights(gradients, variables)))

    def _penalty(self) -> Any:
        """Returns what `compute_loss` has added to the loss of the rows."""
        replicas = self.model.distribute_strategy.num_replicas_in_sync
        return sum(ops.sum(each) for each in self.model.losses) / replicas

    def _with_weights(
        self, gradients: Sequence[Any], variables: Sequence[Any]
    ) -> Iterator[tuple[Any, Any]]:
        for gradient, variable in zip(gradients, variables, strict=True):
            if gradient is not None:
                factor = multiplier_of(variable, self.optimizer.rate_multipliers)
                gradient = ops.cast(ops.convert_to_tensor(gradient), "float32")
                yield gradient, factor * ops.cast(variable, "float32")


def cosine(pairs: Sequence[tuple[Any, Any]]) -> Any:
    """Returns the cosine between two lists of tensors, each as one vector; 0 where one is 0."""
    first, second = safe_norm([a for a, _ in pairs]), safe_norm([b for _, b in pairs])
    return _dot([(ratio(a, first), ratio(b, second)) for a, b in pairs])


def ratio(a: Any, b: Any) -> Any:
    """Returns a / b for b >= 0, with 0 in place of what is not finite."""
    found = a / ops.where(b > 0, b, 1.0)
    return ops.where(ops.logical_and(b > 0, ops.isfinite(found)), found, 0.0)


def _dot(pairs: Sequence[tuple[Any, Any]]) -> Any:
    return ops.sum(ops.stack([ops.sum(a * b) for a, b in pairs]))


def _like(variable: Any, name: str) -> Any:
    return shared_variable(ops.zeros(variable.shape, "float32"), "float32", f"hyper_{name}")
