"""NonFinite."""

import math
from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from kerasrecipes import _keras_internals
from kerasrecipes._checks import InputError, check_choice, check_int, check_number
from kerasrecipes._export import export
from kerasrecipes.callbacks._guard_callback import GuardCallback
from kerasrecipes.callbacks._guards import FiniteGuard
from kerasrecipes.callbacks._hooks import takes_hooks
from kerasrecipes.callbacks._rate_cut import number, rate_variable
from kerasrecipes.callbacks._variables import build_optimizer


@export("callbacks", saved=False)
class NonFinite(GuardCallback):
    """Deals with a loss or a gradient that is NaN or infinite: stops, skips, or goes back.

    - "stop": the weights stay what they were before the first such batch, and training ends.
    - "skip": a batch whose gradient is not finite leaves no trace in weights, optimizer and batch
      statistics, and is not counted as an update. After `max_skips` in a row training ends.
    - "rollback": weights and optimizer go back to where they were when the epoch began, or the
      last one without such a batch; the rate is multiplied by `factor`; and training goes on with
      the next batch. After `max_rollbacks` it ends instead.

    With an optimizer of this package, under TensorFlow, every batch is judged on the
    device by the norm of its gradient (in float32, so beyond 1.8e19 it is infinite), in the
    compiled step, so also within several steps per execution: no update is made with a gradient
    that is not finite, nor, for "stop" and "rollback", after it. The program
    looks at the outcome and at the running loss every `check_every` batches and at the end of
    each epoch, so up to that many batches are read in vain; reading for every batch would make
    each wait for the one before. With other optimizers the running loss, and the weights at the
    end of an epoch, are all there is to go by: "stop" may then end with weights that are not
    finite, and "skip" is refused. The running loss of an epoch with a skipped batch is what it
    was, not finite.

    In the list it comes after `WeightAveraging`, whose averages go back too. "rollback" holds one
    copy of the weights and the optimizer's variables on the device.

    Args:
        action: "stop", "skip" or "rollback". Defaults to "stop".
        max_skips: Skipped batches in a row that end the training, int >= 1. Defaults to 10.
        factor: Factor of the rate after going back, in (0, 1]. Defaults to 0.5.
        max_rollbacks: How often to go back, int >= 1. Defaults to 3.
        check_every: Batches between two looks, int >= 1. Defaults to 100.

    Attributes:
        skipped: Batches left out so far in this fit.
        rollbacks: How often the training went back.
        stopped_epoch: Epoch in which this callback stopped the training, or None.
        reason: Why it did, in words.

    Raises: InputError before training for "skip" with another optimizer or with loss scaling,
        which skips by itself, and for "rollback" with a rate that cannot be cut.

    Example:
    >>> import keras, numpy as np
    >>> import kerasrecipes as kr
    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    >>> model.compile(kr.optimizers.SGD(0.1), "mse")
    >>> x = np.array([[1.0], [np.nan], [1.0]])
    >>> guard = NonFinite("skip")
    >>> history = model.fit(x, x, batch_size=1, verbose=0, shuffle=False, callbacks=[guard])
    >>> history.history["skipped_updates"], int(model.optimizer.iterations)
    ([1], 2)

    Reference: "skip" is `apply_if_finite` of DeepMind 2020, optax.
    """

    state = (*GuardCallback.state, "rollbacks", "_snapshot", "_is_due")
    _guard: FiniteGuard | None = None

    needs_every_batch = False

    def __init__(
        self,
        action: str = "stop",
        *,
        max_skips: int = 10,
        factor: float = 0.5,
        max_rollbacks: int = 3,
        check_every: int = 100,
    ) -> None:
        super().__init__()
        self.action = check_choice("action", action, ("stop", "skip", "rollback"))
        self.max_skips = check_int("max_skips", max_skips, low=1)
        self.factor = check_number("factor", factor, low=0.0, high=1.0, open_low=True)
        self.max_rollbacks = check_int("max_rollbacks", max_rollbacks, low=1)
        self.check_every = check_int("check_every", check_every, low=1)
        self._reset()

    def _reset(self) -> None:
        super()._reset()
        self.rollbacks = 0
        self._snapshot: list[Any] | None = None
        self._is_due = False  # a rollback between two epochs

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Puts the guard on the optimizer."""
        self.close()
        self._reset()
        what = f'NonFinite("{self.action}")'
        scaled = isinstance(self.model.optimizer, keras.optimizers.LossScaleOptimizer)
        if self.action == "skip" and scaled:
            raise InputError(
                f"{what} is of no use with LossScaleOptimizer, which skips by itself. Use "
                'action="stop" or "rollback".'
            )
        build_optimizer(self.model)
        if self.action == "rollback":
            rate_variable(self.model, what=what)
        if self.action == "skip" or takes_hooks(self.model):
            limit = self.max_skips if self.action == "skip" else 1
            self._put_on(FiniteGuard(self.model, limit), what=what)

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Goes back if it is due, and takes a copy where the last one was used up."""
        self._epoch, self._next = epoch, self.check_every
        if self._is_due:
            self._go_back()
        if self._guard is not None:
            self._guard.remember()
            self._begin = self.skipped
        if self.action == "rollback" and self._snapshot is None:
            self._snapshot = [ops.copy(ops.convert_to_tensor(v)) for v in self._variables()]

    def on_train_batch_begin(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Looks whether all is finite, every `check_every` batches."""
        if batch < self._next:
            return
        self._next = batch + self.check_every
        if self._is_bad(_running_loss(self.model)) and self._goes_on():
            self._go_back()
            with _keras_internals.strategy_scope(self.model):
                self.model.reset_metrics()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Looks whether all is finite, and logs the skipped updates."""
        if logs is not None and self.action == "skip":
            logs["skipped_updates"] = self.skipped - self._begin
        if self.stopped_epoch is not None:
            return
        unguarded = self._guard is None and self._has_bad_weights()
        if unguarded or self._is_bad((logs or {}).get("loss")):
            self._is_due = self._goes_on()
        else:
            self._snapshot = None

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Takes the guard off."""
        spoilt = self._is_due or self.stopped_epoch is not None
        if self._guard is None and self._snapshot is not None and spoilt:
            self._restore()
        super().on_train_end(logs)

    def close(self) -> None:
        """Takes the guard off."""
        super().close()
        self._snapshot = None

    def _is_bad(self, loss: Any) -> bool:
        if self.action == "skip":
            return self.in_a_row >= self.max_skips
        return self.in_a_row > 0 or (loss is not None and not math.isfinite(loss))

    def _has_bad_weights(self) -> bool:
        """Returns whether a weight is not finite, which a loss does not always show."""
        floats = [w for w in self.model.weights if keras.backend.is_float_dtype(w.dtype)]
        return not all(bool(ops.all(ops.isfinite(weight))) for weight in floats)

    def _goes_on(self) -> bool:
        """Returns whether to go back; else training stops."""
        if self.action == "rollback" and self.rollbacks < self.max_rollbacks:
            return True
        reason = {
            "stop": "the loss or a gradient was not finite",
            "skip": f"{self.max_skips} gradients in a row were not finite",
            "rollback": "the loss or a gradient was not finite again after "
            f"{self.rollbacks} rollbacks",
        }[self.action]
        self._stop(self._epoch, reason)
        return False

    def _variables(self) -> list[Any]:
        """Returns what goes back: the training's variables, and what others learned of them."""
        others = [each.learned() for each in self.siblings() if hasattr(each, "learned")]
        return [*self.model.weights, *self.model.optimizer.variables, *sum(others, [])]

    def _go_back(self) -> None:
        """Restores the copy, and cuts the rate."""
        self._is_due = False
        self.rollbacks += 1
        self._restore()
        rate = rate_variable(self.model, what="NonFinite")
        with _keras_internals.strategy_scope(self.model):
            rate.assign(number(rate) * self.factor)
        if self._guard is not None:
            self._guard.load({"in_a_row": 0})

    def _restore(self) -> None:
        """Restores the copy, which stays one, but for the rate."""
        rate = rate_variable(self.model, what="NonFinite")
        with _keras_internals.strategy_scope(self.model):
            for variable, value in zip(self._variables(), self._snapshot or (), strict=True):
                if variable is not rate:
                    variable.assign(ops.copy(value))  # JAX's next step takes what is assigned


def _running_loss(model: keras.Model) -> float | None:
    """Returns the sum of the losses of the epoch so far, or None if the model keeps none."""
    for metric in model.metrics:
        if metric.name == "loss" and hasattr(metric, "total"):
            return number(metric.total)
    return None
