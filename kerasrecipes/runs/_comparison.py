"""Which model is kept: the network, the linear model, or the mean of both."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from kerasrecipes.runs._baseline import Baseline, fit_to, mean_of
from kerasrecipes.runs._networks import Network, known, predictions
from kerasrecipes.runs.prepare import Prepared
from kerasrecipes.targets.target import Target


def compare(
    prepared: Prepared, networks: Sequence[Network], linear: Baseline | None
) -> tuple[keras.Model, dict[str, Any]]:
    """Returns the model that is kept, and the scores of all on validation and test rows.

    The validation scores are those of the single networks, each on the rows that it held out, and
    of the linear model fitted beside each; the test scores those of the networks' mean, and of the
    linear model fitted to all these rows.
    """
    target = prepared.rows.target
    network = networks[0].model
    if len(networks) > 1:
        network = mean_of([each.model for each in networks], target, f"{network.name}_mean")
        if linear is not None:
            fit_to(linear, *known(prepared), target)
    x, y = prepared.rows.parts["test"]
    test = _with_mean(predictions(network, linear, x))
    each_held_out = [_with_mean(each.outputs) for each in networks]
    held_out = {name: [each[name] for each in each_held_out] for name in test}
    y_held_out = [each.y for each in networks]
    scores = {
        name: {
            "validation": _scores(target, y_held_out, held_out[name]),
            "test": _scores(target, [y], [test[name]]),
        }
        for name in test
    }
    kept = lowest({name: each["validation"]["loss"] for name, each in scores.items()})
    models = {"network": network, "baseline": linear and linear.model}
    if kept == "mean":
        names = [model.name for model in models.values()]
        models["mean"] = mean_of(list(models.values()), target, "_and_".join(names))
    return models[kept], {
        "kept": kept,
        "name": None if linear is None else linear.name,
        "seconds": None if linear is None else linear.seconds,
        "networks": len(networks),
        "scores": scores,
    }


def lowest(losses: Mapping[str, float]) -> str:
    """Returns the name of the lowest loss, the first of equal ones; NaN is never the lowest.

    Example:
    >>> lowest({"network": float("nan"), "baseline": 0.5, "mean": 0.5})
    'baseline'
    """
    return min(losses, key=lambda name: losses[name] if losses[name] == losses[name] else np.inf)


def _with_mean(outputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Adds the mean of network and linear model, if there is one, to their predictions."""
    if "baseline" not in outputs:
        return dict(outputs)
    return {**outputs, "mean": (outputs["network"] + outputs["baseline"]) / 2}


def _scores(
    target: Target, y: Sequence[np.ndarray], outputs: Sequence[np.ndarray]
) -> dict[str, float]:
    """Returns loss and metrics of predictions, which several models may have made in turn.

    The area under the ROC curve compares rows, so it is the mean of those of the models.
    """
    found = {"loss": float(target.loss()(np.concatenate(y), np.concatenate(outputs)))}
    for metric in target.metrics():
        pairs = [(np.concatenate(y), np.concatenate(outputs))]
        if isinstance(metric, keras.metrics.AUC):
            pairs = [(a, p) for a, p in zip(y, outputs, strict=True) if np.ptp(a) > 0] or pairs
        found[metric.name] = float(np.mean([_score(metric, *pair) for pair in pairs]))
    return found


def _score(metric: keras.metrics.Metric, y: np.ndarray, outputs: np.ndarray) -> float:
    metric.reset_state()
    metric.update_state(y, outputs)
    return float(metric.result())
