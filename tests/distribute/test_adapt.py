"""Strategies that are mended, refused, or returned as they are; D1 and D11 are in tests/defects."""

import numpy as np
import pytest
import tensorflow as tf

import kerasrecipes as kr


def test_other_strategies_come_back_as_they_are():
    for strategy in (tf.distribute.get_strategy(), tf.distribute.OneDeviceStrategy("CPU:0")):
        assert kr.distribute.adapt(strategy) is strategy
        assert "reduce" not in vars(strategy)


@pytest.mark.parametrize("wrong", [None, "mirrored", 2, tf.distribute.OneDeviceStrategy])
def test_what_is_no_strategy_is_refused(wrong):
    with pytest.raises(kr.InputError, match="`strategy` must be a `tf.distribute.Strategy`"):
        kr.distribute.adapt(wrong)


@pytest.fixture(scope="module")
def multi_worker():
    """A strategy of one worker, whose `reduce` takes the same things."""
    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    original = strategy.reduce
    assert kr.distribute.adapt(strategy) is strategy
    return strategy, original


def test_reduce_answers_as_before_where_it_answered(multi_worker):
    strategy, original = multi_worker
    vector = tf.constant([1.0, 2.0, 6.0])
    for operation in ("SUM", "MEAN", tf.distribute.ReduceOp.SUM):
        for value, axis in ((vector, 0), (vector, None), (tf.constant(2.0), None)):
            ours, theirs = (r(operation, value, axis=axis) for r in (strategy.reduce, original))
            np.testing.assert_array_equal(ours, theirs)
    assert float(strategy.reduce("MEAN", vector, axis=0)) == 3.0


def test_reduce_takes_scalars_with_an_axis_and_nested_values(multi_worker):
    strategy, original = multi_worker
    with pytest.raises(ValueError, match="Invalid reduction dimension 0"):
        original("MEAN", tf.constant(2.0), axis=0)
    assert float(strategy.reduce("MEAN", tf.constant(2.0), axis=0)) == 2.0
    batch = ({"a": tf.ones((4, 2)), "b": tf.ones((4,))}, tf.ones((4, 1)), None)
    first = strategy.reduce("MEAN", batch, axis=None)
    assert first[0]["a"].shape == (4, 2)
    assert first[1].shape == (4, 1)
    assert first[2] is None


def test_adapting_twice_changes_nothing(multi_worker):
    strategy, _ = multi_worker
    before = strategy.reduce
    assert kr.distribute.adapt(strategy).reduce is before
