import numpy as np
import pytest

from kerasrecipes import InputError
from kerasrecipes.data import batches, begin_epoch, permutation


@pytest.mark.parametrize("rows", [0, 1, 2, 1000])
def test_each_row_once(rows):
    order = permutation(rows, seed=1, epoch=2)
    assert order.dtype == "int64"
    assert sorted(order.tolist()) == list(range(rows))


def test_depends_on_seed_and_epoch_only():
    a = permutation(50, seed=1, epoch=2)
    np.random.seed(9)
    assert (a == permutation(50, seed=1, epoch=2)).all()
    assert (a != permutation(50, seed=1, epoch=3)).any()
    assert (a != permutation(50, seed=2, epoch=2)).any()
    assert (permutation(50, seed=1, epoch=2) != permutation(50, seed=2, epoch=1)).any()


def test_is_pinned_for_good():
    assert permutation(10, seed=0, epoch=0).tolist() == [3, 2, 1, 8, 6, 0, 7, 4, 5, 9]
    assert permutation(10, seed=2**70, epoch=10**6).tolist() == [2, 7, 4, 0, 5, 9, 3, 1, 6, 8]


def test_every_order_is_about_equally_likely():
    # Chi-squared over the 6 orders of 3 rows: 5 degrees of freedom, 99.99 % quantile 25.7.
    found = [tuple(permutation(3, seed=7, epoch=epoch).tolist()) for epoch in range(3000)]
    _, counts = np.unique(found, axis=0, return_counts=True)
    assert len(counts) == 6
    assert ((counts - 500) ** 2 / 500).sum() < 25.7


def test_begin_epoch_reaches_live_datasets_only():
    first, second = batches(np.zeros(4), seed=1), batches(np.zeros(4), seed=2)
    plain = batches(np.zeros(4), shuffle=False)
    begin_epoch(7)
    assert (first.epoch, second.epoch, plain.epoch) == (7, 7, 0)


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"rows": -1, "seed": 0, "epoch": 0}, "rows"),
        ({"rows": 2, "seed": -1, "epoch": 0}, "seed"),
        ({"rows": 2, "seed": 0.5, "epoch": 0}, "seed"),
        ({"rows": 2, "seed": 0, "epoch": -1}, "epoch"),
    ],
)
def test_bad_arguments(arguments, name):
    with pytest.raises(InputError, match=f"`{name}`"):
        permutation(**arguments)


def test_begin_epoch_refuses_negative_epochs():
    with pytest.raises(InputError, match="`epoch`"):
        begin_epoch(-1)
