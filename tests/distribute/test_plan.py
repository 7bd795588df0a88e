"""plan: the all-reduce against a simulated ring and in closed form; the model stays as it was."""

import time

import keras
import numpy as np
import pytest
import tensorflow as tf

import kerasrecipes as kr
from kerasrecipes.distribute import _step_time

FAST = {"workers": 4, "bandwidth": 1e9, "batch_size": 8, "steps": 1}


def dense(optimizer="sgd", loss="mse", metrics=(), units=1):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(units)])
    model.compile(optimizer, loss, metrics=list(metrics))
    return model


def seconds_of_ring(workers, size, bandwidth, latency):
    """Lets the chunks go around: all links work at a time, a step lasts as its largest chunk."""
    chunks = np.full(workers, size / workers)
    total, summed = 0.0, np.eye(workers)  # summed[w, c] counts the parts of chunk c at worker w
    summed = np.ones((workers, workers))
    for phase in ("reduce", "gather"):
        for step in range(workers - 1):
            shift = step if phase == "reduce" else step - 1
            before = summed.copy()
            sent = [(worker - shift) % workers for worker in range(workers)]
            for worker, chunk in enumerate(sent):
                to = (worker + 1) % workers
                part = before[worker, chunk]
                summed[to, chunk] = before[to, chunk] + part if phase == "reduce" else part
            total += latency + max(chunks[chunk] for chunk in sent) / bandwidth
    assert (summed == workers).all()
    return total


@pytest.mark.parametrize("workers", [1, 2, 3, 5, 8])
def test_all_reduce_is_that_of_a_ring(workers):
    model = dense(units=7)
    found = kr.distribute.plan(
        model, workers=[workers], bandwidth=1e6, latency=2e-4, batch_size=2, scaling="weak", steps=1
    )
    (row,) = found.rows
    assert found.gradient_bytes == 4 * (3 * 7 + 7)
    expected = seconds_of_ring(workers, 112, 1e6, 2e-4)
    np.testing.assert_allclose(row.all_reduce_seconds, expected, rtol=1e-12)


@pytest.mark.parametrize("scaling", ["strong", "weak"])
def test_rows_follow_from_the_measured_steps(scaling, monkeypatch):
    def measured(model, batch_sizes, *, data, steps):
        return {size: 0.01 + 0.001 * size for size in batch_sizes}

    monkeypatch.setattr(_step_time, "measure", measured)
    workers = [2, 8, 3]
    found = kr.distribute.plan(
        dense(), workers=workers, bandwidth=100.0, latency=1e-3, batch_size=24, scaling=scaling
    )
    count = np.array(workers, "float64")
    each = 24 / count if scaling == "strong" else np.full(3, 24.0)
    reduce = 2 * (count - 1) / count * 16 / 100 + 2 * (count - 1) * 1e-3
    step = 0.01 + 0.001 * each + reduce
    speed = count * each / step
    expected = {
        "workers": count,
        "batch_size": each,
        "compute_seconds": 0.01 + 0.001 * each,
        "all_reduce_seconds": reduce,
        "step_seconds": step,
        "examples_per_second": speed,
        "efficiency": speed / (count * 24 / 0.034),
    }
    for name, values in expected.items():
        got = [getattr(row, name) for row in found.rows]
        np.testing.assert_allclose(got, values, rtol=1e-12, err_msg=name)


class Slow(keras.Model):
    """A step that takes 2 ms a row, of which it tells."""

    def train_on_batch(self, x, y=None, **_):
        time.sleep(0.002 * len(x))
        self.seen.append((tuple(x.shape), tuple(y.shape)))


def test_steps_are_timed_at_the_rows_of_one_worker():
    inputs = keras.Input((3,))
    model = Slow(inputs, keras.layers.Dense(2)(inputs))
    model.compile("sgd", "mse")
    model.seen = []
    found = kr.distribute.plan(model, workers=4, bandwidth=1e9, batch_size=16, steps=3)
    assert {shapes[0][0] for shapes in model.seen} == {16, 8, 4}
    assert len(model.seen) == 3 * (3 + _step_time._WARM_UP)
    assert all(x[1:] == (3,) and y[1:] == (2,) for x, y in model.seen)
    for row in found.rows:
        assert 0.002 * row.batch_size <= row.compute_seconds < 0.004 * row.batch_size + 0.05


def values(model):
    variables = [*model.variables, *model.optimizer.variables, *model.metrics_variables]
    return [keras.ops.convert_to_numpy(variable).copy() for variable in variables]


