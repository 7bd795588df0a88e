"""The test rows that the model is most wrong about."""

import math
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from kerasrecipes._checks import InputError
from kerasrecipes.reporting.predicted import Predicted
from kerasrecipes.reporting.style import LIGHT, Style, new_figure

_FEATURES = 6
_LETTERS = 160
_COLUMNS = 4
_CHANNELS = (1, 3, 4)


def worst_rows(predicted: Predicted) -> list[dict[str, str]]:
    """Returns the worst test rows in words, the worst first.

    Args:
        predicted: Predictions of the test rows.

    Example:
    >>> y_true, outputs = np.array([0, 1]), np.array([[0.9, 0.1], [0.75, 0.25]])
    >>> x = np.array([[5.0, 1.0], [6.0, 2.5]])
    >>> predicted = Predicted.of(
    ...     "multiclass", x, y_true, outputs, class_names=("cat", "dog"), feature_names=("a", "b")
    ... )
    >>> worst_rows(predicted)[0]
    {'row': '1', 'true': 'dog', 'predicted': 'cat', 'loss': '0.25 for the true class',
     'inputs': 'a 6, b 2.5'}
    """
    losses, found = predicted.losses, []
    for place, index in enumerate(predicted.worst):
        number = index if predicted.rows is None else predicted.rows[index]
        true, guess, loss = _said(predicted, int(index), float(losses[index]))
        inputs = "" if predicted.inputs is None else _inputs(predicted, place)
        found.append(
            {"row": str(number), "true": true, "predicted": guess, "loss": loss, "inputs": inputs}
        )
    return found


def has_pictures(predicted: Predicted) -> bool:
    """Returns whether the inputs of the worst rows are images."""
    inputs = predicted.inputs
    if inputs is None or inputs.dtype.kind not in "biuf":
        return False
    return inputs.ndim == 3 or (inputs.ndim == 4 and inputs.shape[-1] in _CHANNELS)


def worst_pictures(predicted: Predicted, *, style: Style = LIGHT) -> Figure:
    """Draws the images of the worst test rows with their true and their predicted class or value.

    Args:
        predicted: Predictions of test rows whose inputs are images.
        style: Colours. Defaults to light paper.

    Example:
    >>> x = np.zeros((2, 8, 8))
    >>> predicted = Predicted.of("binary", x, np.array([0, 1]), np.array([[0.75], [0.75]]))
    >>> [axes.get_title() for axes in worst_pictures(predicted).axes]
    ['0 as 1', '1 as 1']
    """
    if not has_pictures(predicted):
        raise InputError("`predicted` must have images as inputs. Received: other inputs.")
    rows = worst_rows(predicted)
    columns = min(len(rows), _COLUMNS)
    lines = math.ceil(len(rows) / columns)
    figure = new_figure(max(4.8, 1.5 * columns), 1.75 * lines, style)
    for place, row in enumerate(rows):
        axes = figure.add_subplot(lines, columns, place + 1)
        axes.imshow(_image(predicted.inputs[place]), cmap="gray")  # type: ignore[index]
        axes.set_axis_off()
        axes.set_title(f"{row['true']} as {row['predicted']}", color=style.ink, fontsize=8)
    return figure


def _said(predicted: Predicted, index: int, loss: float) -> tuple[str, str, str]:
    """Returns the truth, the prediction and how wrong it is, in words."""
    if predicted.is_classes:
        truth = int(predicted.y_true.reshape(-1)[index])
        right = f"{math.exp(-loss):.2g} for the true class"
        return predicted.names[truth], predicted.names[int(predicted.chosen[index])], right
    truth, guess = predicted.y_true[index], predicted.outputs[index]
    if predicted.kind == "multilabel":
        labels = predicted.class_names or tuple(map(str, range(len(guess))))
        return _labels(labels, truth), _labels(labels, guess), f"loss {loss:.2g}"
    return _values(truth), _values(guess), f"off by {loss:.3g}"


def _labels(names: tuple[str, ...], shares: Any) -> str:
    return ", ".join(name for name, share in zip(names, shares, strict=True) if share > 0.5) or "–"


def _values(values: Any) -> str:
    return ", ".join(f"{float(value):.4g}" for value in np.reshape(values, -1)[:_FEATURES])


def _inputs(predicted: Predicted, place: int) -> str:
    values = predicted.inputs[place]  # type: ignore[index]
    if has_pictures(predicted):
        return ""
    if np.ndim(values) == 0:
        text = " ".join(str(values).split())
        return text if len(text) <= _LETTERS else f"{text[: _LETTERS - 1]}…"
    values = np.reshape(values, -1)
    names = predicted.feature_names or tuple(str(i) for i in range(len(values)))
    shown = [f"{n} {_value(v)}" for n, v in zip(names, values[:_FEATURES], strict=False)]
    return ", ".join(shown) + (", …" if len(values) > _FEATURES else "")


def _value(value: Any) -> str:
    try:
        return f"{float(value):.4g}"
    except ValueError:
        return str(value)


def _image(values: np.ndarray) -> np.ndarray:
    """Returns an image with values from 0 to 1, without an axis of one channel."""
    values = values[..., 0] if values.ndim == 3 and values.shape[-1] == 1 else values
    values = values.astype("float64")
    low, high = float(values.min()), float(values.max())
    return (values - low) / (high - low) if high > low else np.zeros_like(values)
