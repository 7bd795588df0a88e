import signal
import threading
import time

import keras
import numpy as np
import pytest
import tensorflow as tf

import kerasrecipes as kr
from kerasrecipes.execution.pipeline_graph import PipelineGraph
from tests.harness import representative

RNG = np.random.default_rng(0)
ROWS = 75
X = RNG.normal(size=(ROWS, 6)).astype("float32")
Y = RNG.integers(0, 3, ROWS)
WEIGHTS = RNG.uniform(size=ROWS).astype("float32")


def model(**given):
    given = {"hidden": (8,), "dropout": 0.3, "seed": 1, **given}
    return kr.recipes.mlp((6,), kr.targets.Multiclass(3), **given)


def dataset(*parts, size=8):
    return tf.data.Dataset.from_tensor_slices(parts or (X, Y)).batch(size)


def unknown(data=None):
    """A dataset that does not tell how many batches it has."""
    return (dataset() if data is None else data).filter(lambda *parts: True)


def generator():
    while True:
        for begin in range(0, ROWS, 8):
            yield X[begin : begin + 8], Y[begin : begin + 8]


class Sequence(keras.utils.PyDataset):
    num_batches = 10

    def __getitem__(self, index):
        return X[8 * index : 8 * index + 8], Y[8 * index : 8 * index + 8]


class Ends(kr.callbacks.Callback):
    """Notes between which batches it is called, and what the model has learnt by then."""

    needs_every_batch = False

    def __init__(self, check_every=None):
        super().__init__()
        self.begins, self.ends, self.updates = [], [], []
        if check_every is not None:
            self.check_every = check_every

    def on_train_batch_begin(self, batch, logs=None):
        self.begins.append(batch)

    def on_train_batch_end(self, batch, logs=None):
        self.ends.append(batch)
        self.updates.append(int(self.model.optimizer.iterations))


def everything(model):
    variables = [*model.variables, *model.optimizer.variables]
    return [keras.ops.convert_to_numpy(each) for each in variables]


def both(make=model, **given):
    """What a fit leaves behind in a graph, and what it leaves behind batch by batch."""
    found = []
    for fast in ("auto", False):
        keras.utils.set_random_seed(5)
        made = make(fast=fast)
        arguments = {name: value() if callable(value) else value for name, value in given.items()}
        history = made.fit(**{"epochs": 3, "verbose": 0, **arguments}).history
        assert made.execution.in_graph is (fast == "auto"), made.execution
        found.append((everything(made), history))
    return found


def assert_same(in_graph, by_batch):
    for one, other in zip(in_graph[0], by_batch[0], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-6)
    assert list(in_graph[1]) == list(by_batch[1])
    for name, values in by_batch[1].items():
        np.testing.assert_allclose(in_graph[1][name], values, rtol=1e-6, err_msg=name)


def growing():
    """A dataset that has two batches more each time."""
    passes = []

    def batches():
        passes.append(0)
        yield from ((X[:8], Y[:8]) for _ in range(2 + 2 * len(passes)))

    specs = tf.TensorSpec([None, 6]), tf.TensorSpec([None], tf.int64)
    return tf.data.Dataset.from_generator(batches, output_signature=specs)


class Growing(Sequence):
    num_batches = 3

    def on_epoch_end(self):
        self.num_batches += 1