def fitted_weights(model, x, y):
    model.fit(kr.data.batches(x, y, batch_size=8, seed=1), epochs=2, verbose=0)
    return model.get_weights()


def recipe():
    return kr.recipes.mlp(
        (3,), kr.targets.Multiclass(4), hidden=(8,), dropout=0.3, schedule="cosine", seed=5
    )


def test_the_model_is_set_back():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(32, 3)).astype("float32"), rng.integers(0, 4, 32)
    model, other = recipe(), recipe()
    kr.distribute.plan(model, **FAST)
    assert model.train_function is None
    with pytest.raises(kr.InputError, match="is not known"):  # not bound to the fit of `plan`
        model.optimizer.learning_rate  # noqa: B018
    for one, two in zip(fitted_weights(model, x, y), fitted_weights(other, x, y), strict=True):
        np.testing.assert_array_equal(one, two)
    before, traced = values(model), model.train_function
    kr.distribute.plan(model, **FAST, data=(x, y))
    for one, two in zip(before, values(model), strict=True):
        np.testing.assert_array_equal(one, two)
    assert model.train_function is traced
    rate = float(model.optimizer.learning_rate)
    assert rate == pytest.approx(float(other.optimizer.learning_rate))


def test_the_model_is_set_back_after_an_error():
    model = dense(kr.optimizers.SGD(kr.schedules.Cosine(0.1)))
    kr.distribute.plan(model, **FAST)
    before = values(model)
    with pytest.raises(Exception, match="(?i)shape|rank|dimension"):
        kr.distribute.plan(model, **FAST, data=(np.ones((4, 5), "float32"), np.ones((4, 1))))
    for one, two in zip(before, values(model), strict=True):
        np.testing.assert_array_equal(one, two)
    assert model.optimizer.schedule.fit is None
    plain = dense(keras.optimizers.SGD(kr.schedules.Cosine(0.1)))
    kr.distribute.plan(plain, **FAST)
    plain.fit(np.ones((8, 3)), np.ones((8, 1)), verbose=0, callbacks=[kr.callbacks.BindSchedule()])


@pytest.mark.parametrize(
    ("loss", "units"),
    [
        ("sparse_categorical_crossentropy", 4),
        (keras.losses.SparseCategoricalCrossentropy(from_logits=True), 4),
        (keras.losses.sparse_categorical_crossentropy, 4),
        ("categorical_crossentropy", 4),
        ("binary_crossentropy", 1),
        (keras.losses.Poisson(), 2),
        ("mae", 3),
    ],
)
def test_labels_are_made_up_for_the_loss(loss, units):
    assert kr.distribute.plan(dense(loss=loss, units=units), **FAST).rows[0].compute_seconds > 0


def test_inputs_of_whole_numbers_and_losses_of_layers():
    inputs = keras.Input((5,), dtype="int32")
    outputs = keras.layers.Embedding(10, 2)(inputs)
    outputs = keras.layers.ActivityRegularization(0.1)(outputs)
    model = keras.Model(inputs, outputs)
    model.compile("sgd")
    assert kr.distribute.plan(model, **FAST).gradient_bytes == 80


@pytest.fixture(scope="module")
def once():
    """The plan of a model whose optimizer sums once."""
    return kr.distribute.plan(dense(), **FAST)


@pytest.mark.parametrize(
    ("optimizer", "sums"),
    [
        (lambda: keras.optimizers.AdamW(1e-3, global_clipnorm=1.0), 1),
        (lambda: kr.optimizers.AdamW(1e-3), 1),
        (lambda: kr.optimizers.AdamW(1e-3, global_clipnorm=1.0), 2),
        (lambda: kr.optimizers.AdamW(1e-3, track_updates=True), 2),
        (lambda: kr.optimizers.AdamW(1e-3, gradient_accumulation_steps=2), 2),
        (lambda: kr.optimizers.Lookahead(kr.optimizers.SGD(0.1, clipnorm=1.0)), 2),
    ],
)
def test_sums_of_our_optimizers_are_counted(once, optimizer, sums):
    found = kr.distribute.plan(dense(optimizer()), **FAST)
    assert found.all_reduces == sums
    for one, many in zip(once.rows, found.rows, strict=True):
        assert many.all_reduce_seconds == pytest.approx(sums * one.all_reduce_seconds)


def test_half_precision_halves_the_bytes():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, dtype="bfloat16")])
    model.compile("sgd", "mse")
    assert kr.distribute.plan(model, **FAST).gradient_bytes == 16


def test_one_number_means_powers_of_two_up_to_it():
    given = {**FAST, "scaling": "weak", "workers": 12}
    found = kr.distribute.plan(dense(), **given)
    assert [row.workers for row in found.rows] == [1, 2, 4, 8, 12]
    assert [row.efficiency for row in found.rows][0] == 1.0


