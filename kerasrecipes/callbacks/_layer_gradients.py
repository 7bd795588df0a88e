"""What a step does to each layer, measured within it."""

import threading
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from kerasrecipes import _keras_internals
from kerasrecipes.callbacks._hooks import detach, shared_variable
from kerasrecipes.optimizers.clipping import global_norm
from kerasrecipes.optimizers.update_hook import UpdateHook

_NORM, _RATIO = 0, 1


class LayerGradients(UpdateHook):
    """Sums gradient norms and update ratios of each layer over the updates that are sampled.

    Args:
        model: A built model with a built optimizer.
        groups: The trainable variables of each layer.
        every: Updates from one sample to the next.
    """

    def __init__(self, model: keras.Model, groups: Mapping[str, list[Any]], every: int) -> None:
        self.model, self.groups, self.every = model, groups, every
        self._optimizer = _keras_internals.inner_optimizer(model.optimizer)
        self._step = threading.local()  # the replicas of a step are traced in a thread each
        with _keras_internals.strategy_scope(model):
            self._sums = shared_variable(np.zeros((len(groups), 2)), "float32", "layer_sums")
            self._counts = shared_variable(np.zeros(2), "float32", "layer_counts")
            self._begin = shared_variable(0, "int64", "sampling_begin")

    def detach(self) -> None:
        """Takes this off the optimizer."""
        detach(self.model, self)

    def judge(self, gradients: Sequence[Any]) -> None:
        """Holds on to what the step has before the update."""
        variables = self.model.trainable_variables
        given = {id(v): g for v, g in zip(variables, gradients, strict=True)}
        updates = ops.cast(self._optimizer.iterations, "int64") - ops.convert_to_tensor(self._begin)
        step = self._step
        step.is_sampled = ops.equal(ops.mod(updates, self.every), 0)
        step.gradients = [[given.get(id(v)) for v in group] for group in self.groups.values()]
        step.before = [[ops.copy(v) for v in group] for group in self.groups.values()]

    def after(self, updated: Any) -> None:
        """Adds the norms and ratios of the step if it is sampled."""
        step, size = self._step, len(self.groups)
        sums, counts = ops.cond(
            step.is_sampled,
            lambda: (self._measured(), ops.stack([1.0, ops.cast(updated, "float32")])),
            lambda: (ops.zeros((size, 2)), ops.zeros((2,))),
        )
        made = ops.stack([ops.ones(()), ops.cast(updated, "float32")])
        self._sums.assign(ops.convert_to_tensor(self._sums) + ops.where(made > 0, sums, 0))
        self._counts.assign(ops.convert_to_tensor(self._counts) + counts)
        vars(step).clear()

    def _measured(self) -> Any:
        """Returns the norm of the gradient, and of the update over that of the weights."""
        rows = []
        parts = zip(self._step.gradients, self._step.before, self.groups.values(), strict=True)
        for gradients, before, after in parts:
            moved = [now - was for now, was in zip(after, before, strict=True)]
            ratio = global_norm(moved) / ops.maximum(global_norm(before), 1e-12)
            rows.append(ops.stack([global_norm(gradients), ratio]))
        return ops.stack(rows)

    def variables(self) -> dict[str, Any]:
        """Returns the variables that make up the state, by name."""
        return {"sums": self._sums, "counts": self._counts, "begin": self._begin}

    def load(self, values: Mapping[str, Any]) -> None:
        """Sets the variables."""
        variables = self.variables()
        with _keras_internals.strategy_scope(self.model):
            for name, value in values.items():
                variables[name].assign(value)

    def begin(self) -> None:
        """Begins the sums anew; the next update is sampled."""
        updates = keras.ops.convert_to_numpy(self._optimizer.iterations)
        self.load({"sums": np.zeros((len(self.groups), 2)), "counts": np.zeros(2)})
        self.load({"begin": np.int64(updates)})

    def means(self) -> dict[str, float]:
        """Returns the means over the samples, by log name."""
        sums, counts = (ops.convert_to_numpy(v) for v in (self._sums, self._counts))
        found = {}
        for kind, name in ((_NORM, "gradient_norm"), (_RATIO, "update_ratio")):
            if counts[kind]:
                values = sums[:, kind] / counts[kind]
                found.update(
                    {f"{name}/{g}": float(v) for g, v in zip(self.groups, values, strict=True)}
                )
        return found