DATA = {
    "a dataset": {"x": dataset},
    "of unknown size that grows": {"x": growing},
    "without batches": {"x": lambda: dataset(X[:0], Y[:0])},
    "validated by a dataset that grows": {"x": dataset, "validation_data": growing},
    "validated by a PyDataset that grows": {"x": dataset, "validation_data": Growing},
    "validated by as many as are said": {
        "x": dataset,
        "validation_data": lambda: (
            dataset().take(5).apply(tf.data.experimental.assert_cardinality(5))
        ),
    },
    "with weights": {"x": lambda: dataset(X, Y, WEIGHTS)},
    "with class weights": {"x": dataset, "class_weight": {0: 2.0, 2: 0.5}},
    "of unknown size": {"x": unknown},
    "without end": {"x": lambda: dataset().repeat(), "steps_per_epoch": 7},
    "that goes on in the next epoch": {"x": lambda: dataset().repeat(3), "steps_per_epoch": 9},
    "a generator": {"x": generator, "steps_per_epoch": 7, "shuffle": False},
    "a PyDataset": {"x": Sequence, "shuffle": False},
    "arrays with steps": {"x": X, "y": Y, "steps_per_epoch": 2, "shuffle": False},
    "sparse arrays": {"x": lambda: tf.sparse.from_dense(X), "y": Y, "shuffle": False},
    "validated": {"x": dataset, "validation_data": lambda: dataset(X[:20], Y[:20])},
    "validated by data of unknown size": {"x": dataset, "validation_data": unknown},
    "validated by some batches": {
        "x": dataset,
        "validation_data": lambda: dataset().repeat(),
        "validation_steps": 3,
    },
    "validated by rows": {"x": unknown, "validation_data": (X[:20], Y[:20])},
    "rows validated by a dataset": {
        "x": X,
        "y": Y,
        "shuffle": False,
        "batch_size": 8,
        "validation_data": unknown,
    },
}
OFTEN = (
    "a dataset",
    "of unknown size that grows",
    "validated by a dataset that grows",
    "with weights",
    "without end",
    "a generator",
    "a PyDataset",
    "validated by rows",
)
QUIET = pytest.mark.filterwarnings("ignore:Your input ran out of data:UserWarning")


@QUIET
@pytest.mark.parametrize("name", representative(DATA, *OFTEN))
def test_weights_and_history_are_those_of_batch_by_batch(name):
    assert_same(*both(**DATA[name]))


@QUIET
def test_texts():
    words = np.array(["one two", "two three", "four", "five one two"] * 10)
    labels = np.tile([0, 1, 0, 1], 10)

    def make(fast):
        return kr.recipes.text(words, kr.targets.Binary(), form="ngrams", seed=1, fast=fast)

    assert_same(*both(make, x=words, y=labels, shuffle=False, batch_size=8))


@QUIET
def test_metrics_that_are_made_in_the_first_step():
    def make(fast):
        made = model(fast=fast)
        made.compile("adam", "categorical_crossentropy", metrics=[keras.metrics.F1Score("macro")])
        return made

    labels = keras.ops.convert_to_numpy(keras.ops.one_hot(Y, 3))
    data = unknown(dataset(X, labels))
    assert_same(*both(make, x=data, validation_data=data))


@QUIET
def test_f11_an_update_needs_a_batch():
    inputs = keras.Input((6,))
    plain = keras.Model(inputs, keras.layers.Dense(3, "softmax")(inputs))
    plain.compile("adam", "sparse_categorical_crossentropy")
    plain.fit(unknown(), epochs=5, verbose=0, shuffle=False)
    assert int(plain.optimizer.iterations) > 50
    for fast in ("auto", False):
        ours = model(fast=fast)
        ours.fit(unknown(), epochs=5, verbose=0)
        assert int(ours.optimizer.iterations) == 50


@QUIET
def test_f11_an_evaluation_needs_a_batch():
    """With two outputs Keras counts the steps of an evaluation for their losses."""
    inputs = keras.Input((6,))
    heads = [keras.layers.Dense(1, name=name)(inputs) for name in ("a", "b")]
    plain, ours = (kind(inputs, heads) for kind in (keras.Model, kr.recipes.RecipeModel))
    ours.set_weights(plain.get_weights())
    labels = {"a": X[:, :1], "b": X[:, 1:2]}
    data = dataset(X, labels)
    for made in (plain, ours):
        made.compile("sgd", "mse")
    right = plain.evaluate(data, verbose=0, return_dict=True)["a_loss"]
    wrong = plain.evaluate(unknown(data), verbose=0, return_dict=True)["a_loss"]
    assert wrong < 0.95 * right
    for fast in ("auto", False):
        ours.fast = fast
        found = ours.evaluate(unknown(data), verbose=0, return_dict=True)["a_loss"]
        assert found == pytest.approx(right, rel=1e-6)


@QUIET
def test_evaluation_is_that_of_keras():
    ours = model()
    for data, steps in [(dataset(), None), (unknown(), None), (dataset().repeat(), 4)]:
        ours.fast = "auto"
        found = ours.evaluate(data, steps=steps, verbose=0)
        ours.fast = False
        np.testing.assert_allclose(found, ours.evaluate(data, steps=steps, verbose=0), rtol=1e-6)


