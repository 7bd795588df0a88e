"""Pruning rules against cases worked out by hand."""

import json

import numpy as np
import pytest

from kerasrecipes import InputError
from kerasrecipes.tuning.pruning import MedianStopping, SuccessiveHalving, get


def feed(pruner, trial_id, values):
    return [pruner.stops(trial_id, epoch, value) for epoch, value in enumerate(values, 1)]


def test_median_of_running_means():
    pruner = MedianStopping(warmup_epochs=1, warmup_trials=3)
    for name, values in (("a", [1.0, 0.6]), ("b", [0.8, 0.8]), ("c", [0.4, 0.2])):
        assert feed(pruner, name, values) == [False, False]
    # Means at epoch 2: 0.8, 0.8, 0.3; their median is 0.8.
    assert feed(pruner, "d", [2.0, 0.79]) == [False, False]
    # With d's mean 1.395: 0.3, 0.8, 0.8, 1.395; the median is 0.8.
    assert feed(pruner, "e", [2.0, 0.81]) == [False, True]
    # The best so far counts, not the last.
    assert feed(pruner, "f", [0.5, 9.0]) == [False, False]


def test_median_counts_only_trials_that_have_come_so_far():
    pruner = MedianStopping(warmup_epochs=0, warmup_trials=2)
    feed(pruner, "a", [0.1, 0.1, 0.1])
    feed(pruner, "b", [0.1])
    assert pruner.stops("c", 1, 0.5)
    assert not pruner.stops("c", 2, 0.5)  # only one other at epoch 2


def test_median_for_a_metric_that_should_be_high():
    pruner = MedianStopping("max", warmup_epochs=0, warmup_trials=1)
    feed(pruner, "a", [0.6, 0.8])  # mean 0.7
    assert feed(pruner, "b", [0.61, 0.69]) == [False, True]


def test_halving_keeps_the_top_of_each_rung():
    pruner = SuccessiveHalving(factor=3, min_epochs=2)  # rungs 2, 6, 18
    losses = [0.5, 0.4, 0.6, 0.3, 0.35, 0.45]
    stopped = [feed(pruner, str(i), [9.0, loss])[1] for i, loss in enumerate(losses)]
    # 1st of 1; 1st of 2; 3rd of 3; 1st of 4; 2nd of 5 (one passes); 4th of 6 (two pass).
    assert stopped == [False, False, True, False, True, True]
    assert not any(pruner.stops("0", epoch, 9.0) for epoch in (3, 4, 5, 7))


def test_halving_uses_the_best_so_far():
    pruner = SuccessiveHalving(factor=2, min_epochs=1)
    assert feed(pruner, "a", [0.5, 0.2]) == [False, False]
    assert feed(pruner, "b", [0.1, 0.9]) == [False, False]  # its best is 0.1
    assert feed(pruner, "c", [0.05, 0.15]) == [False, False]
    assert feed(pruner, "d", [0.04, 0.04]) == [False, False]
    assert feed(pruner, "e", [0.06]) == [True]  # 3rd of 5, two pass


def test_halving_for_a_metric_that_should_be_high():
    pruner = SuccessiveHalving("max", factor=2, min_epochs=1)
    assert [pruner.stops(name, 1, v) for name, v in (("a", 0.5), ("b", 0.4), ("c", 0.6))] == [
        False,
        True,
        False,
    ]


@pytest.mark.parametrize("pruner", [MedianStopping(), SuccessiveHalving()])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_stops_at_once_and_is_not_compared_with(pruner, value):
    assert pruner.stops("a", 1, value)
    assert "a" not in pruner.state_dict()["curves"]


@pytest.mark.parametrize(
    "make",
    [
        lambda: MedianStopping("max", warmup_epochs=0, warmup_trials=2),
        lambda: SuccessiveHalving("max", factor=2, min_epochs=1),
    ],
)
def test_state_goes_through_json(make):
    rng = np.random.default_rng(0)
    curves = rng.uniform(size=(20, 8))
    whole, first, second = make(), make(), make()
    expected = [feed(whole, str(i), curve) for i, curve in enumerate(curves)]
    found = [feed(first, str(i), curve) for i, curve in enumerate(curves[:11])]
    second.load_state_dict(json.loads(json.dumps(first.state_dict())))
    found += [feed(second, str(i), curve) for i, curve in enumerate(curves[11:], 11)]
    assert found == expected
    assert any(any(each) for each in expected)


def test_get():
    assert get(None, "min") is None
    rule = MedianStopping()
    assert get(rule, "min") is rule
    halving = get("successive_halving", "max", factor=4)
    assert (type(halving), halving.direction, halving.factor) == (SuccessiveHalving, "max", 4)
    with pytest.raises(InputError, match="`pruning` must be one of 'median', 'successive_halving'"):
        get("halving", "min")


def test_bad_arguments():
    with pytest.raises(InputError, match="`direction`"):
        MedianStopping("up")
    with pytest.raises(InputError, match="`factor` must be an integer >= 2"):
        SuccessiveHalving(factor=1)
    with pytest.raises(InputError, match="`epoch` must be an integer >= 1"):
        MedianStopping().stops("a", 0, 1.0)
