import random

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from kerasrecipes import InputError, recipes
from kerasrecipes.data import batches, permutation
from tests.replicas import run_on_replicas

X = np.arange(20, dtype="float32").reshape(10, 2)
Y = np.arange(10)


def rows_of(dataset):
    """The rows of one pass, from an `x` whose first column is 2 * row."""
    return np.concatenate([batch[0].numpy()[:, 0] for batch in dataset]).astype(int) // 2


@pytest.mark.parametrize(
    ("batch_size", "drop"),
    [(1, False), (3, False), (10, False), (32, False), (3, True), (5, True), (10, True)],
)
def test_gathers_x_y_and_weights_of_the_permutation(batch_size, drop):
    weight = Y / 10
    dataset = batches(
        X, Y, sample_weight=weight, batch_size=batch_size, seed=4, drop_remainder=drop
    )
    for epoch in range(3):
        order = permutation(10, seed=4, epoch=epoch)
        found = [[part.numpy() for part in batch] for batch in dataset]
        steps = 10 // batch_size if drop else -(-10 // batch_size)
        assert len(found) == len(dataset) == steps
        assert dataset.dropped == (10 % batch_size if drop else 0)
        for step, (x, y, w) in enumerate(found):
            rows = order[step * batch_size : (step + 1) * batch_size]
            np.testing.assert_array_equal(x, X[rows])
            np.testing.assert_array_equal(y, Y[rows])
            np.testing.assert_array_equal(w, weight[rows].astype("float32"))


def test_unshuffled_keeps_the_order_and_has_no_epoch():
    dataset = batches(X, batch_size=4, shuffle=False)
    for _ in range(2):
        assert rows_of(dataset).tolist() == list(range(10))
    dataset.epoch = 3
    assert (dataset.seed, dataset.epoch) == (None, 0)


def test_epoch_can_be_set():
    dataset = batches(X, batch_size=4, seed=1)
    dataset.epoch = 6
    assert rows_of(dataset).tolist() == permutation(10, seed=1, epoch=6).tolist()
    assert dataset.epoch == 7


def test_iterators_that_are_never_read_do_not_count():
    dataset = batches(X, batch_size=4, seed=1)
    for _ in range(3):
        iter(dataset)
    assert rows_of(dataset).tolist() == permutation(10, seed=1, epoch=0).tolist()


def test_drawn_seed_is_kept_and_follows_the_global_one():
    keras.utils.set_random_seed(3)
    first = batches(X)
    random.seed(3)
    second = batches(X)
    assert first.seed == second.seed
    assert first.seed != batches(X).seed
    assert (rows_of(first) == permutation(10, seed=first.seed, epoch=0)).all()


@pytest.mark.parametrize(
    ("x", "expected"),
    [
        (X.astype("float64"), "float32"),
        (X.astype("float16"), "float16"),
        (X.astype("uint8"), "uint8"),
        (X.astype("int32"), "int32"),
        (X > 3, "bool"),
        (X.tolist(), "float32"),
        (tf.constant(X), "float32"),
        (pd.DataFrame(X, dtype="int64"), "float32"),
        (pd.Series(X[:, 0]), "float32"),
        (["a", "b"], "string"),
        (np.array(["a", "b"]), "string"),
        (pd.Series(["a", "b"]), "string"),
    ],
)
def test_kinds_of_arrays(x, expected):
    (first,) = next(iter(batches(x, shuffle=False, batch_size=2)))
    assert first.dtype.name == expected
    found = first.numpy()
    found = [text.decode() for text in found] if expected == "string" else found
    np.testing.assert_array_equal(found, np.asarray(x)[:2])


def test_dicts_and_tuples_of_arrays():
    dataset = batches({"a": X, "b": Y}, (Y, X), batch_size=4, seed=1)
    inputs, (first, second) = next(iter(dataset))
    rows = permutation(10, seed=1, epoch=0)[:4]
    for found, whole in ((inputs["a"], X), (inputs["b"], Y), (first, Y), (second, X)):
        np.testing.assert_array_equal(found, whole[rows])


@pytest.mark.parametrize(("batch_size", "drop", "static"), [(5, False, 5), (4, True, 4)])
def test_batch_axis_is_static_where_it_can_be(batch_size, drop, static):
    spec = batches(X, Y, batch_size=batch_size, drop_remainder=drop).element_spec
    assert [part.shape.as_list() for part in spec] == [[static, 2], [static]]
    assert batches(X, batch_size=4).element_spec[0].shape.as_list() == [None, 2]


def test_is_a_dataset_with_data_sharding_that_survives_map():
    dataset = batches(X, Y, seed=1).map(lambda x, y: (2 * x, y))
    assert isinstance(dataset, tf.data.Dataset)
    policy = dataset.options().experimental_distribute.auto_shard_policy
    assert policy == tf.data.experimental.AutoShardPolicy.DATA
    assert len(dataset) == 1
    first, second = (list(dataset)[0][1].numpy().tolist() for _ in range(2))
    assert first == permutation(10, seed=1, epoch=0).tolist()
    assert second == permutation(10, seed=1, epoch=1).tolist()