def test_an_evaluation_within_a_fit_takes_nothing_of_it():
    class Evaluates(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["other"] = self.model.evaluate(dataset(X[:9], Y[:9]), verbose=0)[0]

    in_graph, by_batch = both(
        x=lambda: dataset().repeat(), steps_per_epoch=7, callbacks=lambda: [Evaluates()]
    )
    assert_same(in_graph, by_batch)
    assert "other" in in_graph[1]


def test_callbacks_are_called_between_groups():
    ours, ends = model(), Ends(check_every=4)
    ours.fit(dataset(), epochs=2, verbose=0, callbacks=[ends])
    assert ends.begins == [0, 4, 8] * 2
    assert ends.ends == [3, 7, 9] * 2
    assert ends.updates == [4, 8, 10, 14, 18, 20]


def test_a_group_ends_when_its_time_is_up(monkeypatch):
    def slowly(x, y):
        wait = tf.py_function(lambda: time.sleep(0.03) or 0.0, [], tf.float32)
        with tf.control_dependencies([wait]):
            return tf.identity(x), y

    class Short(PipelineGraph):
        def __init__(self, model, step):
            super().__init__(model, step, seconds=0.1)

    monkeypatch.setattr("kerasrecipes.execution.pipelines.PipelineGraph", Short)
    ours, ends = model(), Ends()
    ours.fit(dataset().map(slowly), epochs=2, verbose=0, callbacks=[ends])
    sizes = np.diff([-1, *ends.ends[ends.ends.index(9) + 1 :]])  # of the second epoch
    assert sizes.sum() == 10
    assert sizes.max() <= 5, sizes  # 4 in time, and one more
    assert sizes.max() >= 2, sizes
    assert ends.begins[-len(sizes) :] == [0, *(each + 1 for each in ends.ends[-len(sizes) : -1])]


def test_ctrl_c_ends_a_fit_within_a_second():
    ours, pressed, stop = model(), [], kr.callbacks.Interrupt()
    data = dataset().repeat(2000)
    ours.fit(dataset(), verbose=0)  # traced

    def press():
        pressed.append(time.process_time())
        signal.raise_signal(signal.SIGINT)

    timer = threading.Timer(0.7, press)
    timer.start()
    ours.fit(data, epochs=1000, verbose=0, callbacks=[stop])
    took = time.process_time() - pressed[0]  # others may keep the cores from it
    assert stop.interrupted
    assert took < 2.0  # of two cores


@QUIET
def test_one_trace_serves_all_fits(monkeypatch):
    ours, traces = model(), []
    train_step = kr.recipes.RecipeModel.train_step

    def traced(self, *given):
        traces.append(given)
        return train_step(self, *given)

    traced.__module__ = train_step.__module__
    monkeypatch.setattr(kr.recipes.RecipeModel, "train_step", traced)
    for size in (8, 11):
        ours.fit(dataset(size=size), epochs=2, verbose=0)
    assert len(traces) == 1
    for _ in range(2):
        ours.fit(unknown(), epochs=2, verbose=0)
    assert len(traces) == 2


@pytest.mark.slow
def test_the_bar_counts_batches(capsys):
    ours = model()
    ours.fit(dataset(), verbose=1)
    assert "10/10" in capsys.readouterr().out
    ours.evaluate(dataset(), verbose=1)
    assert "10/10" in capsys.readouterr().out


@QUIET
def test_the_bar_learns_how_many_batches_there_are(capsys):
    model().fit(unknown(), epochs=2, verbose=1)
    assert "10/10" in capsys.readouterr().out


def test_a_callback_that_looks_at_batches_gets_each():
    ours, ends = model(), Ends()
    ends.needs_every_batch = True
    ours.fit(dataset(), verbose=0, callbacks=[ends])
    assert not ours.execution.in_graph
    assert ends.ends == list(range(10))


def test_it_says_how_it_trained():
    ours = model()
    ours.fit(dataset(), verbose=0)
    assert str(ours.execution) == (
        "a moment's batches in a graph, since the data are not rows of numbers in memory"
    )


def test_what_the_data_raise_is_raised():
    def fails(x, y):
        return tf.debugging.check_numerics(x, "a wrong row"), y

    x = X.copy()
    x[50] = np.nan
    ours = model()
    with pytest.raises(tf.errors.InvalidArgumentError, match="a wrong row"):
        ours.fit(dataset(x, Y).map(fails), verbose=0)
    ours.fit(dataset(), verbose=0)
    assert int(ours.optimizer.iterations) == 6 + 10


class StopAt(kr.callbacks.Callback):
    """Ends a fit as Ctrl-C does, after the group that comes to a step of an epoch."""

    interrupted = needs_every_batch = False
    check_every = 3

    def __init__(self, epoch, step):
        super().__init__()
        self.at = epoch, step

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if (self.epoch, batch) >= self.at:
            self.interrupted = self.model.stop_training = True


class StopsWithin(kr.callbacks.Callback):
    """Ends a fit as a signal does that comes while Keras counts the batches of a group."""

    interrupted = needs_every_batch = False

    def on_epoch_begin(self, epoch, logs=None):
        self.interrupted = self.model.stop_training = epoch == 1


def test_a_fit_that_is_stopped_within_a_group_goes_on_after_it(tmp_path):
    ends, checkpoint = Ends(check_every=4), kr.callbacks.Checkpoint(tmp_path)
    stopped = model()
    stopped.fit(dataset(), epochs=3, verbose=0, callbacks=[checkpoint, ends, StopsWithin()])
    assert int(stopped.optimizer.iterations) == 10 + 4
    assert ends.ends == [3, 7, 9, 3]
    resumed, checkpoint = model(), kr.callbacks.Checkpoint(tmp_path)
    resumed.fit(dataset(), epochs=3, verbose=0, callbacks=[checkpoint])
    assert checkpoint.resumed == (1, 4)
    assert int(resumed.optimizer.iterations) == 30


def test_a_fit_within_a_fit_with_its_own_list_of_callbacks():
    class Fits(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            given = {"add_history": True, "model": self.model, "epochs": 3, "steps": 5}
            own = keras.callbacks.CallbackList([], **given)
            self.model.fit(dataset(X[:40], Y[:40]), epochs=3, shuffle=False, callbacks=own)

    ours = model()
    ours.fit(dataset(), verbose=0, callbacks=[Fits()])
    assert int(ours.optimizer.iterations) == 10 + 15


def test_callbacks_find_the_validation_data():
    rates = kr.callbacks.Hypergradient()
    ours = model(optimizer="sgd", schedule=None)
    ours.fit(dataset(), validation_data=(X[:20], Y[:20]), verbose=0, callbacks=[rates])
    assert ours.execution.chunk is None


def test_models_of_a_loop_are_traced_without_a_word(caplog):
    for seed in range(6):
        model(seed=seed).fit(dataset(), epochs=2, verbose=0)
    assert "retracing" not in caplog.text


def test_a_fit_goes_on_in_the_middle_of_an_epoch(tmp_path):
    def fit(folder, *others):
        keras.utils.set_random_seed(1)
        ours = model(schedule="cosine")
        callbacks = [kr.callbacks.Checkpoint(folder), *others]
        ours.fit(dataset(), epochs=3, verbose=0, callbacks=callbacks)
        assert ours.execution.in_graph
        return ours, callbacks[0]

    stopped, _ = fit(tmp_path / "parts", StopAt(1, 4))
    assert int(stopped.optimizer.iterations) == 10 + 6
    resumed, checkpoint = fit(tmp_path / "parts")
    assert checkpoint.resumed == (1, 6)
    whole, _ = fit(tmp_path / "whole")
    for one, other in zip(everything(resumed), everything(whole), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-7)


@pytest.mark.slow
def test_nan_stops_a_fit_within_its_epoch():
    x = X.copy()
    x[10] = np.nan
    ours, stop = model(optimizer="sgd"), kr.callbacks.NonFinite("stop", check_every=1)
    history = ours.fit(dataset(x, Y), epochs=5, verbose=0, callbacks=[stop]).history
    assert ours.execution.in_graph
    assert stop.stopped_epoch == 0
    assert len(history["loss"]) == 1
