"""Lengths."""

import numpy as np
import pytest

from kerasrecipes import schedules
from kerasrecipes._checks import InputError
from kerasrecipes.schedules.duration import duration
from tests.backends import WIDEST


@pytest.mark.parametrize(
    ("value", "amount", "unit"),
    [
        (5, 5, "updates"),
        (np.int64(5), 5, "updates"),
        (0.25, 0.25, "share"),
        (np.float32(0.25), 0.25, "share"),
        (1.0, 1.0, "share"),
        ("3 epochs", 3, "epochs"),
        ("1 epoch", 1, "epochs"),
        ("1.5 epochs", 1.5, "epochs"),
        ("10%", 0.1, "share"),
        ("7 updates", 7, "updates"),
        (schedules.epochs(2), 2, "epochs"),
    ],
)
def test_reading(value, amount, unit):
    length = duration("total", value)
    assert length == schedules.Duration(amount, unit)
    assert duration("total", length.plain) == length


@pytest.mark.parametrize(
    ("value", "updates"),
    [(7, 7), ("3 epochs", 30), ("0.25 epochs", 2), (0.07, 7), ("7%", 7), (1 / 3, 33), (1.0, 100)],
)
@pytest.mark.parametrize("dtype", sorted({"float32", WIDEST}))
def test_updates_are_whole(value, updates, dtype):
    length = duration("total", value).updates(schedules.FitLength(100, 10), dtype)
    assert float(length) == updates


@pytest.mark.parametrize(
    ("value", "of", "expected"),
    [
        (0.1, 50, 5),
        (0.1, "5 epochs", "0.5 epochs"),
        (0.1, 0.5, 0.05),
        ("1 epoch", 50, "1 epoch"),
        (3, 0.5, 3),
    ],
)
def test_a_share_of_another_length(value, of, expected):
    assert duration("warmup", value, of=duration("total", of)) == duration("warmup", expected)


@pytest.mark.parametrize(
    "value",
    [-1, 1.5, -0.1, float("nan"), True, None, [], "", "5", "5 days", "150%", "-1 epochs", "1.2.3%"]
    + ["1.5 updates", "nan epochs"],
)
def test_bad_lengths(value):
    with pytest.raises(InputError, match="`total`"):
        duration("total", value)


@pytest.mark.parametrize(
    "length",
    [
        schedules.Duration(1, "share"),
        schedules.Duration(0, "share"),
        schedules.Duration(3.0, "updates"),
        schedules.epochs(1e-5),
        schedules.epochs(1 / 3),
        schedules.epochs(1e17),
    ],
    ids=str,
)
def test_what_is_saved_is_read_as_the_same(length):
    saved = schedules.Cosine(1.0, total=length).get_config()["total"]
    assert duration("total", saved) == length


def test_updates_are_whole_in_a_duration_too():
    with pytest.raises(InputError, match="`total` .*whole number of updates"):
        duration("total", schedules.Duration(2.5, "updates"))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: schedules.Cosine(0.1, total=100, warmup=200), "`warmup` must be at most `total`"),
        (lambda: schedules.Cosine(0.1, total="4 epochs", warmup="5 epochs"), "'5.0 epochs'"),
        (lambda: schedules.FlatCosine(0.1, total=5, flat=9), "`flat`"),
        (
            lambda: schedules.WarmupStableDecay(1.0, total=100, warmup=0.9, decay=0.5),
            "`warmup` . `decay`.*warmup 90, decay 50, of a total of 100",
        ),
        (lambda: schedules.WarmupStableDecay(1.0, warmup=0.9, decay=0.5), "`warmup` . `decay`"),
        (
            lambda: schedules.Piecewise(1.0, boundaries=(0.5, 100, 0.4), factors=(1, 1, 1)),
            "`boundaries` must be ascending",
        ),
    ],
)
def test_parts_longer_than_the_whole(make, message):
    with pytest.raises(InputError, match=message):
        make()


def test_parts_that_may_fit():
    schedules.Cosine(0.1, total=100, warmup="200 epochs")
    schedules.Cosine(0.1, total=5, warmup=5)
    schedules.WarmupStableDecay(1.0, total=3, warmup=0.5, decay=0.5)  # each rounded up
    schedules.WarmupStableDecay(1.0, warmup=0.7, decay=0.3)


def test_bad_unit():
    with pytest.raises(InputError, match="`total.unit` .* Did you mean 'epochs'"):
        duration("total", schedules.Duration(1, "epoch"))


@pytest.mark.parametrize("value", [0, 0.0, "0 epochs", "0%", schedules.Duration(0, "updates")])
def test_zero_where_it_cannot_be(value):
    duration("total", value)
    with pytest.raises(InputError, match="`every`"):
        schedules.StepDecay(0.1, every=value)


def test_numpy_lengths_are_saved_as_numbers():
    assert schedules.Cosine(np.float32(0.5), total=np.int64(5)).get_config() == {
        "learning_rate": 0.5,
        "total": 5,
        "warmup": 0,
        "floor": 0.0,
    }


def test_a_relative_length_without_a_fit():
    with pytest.raises(InputError, match="needs to know the fit"):
        schedules.Cosine(0.1).at(0, None)
    with pytest.raises(InputError, match="length of OneCycle is not known"):
        schedules.OneCycle(1.0)(0)
    with pytest.raises(InputError, match="`number`"):
        schedules.epochs(0)
