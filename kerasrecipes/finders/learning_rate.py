"""The range test of the learning rate."""

import time
from typing import Any

import keras
import numpy as np

from kerasrecipes import _keras_internals
from kerasrecipes._checks import InputError, check_int, check_number, fail
from kerasrecipes._export import export
from kerasrecipes.finders import _rules
from kerasrecipes.finders._checks import check_model
from kerasrecipes.finders._rules import Curve
from kerasrecipes.finders.learning_rate_result import LearningRateResult

_CALM_SHARE = 0.1
_LEAST_CALM = 3
_LEAST_STEPS = 10
_TOO_SOON = 0.3


@export("finders", saved=False)
def learning_rate(
    model: keras.Model,
    data: Any,
    *,
    start: float = 1e-6,
    stop: float = 10.0,
    steps: int = 100,
    smoothing: float = 0.9,
    batch_size: int | None = None,
    class_weight: dict[int, float] | None = None,
    stop_when_diverged: bool = True,
) -> LearningRateResult:
    """Trains at growing rates, and tells from the losses which rates would do.

    Update t is made at start * (stop / start)^(t / (steps - 1)), whatever schedule the optimizer
    has. The losses are smoothed: a moving average, with its bias corrected, of the medians of five
    in a row. The test ends when the loss is not finite, or when it has lost nine tenths of what it
    had gained, by more than its noise. Both are measured in the fall and the noise of the loss
    itself, so it may be negative, and one wild batch ends nothing.

    Ten updates at a time run in one graph, fewer where a pass over the data ends. Afterwards all
    is as it was, bit for bit: weights, optimizer, statistics of normalisations, seed generators,
    metrics, the order of `kerasrecipes.data.batches` and of `tf.data` shuffles, and the states of
    `random` and NumPy; also if the test fails or is interrupted. A fit then is what it would have
    been without. Of a dataset that is distributed already, and of `keras.utils.PyDataset`, the
    order cannot be brought back.

    Args:
        model: A compiled model, trained or not; any optimizer, recipe and strategy.
        data: Arrays (x, y) or (x, y, sample_weight), or what else `fit` takes as `x`. It is gone
            through as often as it takes.
        start: Rate of the first update, float > 0. Defaults to 1e-6.
        stop: Rate of the last update, float > start. Defaults to 10.
        steps: Updates, int >= 10. Defaults to 100.
        smoothing: Share of the moving average that each loss leaves in place, in [0, 1). Defaults
            to 0.9.
        batch_size: Rows in a batch of arrays. Defaults to None, Keras's 32.
        class_weight: As for `fit`. Defaults to None.
        stop_when_diverged: Whether to end then; or train on to `stop`, or to a loss that is not
            finite. Defaults to True.

    Returns: The curve, the suggestions by name, and why the test ended.

    Raises: InputError for a model that is not compiled or has weights that are not finite, for
        data that cannot be read twice, rows with NaN or infinity that the model does not take, and
        arguments outside the above.

    Example:
    >>> import keras, numpy as np
    >>> x = np.random.default_rng(0).normal(size=(256, 4)).astype("float32")
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> result = learning_rate(model, (x, x.sum(1, keepdims=True)))
    >>> sorted(result.suggestions)
    ['half_of_divergence', 'minimum_over_10', 'steepest', 'valley']
    >>> 0.01 < result.rate < 1.0
    True

    Reference: Smith 2017, arXiv:1506.01186, section 3.3.
    """
    start = check_number("start", start, low=0.0, open_low=True)
    stop = check_number("stop", stop, low=start, open_low=True)
    steps = check_int("steps", steps, low=_LEAST_STEPS)
    smoothing = check_number("smoothing", smoothing, low=0.0, high=1.0, open_high=True)
    check_model(model)
    _check_weights(model)
    from kerasrecipes.finders._data import fit_arguments
    from kerasrecipes.finders._range_test import batches_per_update, train_at

    optimizer = _keras_internals.inner_optimizer(model.optimizer)
    given = fit_arguments(data, batch_size, steps * batches_per_update(optimizer))
    if class_weight is not None:
        given["class_weight"] = class_weight
    rates = np.geomspace(start, stop, steps)
    calm = max(_LEAST_CALM, round(_CALM_SHARE * steps))

    def curve(losses: np.ndarray) -> Curve:
        return Curve(rates[: len(losses)], losses, smoothing, calm)

    def is_over(losses: np.ndarray) -> bool:
        return _end(curve(losses), stop_when_diverged)[1] != ""

    began = time.perf_counter()
    losses = train_at(model, rates, given, is_over)
    seconds = time.perf_counter() - began
    return _result(curve(losses), stop_when_diverged, steps, seconds)


def _check_weights(model: keras.Model) -> None:
    for weight in model.trainable_variables:
        if not np.isfinite(keras.ops.convert_to_numpy(weight)).all():
            remedy = "Build it anew, or load weights from before."
            fail("model", "one with finite weights", f"NaN or infinity in {weight.path}", remedy)


def _end(curve: Curve, stop_when_diverged: bool) -> tuple[Curve, str, float | None]:
    """Returns the curve up to where it ended, why it ended ("" if not), and where it diverged."""
    finite = np.isfinite(curve.losses)
    whole = finite.all()
    known = curve if whole else curve.first(int(np.argmin(finite)))
    update = known.diverged()
    rate = None if update is None else float(known.rates[known.onset(update)])
    if update is not None and stop_when_diverged:
        return known.first(update + 1), f"the loss diverged at a rate of {rate:.2g}", rate
    if whole:
        return known, "", rate
    last = float(curve.rates[max(len(known.losses) - 1, 0)])
    ended = f"the loss or a weight was not finite after a rate of {last:.2g}"
    return known, ended, last if rate is None else rate


def _result(
    curve: Curve, stop_when_diverged: bool, steps: int, seconds: float
) -> LearningRateResult:
    curve, ended, diverged = _end(curve, stop_when_diverged)
    if len(curve.losses) < 2:
        what = "a weight after one update at `start`" if len(curve.losses) else "the loss"
        raise InputError(
            "`model` must have a finite loss on its first batch, and finite gradients. Received: "
            f"NaN or infinity in {what}. Look at the data and the loss (`sanity.check`), and "
            "whether `start` is far too high."
        )
    return LearningRateResult(
        rates=curve.rates,
        losses=curve.losses,
        smoothed=curve.smoothed,
        smoothed_rates=curve.smoothed_rates,
        diverged=diverged,
        suggestions=_rules.suggestions(curve, diverged),
        ended=ended or "the last rate was reached",
        warnings=tuple(_warnings(curve, diverged, steps)),
        steps=steps,
        seconds=seconds,
    )


def _warnings(curve: Curve, diverged: float | None, steps: int) -> list[str]:
    found = []
    if not curve.has_learned:
        found.append(
            "the loss has not fallen by more than its noise, so that only a divergence tells "
            "something. Raise `steps` or the batch size, or train the model first."
        )
    if diverged is None:
        found.append("the loss has not diverged. Raise `stop` to see where it does.")
    elif len(curve.losses) < _TOO_SOON * steps:
        found.append("the loss diverged soon, after few updates. Lower `start`.")
    return found