def test_fit_knows_the_steps_and_predict_keeps_the_order():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    steps = []

    class Steps(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            steps.append(self.params["steps"])

    model.fit(
        batches(X, Y, batch_size=4),
        shuffle=False,
        verbose=0,
        callbacks=[Steps()],
        class_weight={row: 1.0 for row in range(10)},
        validation_data=batches(X, Y, shuffle=False),
    )
    assert steps == [3]
    np.testing.assert_allclose(
        model.predict(batches(X, shuffle=False, batch_size=4), verbose=0),
        model.predict(X, verbose=0),
        rtol=1e-6,
    )


class TestFromDataset:
    def test_order_is_a_function_of_seed_and_epoch(self):
        def orders(global_seed, first):
            tf.random.set_seed(global_seed)
            dataset = batches(tf.data.Dataset.range(30), batch_size=8, seed=3)
            dataset.epoch = first
            assert len(dataset) == 4
            return [np.concatenate([*dataset.as_numpy_iterator()]).tolist() for _ in range(3)]

        whole = orders(0, 0)
        assert all(sorted(order) == list(range(30)) for order in whole)
        assert whole[0] != whole[1] != whole[2]
        assert orders(5, 0) == whole
        assert orders(0, 1)[:2] == whole[1:]

    def test_rows_of_x_y_and_weight(self):
        source = tf.data.Dataset.from_tensor_slices((X, Y, Y))
        dataset = batches(source, batch_size=4, drop_remainder=True)
        assert dataset.dropped == 2
        for x, y, weight in dataset:
            np.testing.assert_array_equal(x, X[y.numpy()])
            np.testing.assert_array_equal(y, weight)

    def test_unknown_length_and_a_buffer(self):
        source = tf.data.Dataset.range(30).filter(lambda row: row % 2 == 0)
        dataset = batches(source, batch_size=4, buffer_size=3, seed=1)
        assert dataset.rows is None
        assert dataset.dropped is None
        found = np.concatenate([*dataset.as_numpy_iterator()])
        assert sorted(found) == list(range(0, 30, 2))
        assert found[0] in (0, 2, 4)

    def test_cached_source_is_read_once(self):
        reads = []

        def rows():
            reads.append(1)
            yield from range(6)

        spec = tf.TensorSpec((), tf.int64)
        source = tf.data.Dataset.from_generator(rows, output_signature=spec).cache()
        dataset = batches(source, batch_size=4)
        for _ in range(3):
            assert sum(batch.shape[0] for batch in dataset) == 6
        assert len(reads) == 1

    @pytest.mark.parametrize(
        ("source", "arguments", "message"),
        [
            (tf.data.Dataset.range(4), {"y": Y}, "`y` and `sample_weight` must be left out"),
            (tf.data.Dataset.range(4).repeat(), {}, "a dataset with an end"),
            (tf.data.Dataset.range(0), {}, "at least one batch"),
            (tf.data.Dataset.range(4), {"batch_size": 5, "drop_remainder": True}, "one batch"),
            (tf.data.Dataset.range(4), {"buffer_size": 0}, "`buffer_size`"),
        ],
    )
    def test_bad_arguments(self, source, arguments, message):
        with pytest.raises(InputError, match=message):
            batches(source, **arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"y": Y[:9]}, "`x` has 10, `y` has 9"),
        ({"y": Y, "sample_weight": Y[:3]}, "`sample_weight` has 3"),
        ({"y": {"a": Y, "b": Y[:2]}}, r"`y\['b'\]` has 2"),
        ({"sample_weight": Y}, "`sample_weight` must be left out without `y`"),
        ({"y": np.full(10, 1e300)}, "`y` must be within the range of float32"),
        ({"batch_size": 0}, "`batch_size` must be an integer >= 1"),
        ({"batch_size": 11, "drop_remainder": True}, "`batch_size` must be at most 10"),
        ({"buffer_size": 5}, "`buffer_size`"),
        ({"seed": -1}, "`seed`"),
        ({"y": "abc"}, "`y` must be an array"),
        ({"y": [[1], [2, 3]]}, "equally long rows"),
        ({"y": np.array([1, None] * 5)}, "`y` must be an array of numbers or of texts"),
        ({"y": np.zeros(10, "complex64")}, "dtype complex64"),
        ({"y": np.float32(3)}, "`y` must be an array with one row per example"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(InputError, match=message):
        batches(X, **arguments)


def test_no_rows():
    with pytest.raises(InputError, match="`x` must hold at least one row"):
        batches(X[:0])


def test_text_column_of_a_frame_is_named_by_models_that_take_numbers():
    data = batches(pd.DataFrame({"age": [1, 2], "name": ["a", "b"]}), [0, 1])
    model = recipes.mlp((2,), "binary", hidden=(2,))
    with pytest.raises(InputError, match="column 'name'"):
        model.fit(data, verbose=0)
    with pytest.raises(InputError, match="column 'name'"):
        model.fit(X[:, :2], np.zeros(len(X)), validation_data=data, verbose=0)


@pytest.mark.multi_device
def test_replicas_share_the_batches_of_the_epoch():
    seen = run_on_replicas(
        """
        seen = []

        class Recorder(keras.layers.Layer):
            def call(self, x):
                tf.py_function(lambda part: seen.append(part.numpy()[:, 0].tolist()), [x], [])
                return x

        class BeginEpoch(keras.callbacks.Callback):
            def on_epoch_begin(self, epoch, logs=None):
                kr.data.begin_epoch(epoch)

        x = np.arange(24.0)[:, None]
        with strategy.scope():
            model = keras.Sequential([Recorder(), keras.layers.Dense(1)])
            model.compile("sgd", "mse", jit_compile=False)
        model.fit(
            kr.data.batches(x, x, batch_size=8, seed=5),
            initial_epoch=2,
            epochs=5,
            shuffle=False,
            verbose=0,
            callbacks=[BeginEpoch()],
        )
        report(seen=seen[-18:])
        """,
        replicas=2,
    )["seen"]
    assert [len(half) for half in seen] == [4] * 18
    steps = np.reshape(seen, (3, 3, 8))
    for epoch in range(3):
        order = permutation(24, seed=5, epoch=2 + epoch).reshape(3, 8)
        np.testing.assert_array_equal(np.sort(steps[epoch]), np.sort(order))
