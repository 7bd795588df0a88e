"""Hypergradient."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from keras import ops

from kerasrecipes import _keras_internals
from kerasrecipes._checks import InputError, check_choice, check_int, check_number, fail
from kerasrecipes._export import export
from kerasrecipes.callbacks._hooks import attach, detach
from kerasrecipes.callbacks._hypergradient_hooks import DecayHook, RateHook, TurningHook
from kerasrecipes.callbacks._rate_cut import number, rate_variable
from kerasrecipes.callbacks._variables import build_optimizer
from kerasrecipes.callbacks.callback import Callback

_WHAT = "Hypergradient"


@export("callbacks", saved=False)
class Hypergradient(Callback):
    """Adapts the learning rate and the weight decay while the model trains.

    The rate r. With the gradient g of a batch and the move u that the last update has made of its
    gradient (w = w + u - r d w), the loss changes with the rate of that update by g.u / r:
        multiplicative:  log r = log r - beta cos(g, u)
        additive:        r = r - beta g.u / r', at the rate r' of the last update
    So it grows as long as updates go on in one direction, and falls when they turn back; on a
    quadratic it swings about the rate at which gradient descent is fastest. It holds for every
    optimizer, momentum and clipping included. As no batch follows on itself, g is the gradient of
    rows that the last update has not seen. The multiplicative rule needs no scale: beta is the
    most by which log r changes in an update.

    The decay d. The training loss always wants less of it, so it follows the gradient v of
    validation rows, without penalties, at the weights w that decay:
        log d = log d + decay_beta cos(v, w)
    which is the derivative of their loss with respect to the decay of the coming update. It rests
    where to shrink all these weights would not change the validation loss. That is the best decay
    where the loss curves alike in all directions, and near it elsewhere: neither rule looks
    further than one update, which favours small rates where gradients are noisy.

    Both are factors on top of a schedule or a constant rate and of cuts: rate = schedule * factor.
    When the fit ends they become part of the optimizer's `rate_factor` or `learning_rate` and of
    its `weight_decay`. It all runs in the compiled training step, which then keeps two copies of
    the weights; a look at validation rows costs a step of its own. History has "learning_rate"
    and, with decay, "weight_decay". Batches that others leave out change nothing. With
    accumulation every batch counts, by its own gradient.

    Args:
        beta: Step of the rate, float >= 0; 0 leaves the rate alone. Defaults to 0.02.
        decay_beta: Step of the logarithm of the decay at each look at validation rows, float >= 0;
            0 leaves the decay alone. Defaults to 0.02.
        rule: "multiplicative" or "additive", of the rate. Defaults to "multiplicative".
        validation_data: (x, y) or (x, y, sample_weight), arrays, labels as the loss takes them;
            or "fit", those that `fit` has, if any. None leaves the decay alone, and so does "fit"
            where the optimizer has no decay. Defaults to "fit".
        batch_size: Validation rows in a look, int >= 1; the next look takes the next. Defaults
            to 256.
        every: Batches from one look to the next, int >= 1. Defaults to 10.
        limits: Lowest and highest factor of both, in a fit. Defaults to (1e-3, 1e3).

    Attributes:
        rate_factor: By how much the rate has been multiplied so far in this fit.
        decay_factor: By how much the decay has.

    Raises: InputError before training for other optimizers than those of this package, for
        `ScheduleFreeAdamW`, whose weights are averages, for a rate that is a function, and for
        validation data without a decay > 0.

    Example:
    >>> import keras, numpy as np
    >>> import kerasrecipes as kr
    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    >>> model.compile(kr.optimizers.SGD(1e-4, momentum=0.0), "mse")
    >>> x = np.ones((64, 1))
    >>> history = model.fit(x, x, batch_size=1, verbose=0, callbacks=[Hypergradient(0.05)])
    >>> round(history.history["learning_rate"][0] / 1e-4, 1)  # 63 times in one direction
    23.3

    Reference: Baydin et al. 2018, arXiv:1703.04782 (the rate, both rules); Wu et al. 2018,
        arXiv:1803.02021 (what looking only one update ahead misses).
    """

    state = ("memory",)

    def __init__(
        self,
        beta: float = 0.02,
        *,
        decay_beta: float = 0.02,
        rule: str = "multiplicative",
        validation_data: tuple[Any, ...] | str | None = "fit",
        batch_size: int = 256,
        every: int = 10,
        limits: tuple[float, float] = (1e-3, 1e3),
    ) -> None:
        super().__init__()
        self.beta = check_number("beta", beta, low=0.0)
        self.decay_beta = check_number("decay_beta", decay_beta, low=0.0)
        self.rule = check_choice("rule", rule, ("multiplicative", "additive"))
        self.validation_data = _checked(validation_data)
        self.batch_size = check_int("batch_size", batch_size, low=1)
        self.every = check_int("every", every, low=1)
        self.limits = _check_limits(limits)
        self._hooks: dict[str, TurningHook] = {}
        self._factors = {"rate": 1.0, "decay": 1.0}
        self._decay = 0.0  # of the optimizer when the fit began

    @property
    def rate_factor(self) -> float:
        """By how much the rate has been multiplied so far in this fit."""
        return self._factor("rate")

    @property
    def decay_factor(self) -> float:
        """By how much the decay has been multiplied so far in this fit."""
        return self._factor("decay")

    def _factor(self, name: str) -> float:
        hook = self._hooks.get(name)
        return self._factors[name] if hook is None else number(hook.factor)

    @property
    def memory(self) -> dict[str, Any]:
        """What the hooks on the device hold, and the decay as it is."""
        found: dict[str, Any] = {name: hook.variables() for name, hook in self._hooks.items()}
        return {**found, "weight_decay": self._decay * self.decay_factor}

    @memory.setter
    def memory(self, values: Mapping[str, Any]) -> None:
        for name, hook in self._hooks.items():
            hook.load(values.get(name, {}))
        if "decay" in self._hooks and self._decay:
            # The end of an earlier fit may have made the factor a part of the decay.
            self._hooks["decay"].load({"factor": values["weight_decay"] / self._decay})

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Puts the hooks on the optimizer."""
        self.close()
        self._factors = {"rate": 1.0, "decay": 1.0}
        optimizer = _keras_internals.inner_optimizer(self.model.optimizer)
        if hasattr(optimizer, "to_average"):
            raise InputError(
                f"{_WHAT} cannot tell what the rate does to the averages that "
                f"{type(optimizer).__name__} trains. Use AdamW, for example."
            )
        build_optimizer(self.model)
        rate_variable(self.model, what=_WHAT)
        self._decay = float(getattr(optimizer, "weight_decay", None) or 0.0)
        hooks = self._made()
        for hook in hooks.values():
            attach(self, hook, what=_WHAT)
        self._hooks = hooks

    def _made(self) -> dict[str, TurningHook]:
        hooks: dict[str, TurningHook] = {}
        rows = self._rows()
        if self.beta:
            hooks["rate"] = RateHook(self.model, beta=self.beta, limits=self.limits, rule=self.rule)
        if rows is not None:
            hooks["decay"] = DecayHook(
                self.model,
                beta=self.decay_beta,
                limits=self.limits,
                rows=rows,
                batch_size=self.batch_size,
                every=self.every,
            )
        return hooks

    def _rows(self) -> tuple[Any, ...] | None:
        """Returns the validation rows as tensors, or None if the decay is left alone."""
        given, wanted = self.validation_data, "arrays (x, y) or (x, y, sample_weight)"
        if given is None or not self.decay_beta:
            return None
        if isinstance(given, str):
            given = _keras_internals.fit_arguments(self).get("validation_data")
            if given is None or not self._decay:
                return None
            remedy = "Or leave the decay alone by validation_data=None."
            if not isinstance(given, (tuple, list)):
                fail("validation_data", wanted, f"'fit', which has {type(given).__name__}", remedy)
            given = tuple(given)
        elif not self._decay:
            remedy = "Begin with a small one, such as 1e-4: the rule multiplies it."
            fail("weight_decay", "> 0 in the optimizer, to be adapted", 0.0, remedy)
        rows = tuple(each for each in given if each is not None)
        return tuple(keras.tree.map_structure(_tensor, each) for each in rows)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Logs the rate and the decay."""
        if logs is None:
            return
        logs["learning_rate"] = number(self.model.optimizer.learning_rate)
        if self._decay:
            logs["weight_decay"] = self._decay * self.decay_factor

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Makes the factors a part of the optimizer."""
        self.close()

    def close(self) -> None:
        """Makes the factors a part of the optimizer."""
        hooks, self._hooks = self._hooks, {}
        for name, hook in hooks.items():
            self._factors[name] = number(hook.factor)
            detach(hook.model, hook)
            optimizer = hook.optimizer
            if name == "decay":
                optimizer.weight_decay = self._decay * self._factors[name]
                continue
            with _keras_internals.strategy_scope(hook.model):
                rate = rate_variable(hook.model, what=_WHAT)
                rate.assign(number(rate) * self._factors[name])


def _tensor(rows: Any) -> Any:
    array = np.asarray(rows)
    return ops.convert_to_tensor(array, keras.config.floatx() if array.dtype.kind == "f" else None)


def _checked(data: Any) -> Any:
    if data is None or (isinstance(data, str) and data == "fit"):
        return data
    if not isinstance(data, (tuple, list)) or len(data) not in (2, 3):
        fail("validation_data", "'fit', None, (x, y) or (x, y, sample_weight)", data)
    return tuple(data)


def _check_limits(limits: Any) -> tuple[float, float]:
    if not isinstance(limits, (tuple, list)) or len(limits) != 2:
        fail("limits", "a pair of factors, such as (1e-3, 1e3)", limits)
    low = check_number("limits", limits[0], low=0.0, high=1.0, open_low=True)
    return low, check_number("limits", limits[1], low=1.0)
