"""WeightAveraging."""

import warnings
from collections.abc import Mapping
from typing import Any

from keras import ops

from kerasrecipes import _keras_internals
from kerasrecipes._checks import InputError, check_choice, check_int, check_number, fail
from kerasrecipes._export import export
from kerasrecipes.callbacks._averages import Averages, MovingAverage
from kerasrecipes.callbacks._batch_statistics import batch_normalizations, estimate
from kerasrecipes.callbacks._hooks import attach, detach
from kerasrecipes.callbacks.callback import Callback


@export("callbacks", saved=False)
class WeightAveraging(Callback):
    """Trains as ever, and validates, keeps and ends with an average of the weights.

    With weights w and averages a, which start as the weights at the beginning of the fit:
        "ema":  a = d a + (1 - d) w  after the t-th update, t = 1, 2, ...,
                d = min(decay, (1 + t) / (10 + t))
        "swa":  a = mean of w at the ends of the epochs from `start_from_epoch` on
    Before each validation and at the end of each epoch the model gets the averages, and the
    trained weights back when the next epoch begins. So what comes after this callback in the
    list (early stopping, files) sees what validation saw, and the fit ends with the averages; the
    next fit starts from them.

    The averages live on the device. "ema" is a part of the compiled training step: it moves once
    per update, under accumulation, several steps per execution and replicas too, and not with a
    skipped update. It needs an optimizer of this package, under TensorFlow.

    All weights of floating-point type are averaged, the moving statistics of batch normalisation
    among them; for "ema" that is enough, as in the practice of image models. A mean over epochs
    is of weights too far apart, so the statistics are estimated anew with the averaged weights, by
    a pass over `data` before each validation (or end of epoch) from `start_from_epoch` on.

    Args:
        kind: "ema" or "swa". Defaults to "ema".
        decay: d of "ema", in (0, 1); it averages over about 1 / (1 - d) updates. Defaults to
            0.999.
        warmup: Whether the first updates of "ema" have a smaller d, so that the beginning is
            forgotten. Defaults to True.
        start_from_epoch: First epoch of "swa", counted from 0, int >= 0. Defaults to None, three
            quarters of the epochs. Until then the model is evaluated as it is.
        data: Training inputs to estimate the statistics of batch normalisation with: a dataset
            of batches, or arrays. Needed by "swa" for a model with such layers. With "ema" the
            estimate takes the place of the averaged statistics. Defaults to None.

    Raises: InputError before training for "ema" with another optimizer, for optimizers that
        average by themselves, for weights below 32 bits, and where `data` is missing.

    Example:
    >>> import keras, numpy as np
    >>> import kerasrecipes as kr
    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    >>> model.set_weights([np.zeros((1, 1))])
    >>> model.compile(kr.optimizers.SGD(0.25, momentum=0.0), "mse")
    >>> x = np.ones((1, 1))  # the weight goes to 1/2, then to 3/4
    >>> average = WeightAveraging("ema", decay=0.5, warmup=False)
    >>> history = model.fit(x, x, epochs=2, verbose=0, callbacks=[average])
    >>> model.get_weights()[0].item()  # 1/2 (1/2 (0 + 1/2)) + 1/2 (3/4)
    0.5

    Reference: "ema": Polyak & Juditsky 1992, doi:10.1137/0330046; Morales-Brotons et al. 2024,
        arXiv:2411.18704. "swa": Izmailov et al. 2018, arXiv:1803.05407.
    """

    state = ("kind", "is_average", "averages", "count")

    def __init__(
        self,
        kind: str = "ema",
        *,
        decay: float = 0.999,
        warmup: bool = True,
        start_from_epoch: int | None = None,
        data: Any = None,
    ) -> None:
        super().__init__()
        self.kind = check_choice("kind", kind, ("ema", "swa"))
        self.decay = check_number("decay", decay, low=0.0, high=1.0, open_low=True, open_high=True)
        self.warmup = check_choice("warmup", warmup, (True, False))
        if start_from_epoch is not None:
            check_int("start_from_epoch", start_from_epoch, low=0)
            if kind == "ema":
                fail("start_from_epoch", 'None for "ema"', start_from_epoch)
        self.start_from_epoch = start_from_epoch
        self.data = data
        self.is_average = False
        self._averages: Averages | None = None
        self._hook: MovingAverage | None = None

    @property
    def averages(self) -> list[Any]:
        """The averages; while the model has them, the weights that it trains with."""
        return [] if self._averages is None else self._averages.others

    @averages.setter
    def averages(self, values: Any) -> None:
        self._running().load(others=values)

    @property
    def count(self) -> int:
        """Updates ("ema") or epochs ("swa") that the averages are of."""
        return 0 if self._averages is None else int(ops.convert_to_numpy(self._averages.count))

    @count.setter
    def count(self, value: int) -> None:
        self._running().load(count=value)

    def learned(self) -> list[Any]:
        """Returns the variables that go back when the weights go back."""
        return [] if self._averages is None else [self._averages.count, *self._averages.others]

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Goes on from what `state_dict` returned; an average of the other kind is refused."""
        if state.get("kind") != self.kind:
            raise InputError(
                f"The state of WeightAveraging is for kind={state.get('kind')!r}. Received: "
                f"{self.kind!r}. Use the same kind, or begin a new training."
            )
        super().load_state_dict(state)

    def _running(self) -> Averages:
        if self._averages is None:
            raise InputError("The state of WeightAveraging can only be loaded within a fit.")
        return self._averages

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Starts with the present weights."""
        self._check()
        self._drop()
        self.is_average = False
        self._averages = Averages(self.model)
        late = self.params["epochs"] * 3 // 4
        self._first = late if self.start_from_epoch is None else self.start_from_epoch
        if self.kind == "ema":
            self._hook = MovingAverage(self._averages, self.decay, self.warmup)
            attach(self, self._hook, what='WeightAveraging("ema")')

    def _check(self) -> None:
        for each in _keras_internals.wrapped(self.model.optimizer):
            name = type(each).__name__
            slow = self.kind == "ema" and hasattr(each, "slow_step_size")
            if hasattr(each, "to_average") or getattr(each, "use_ema", False) or slow:
                raise InputError(
                    f"WeightAveraging cannot be used with {name}, which averages the weights by "
                    "itself. Leave one of the two out (`use_ema=False` for Keras's own average)."
                )
        if self.kind == "swa" and self.data is None and batch_normalizations(self.model):
            raise InputError(
                "`data` is missing: the model has batch normalisation, whose statistics have to "
                "be estimated for averaged weights. Pass training inputs as `data`."
            )
        if sum(isinstance(each, WeightAveraging) for each in self.siblings()) > 1:
            raise InputError("A fit can have one WeightAveraging only. Leave the others out.")

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Gives the model the weights that it trains with."""
        self._epoch = epoch
        self._swap(to_average=False)

    def on_test_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Gives the model the averages, for the validation of a fit."""
        self._evaluate()

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Gives the model the averages, if there was no validation."""
        self._evaluate()

    def _evaluate(self) -> None:
        if self._averages is None or self.is_average:
            return
        if self.kind == "swa" and self._epoch >= self._first:
            self._averages.include_epoch()
        self._swap(to_average=True)

    def _swap(self, *, to_average: bool) -> None:
        if self._averages is None or self.is_average == to_average or not self.count:
            return
        self._averages.swap()
        self.is_average = to_average
        if to_average and self.data is not None:
            estimate(self.model, self.data)

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Leaves the averages in the model, and warns if there are none."""
        if self.kind == "swa" and self._averages is not None and not self.count:
            warnings.warn(
                'WeightAveraging("swa") has averaged nothing: training ended before epoch '
                f"{self._first}, counted from 0. Set `start_from_epoch` lower, or train for "
                "longer (with more `patience`).",
                stacklevel=2,
            )
        self._finish()

    def close(self) -> None:
        """Leaves the averages in the model, also when an epoch was interrupted."""
        self._finish()

    def _finish(self) -> None:
        self._swap(to_average=True)
        self._drop()

    def _drop(self) -> None:
        if self._averages is not None and self._hook is not None:
            detach(self._averages.model, self._hook)
        self._averages = self._hook = None