def test_it_can_be_read_and_drawn():
    rows = (
        kr.distribute.ScalingRow(1, 1024, 0.1234, 0.0, 0.1234, 8298.2, 1.0),
        kr.distribute.ScalingRow(1000, 1024, 1.5, 0.00099999, 1.501, 6.8e5, 0.0819),
    )
    found = kr.distribute.ScalingPlan(rows, 1024, "weak", 1_999, 2, 1e12, 0.0)
    assert str(found).splitlines() == [
        "weak scaling: 1,024 rows in a batch of each worker",
        "gradients of 2 kB, summed 2 time(s) a step over 1 TB/s, 0 s",
        "workers  rows each  compute  all-reduce    step   rows/s  efficiency",
        "      1      1,024   123 ms         0 s  123 ms    8,298       100 %",
        "  1,000      1,024    1.5 s        1 ms   1.5 s  680,000         8 %",
    ]
    ax = found.plot()
    ideal, estimate = (line.get_xydata() for line in ax.lines)
    np.testing.assert_allclose(estimate, [[1, 8298.2], [1000, 6.8e5]])
    np.testing.assert_allclose(ideal, [[1, 8298.2], [1000, 8298.2e3]])
    assert found.plot(ax=ax) is ax
    import matplotlib.pyplot as plt

    plt.close("all")


def two_inputs():
    inputs = [keras.Input((2,)), keras.Input((2,))]
    model = keras.Model(inputs, keras.layers.Dense(2)(keras.layers.Add()(inputs)))
    model.compile("sgd", "mse")
    return model


def unknown_length():
    inputs = keras.Input((None, 2))
    model = keras.Model(inputs, keras.layers.Dense(1)(inputs))
    model.compile("sgd", "mse")
    return model


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"workers": 0}, "`workers` must be an integer >= 1. Received: 0"),
        ({"workers": [1, 2.0]}, "`workers` must be an integer >= 1. Received: 2.0"),
        ({"workers": []}, "`workers` must be an integer >= 1"),
        ({"workers": "4"}, "`workers` must be an integer >= 1"),
        ({"workers": 3}, "`batch_size` must be a multiple of each number of workers, 3"),
        ({"bandwidth": "10 Gbit/s"}, "`bandwidth` must be a number > 0"),
        ({"bandwidth": 0}, "in bytes, not bits, per second"),
        ({"latency": -1.0}, "`latency` must be a number >= 0"),
        ({"batch_size": 0}, "`batch_size` must be an integer >= 1"),
        ({"steps": 0}, "`steps` must be an integer >= 1"),
        ({"scaling": "stron"}, "Did you mean 'strong'?"),
        ({"data": np.ones((4, 3))}, "`data` must be a tuple"),
        ({"data": (np.ones((4, 3)), np.ones(3))}, "`data` must be arrays with equal numbers"),
        ({"data": (np.ones((0, 3)), np.ones(0))}, "at least one"),
        ({"model": 3}, "`model` must be a Keras model"),
        ({"model": two_inputs}, "does not have one input"),
        ({"model": unknown_length}, "(None, 2) of an input or output"),
        ({"model": lambda: dense(loss=["mse"])}, "several losses"),
        ({"model": lambda: keras.Sequential([keras.Input((3,))])}, "`model` must be compiled"),
    ],
)
def test_what_is_wrong_is_named(change, message):
    given = {"model": dense, **FAST, **change}
    model = given.pop("model")
    with pytest.raises(kr.InputError) as error:
        kr.distribute.plan(model() if callable(model) else model, **given)
    assert message in str(error.value)


def test_several_inputs_and_models_that_are_not_built_take_data():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3, 2)).astype("float32")
    assert kr.distribute.plan(two_inputs(), **FAST, data=([x, x], x)).rows[2].batch_size == 2
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(kr.InputError, match="`data` cannot be made up"):
        kr.distribute.plan(model, **FAST)
    assert kr.distribute.plan(model, **FAST, data=(x, x[:, :1])).gradient_bytes == 12


def test_a_model_on_several_devices_is_refused(monkeypatch):
    model = dense()
    several = tf.distribute.OneDeviceStrategy("CPU:0")
    monkeypatch.setattr(type(several), "num_replicas_in_sync", 2)
    monkeypatch.setattr(keras.Model, "distribute_strategy", several)
    with pytest.raises(kr.InputError, match="must train on one device"):
        kr.distribute.plan(model, **FAST)
