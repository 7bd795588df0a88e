import types

import numpy as np
import pytest

from kerasrecipes.reporting.finders import batch_sizes, rate_curve
from kerasrecipes.reporting.style import DARK, to_png

RATES = np.geomspace(1e-6, 1.0, 40)


def curve_of(losses, **suggestions):
    """What `learning_rate` would return."""
    rate = next(iter(suggestions.values()), None)
    return types.SimpleNamespace(
        rates=RATES, losses=losses, smoothed_rates=RATES, smoothed=losses,
        suggestions=suggestions, rate=rate,
    )  # fmt: skip


def labels(axes):
    return axes.get_legend_handles_labels()[1]


@pytest.mark.parametrize("shift", [0.0, -50.0])
def test_an_explosion_does_not_hide_the_curve(shift):
    losses = np.concatenate([np.linspace(2.0, 1.0, 38), [1e3, 1e6]]) + shift
    axes = rate_curve(curve_of(losses, valley=1e-3, steepest=2e-3)).axes[0]
    low, high = axes.get_ylim()
    assert low < 1.0 + shift < 2.0 + shift < high < 3.0 + shift
    above = axes.lines[1]
    assert above.get_marker() == "^"
    np.testing.assert_array_equal(above.get_xdata(), RATES[-2:])
    assert np.less(above.get_ydata(), high).all()


def test_suggestions_are_in_their_order_and_the_chosen_one_stands_out():
    result = curve_of(np.linspace(2.0, 1.0, 40), valley=1e-3, minimum_over_10=1e-4)
    axes = rate_curve(result, style=DARK).axes[0]
    assert labels(axes) == ["batch", "smoothed", "minimum over 10: 0.0001", "valley: 0.001"]
    assert [line.get_color() for line in axes.lines[-2:]] == [DARK.ink, DARK.validation]


def test_a_flat_curve_without_suggestions_is_drawn_too():
    figure = rate_curve(curve_of(np.full(40, 0.5)))
    assert labels(figure.axes[0]) == ["batch", "smoothed"]
    assert to_png(figure).startswith(b"\x89PNG")


def sizes(*, memory, failed):
    return types.SimpleNamespace(
        sizes=np.array([16, 32, 64]), examples_per_second=np.array([5.0, 9.0, 7.0]),
        memory=np.array(memory) * 2**20, failed=failed, limit=2**30, largest=64, fastest=32,
    )  # fmt: skip


def test_speed_and_memory_are_drawn_with_what_did_not_fit():
    speed, memory = batch_sizes(sizes(memory=[500, 600, 900], failed={128: "no"})).axes
    assert labels(speed) == ["does not fit", "fastest: 32"]
    assert labels(memory) == ["does not fit", "largest: 64", "limit"]
    np.testing.assert_array_equal(memory.lines[0].get_ydata(), [500, 600, 900])
    assert memory.lines[-1].get_ydata()[0] == 1024


def test_an_unknown_memory_is_not_drawn():
    (speed,) = batch_sizes(sizes(memory=[0, 0, 0], failed={})).axes
    assert labels(speed) == ["fastest: 32"]
