"""SpikeGuard."""

from collections.abc import Mapping
from typing import Any

from kerasrecipes._checks import check_choice, check_int, check_number
from kerasrecipes._export import export
from kerasrecipes.callbacks._guard_callback import GuardCallback
from kerasrecipes.callbacks._guards import NormGuard


@export("callbacks", saved=False)
class SpikeGuard(GuardCallback):
    """Leaves out batches whose gradient is far larger than the latest ones.

    With n the Euclidean norm of a batch's whole gradient, before clipping, and P the percentile
    of the norms of the latest 500 batches that were not left out:
        n > factor * P  ->  the batch is skipped
    once `warmup_updates` norms are known. A skipped batch leaves no trace in weights and
    optimizer, and is not counted as an update; its norm is not remembered. The moving statistics
    of batch normalisation have seen it. After `max_skips` in a row the norms have grown for good,
    or the training has diverged: `then` decides.

    It is decided on the device, in the compiled step, for each batch within several steps per
    execution, under accumulation (before the batch joins the sum) and replicas too. It needs an
    optimizer of this package, under TensorFlow. Where spikes are common, clipping at a
    percentile (`global_clipnorm="auto"`) keeps their direction; this guard is for rare ones.
    Gradients that are not finite are the matter of `NonFinite`, before the warm-up is over at
    least.

    Args:
        factor: How many times larger is a spike, float > 1. Defaults to 10.0.
        percentile: Of the latest norms, in (0, 100]. Defaults to 50.0, the median.
        warmup_updates: Norms to know before the first decision, 1 to 500. Defaults to 50.
        max_skips: Skips in a row before `then`, int >= 1. Defaults to 20.
        then: "accept" lets the next batch through, forgets the norms and begins anew; "stop" ends
            the training. Defaults to "accept".
        check_every: For "stop", batches between two looks of the program at what the device has
            decided, int >= 1. Defaults to 100.

    Attributes:
        skipped: Batches left out so far in this fit. History has them by epoch, as
            "skipped_spikes".
        stopped_epoch: Epoch in which this callback stopped the training, or None.
        reason: Why it did, in words.

    Raises: InputError before training with another optimizer.

    Example:
    >>> import keras, numpy as np
    >>> import kerasrecipes as kr
    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    >>> model.compile(kr.optimizers.SGD(0.01), "mse")
    >>> x, y = np.ones((60, 1)), np.ones((60, 1))
    >>> y[55] = 1e6
    >>> fit = {"batch_size": 1, "shuffle": False, "verbose": 0}
    >>> history = model.fit(x, y, **fit, callbacks=[SpikeGuard(1e3, percentile=100)])
    >>> history.history["skipped_spikes"]
    [1]

    Reference: Chowdhery et al. 2022, arXiv:2204.02311, section 5.1 (batches around spikes are
        skipped by hand); Kumar et al. 2025, arXiv:2504.02507 (norms against recent ones, which
        are clipped there).
    """

    needs_every_batch = False

    def __init__(
        self,
        factor: float = 10.0,
        *,
        percentile: float = 50.0,
        warmup_updates: int = 50,
        max_skips: int = 20,
        then: str = "accept",
        check_every: int = 100,
    ) -> None:
        super().__init__()
        self.factor = check_number("factor", factor, low=1.0, open_low=True)
        self.percentile = check_number("percentile", percentile, low=0.0, high=100.0, open_low=True)
        self.warmup_updates = check_int("warmup_updates", warmup_updates, low=1)
        check_number("warmup_updates", warmup_updates, high=500)
        self.max_skips = check_int("max_skips", max_skips, low=1)
        self.then = check_choice("then", then, ("accept", "stop"))
        self.check_every = check_int("check_every", check_every, low=1)
        self._reset()

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Puts the guard on the optimizer."""
        self.close()
        self._reset()
        guard = NormGuard(
            self.model,
            factor=self.factor,
            percentile=self.percentile,
            warmup_updates=self.warmup_updates,
            max_skips=self.max_skips,
            then=self.then,
        )
        self._put_on(guard, what="SpikeGuard")

    def learned(self) -> list[Any]:
        """Returns the variables that go back when the weights go back."""
        return [] if self._guard is None else self._guard.learned()

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Begins to count for the epoch."""
        self._epoch, self._next, self._begin = epoch, self.check_every, self.skipped

    def on_train_batch_begin(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Looks whether to stop, every `check_every` batches."""
        if self.then == "stop" and batch >= self._next:
            self._next = batch + self.check_every
            self._look()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Logs the skipped batches, and looks whether to stop."""
        if logs is not None:
            logs["skipped_spikes"] = self.skipped - self._begin
        if self.then == "stop":
            self._look()

    def _look(self) -> None:
        if self.stopped_epoch is None and self.in_a_row >= self.max_skips:
            self._stop(self._epoch, f"{self.max_skips} gradients in a row were spikes")
