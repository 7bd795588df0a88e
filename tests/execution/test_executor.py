import signal
import threading
import time

import keras
import numpy as np
import pytest
import tensorflow as tf

import kerasrecipes as kr
from kerasrecipes._checks import InputError
from kerasrecipes.execution.cost import chunk_of, pays_to_compile, way_to_train
from kerasrecipes.execution.dispatch import Dispatch
from tests.harness import representative

RNG = np.random.default_rng(0)
ROWS = 75  # two full batches of 32, and one of 11
CLASSES = RNG.integers(0, 3, ROWS)


def table(width=6):
    return RNG.normal(size=(ROWS, width)).astype("float32"), CLASSES


X, Y = table()
MODELS = {
    "mlp": lambda **given: kr.recipes.mlp((6,), kr.targets.Multiclass(3), hidden=(8,), **given),
    "selu": lambda **given: kr.recipes.mlp(
        (6,), kr.targets.Multiclass(3), hidden=(8,), activation="selu", normalization=None, **given
    ),
    "cnn": lambda **given: kr.recipes.cnn(
        (8, 8, 1), kr.targets.Multiclass(3), filters=(4, 4), augmentation=None, **given
    ),
    "temporal": lambda **given: kr.recipes.temporal(
        (12, 2), kr.targets.Multiclass(3), filters=(4, 4, 4), **given
    ),
    "rnn": lambda **given: kr.recipes.rnn((12, 2), kr.targets.Multiclass(3), units=(4,), **given),
    "transformer": lambda **given: kr.recipes.transformer(
        (12, 2),
        kr.targets.Multiclass(3),
        layers=1,
        units=8,
        num_heads=2,
        kernel_size=3,
        strides=1,
        **given,
    ),
}
SHAPES = {"cnn": (8, 8, 1), "temporal": (12, 2), "rnn": (12, 2), "transformer": (12, 2)}


def inputs_of(name):
    return np.random.default_rng(1).normal(size=(ROWS, *SHAPES.get(name, (6,)))).astype("float32")


def everything(model):
    variables = [*model.variables, *model.optimizer.variables]
    return [keras.ops.convert_to_numpy(each) for each in variables]


def both(fit, make=MODELS["mlp"], **given):
    """What a fit leaves behind in a graph, and what it leaves behind batch by batch."""
    found = []
    for fast in ("auto", False):
        keras.utils.set_random_seed(5)
        model = make(seed=1, fast=fast, **given)
        history = fit(model)
        assert model.execution.in_graph is (fast == "auto"), model.execution
        found.append((everything(model), history.history, model))
    return found


def assert_same(in_graph, by_batch, rtol=1e-6):
    for one, other in zip(in_graph[0], by_batch[0], strict=True):
        np.testing.assert_allclose(one, other, rtol=rtol, atol=rtol)
    assert list(in_graph[1]) == list(by_batch[1])
    for name, values in by_batch[1].items():
        np.testing.assert_allclose(in_graph[1][name], values, rtol=rtol, err_msg=name)


@pytest.mark.parametrize("name", representative(MODELS, "mlp", "selu", "cnn"))
def test_weights_and_history_are_those_of_batch_by_batch(name):
    x = inputs_of(name)

    def fit(model):
        data = kr.data.batches(x, CLASSES, seed=3)
        return model.fit(data, epochs=3, verbose=0, validation_data=(x[:40], CLASSES[:40]))

    in_graph, by_batch = both(fit, MODELS[name])
    if name == "transformer":  # the bias of its keys has no effect, and rounding for a gradient
        outputs = [found[2].predict(x, verbose=0) for found in (in_graph, by_batch)]
        in_graph, by_batch = ([outputs[0]], in_graph[1]), ([outputs[1]], by_batch[1])
    assert_same(in_graph, by_batch, rtol=1e-5 if name == "transformer" else 1e-6)


def test_arrays_in_their_order():
    assert_same(*both(lambda m: m.fit(X, Y, batch_size=25, epochs=2, shuffle=False, verbose=0)))


def test_rows_of_a_dict():
    inputs = {"a": keras.Input((4,), name="a"), "b": keras.Input((2,), name="b")}

    def make(seed, fast):
        keras.utils.set_random_seed(seed)
        joined = keras.layers.Concatenate()([inputs["a"], inputs["b"]])
        model = kr.recipes.RecipeModel(inputs, keras.layers.Dense(1)(joined))
        model.compile("sgd", "mse")
        model.fast = fast
        return model

    rows = {"a": X[:, :4], "b": X[:, 4:]}
    assert_same(*both(lambda m: m.fit(rows, Y, shuffle=False, verbose=0), make))


ARGUMENTS = {
    "sample weights": {"sample_weight": RNG.uniform(size=ROWS).astype("float32")},
    "class weights": {"class_weight": {0: 2.0, 2: 0.5}},
    "validation split": {"validation_split": 0.2},
    "validation with weights": {"validation_data": (X[:30], Y[:30], np.linspace(0.1, 1, 30))},
    "validation in batches of its own": {
        "validation_data": (X[:30], Y[:30]),
        "validation_batch_size": 7,
        "validation_freq": 2,
    },
    "validation of batches": {"validation_data": kr.data.batches(X, Y, shuffle=False)},
    "a later epoch": {"initial_epoch": 1},
    "early stopping": {
        "validation_split": 0.2,
        "callbacks": [kr.callbacks.EarlyStopping(patience=1)],
    },
}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_arguments_of_fit_mean_what_they_mean(name):
    given = {"epochs": 4, "shuffle": False, "verbose": 0, **ARGUMENTS[name]}
    assert_same(*both(lambda m: m.fit(X, Y, **given)))


def test_schedules_accumulation_and_monitors_see_every_update():
    optimizer = {"name": "adamw", "gradient_accumulation_steps": 2, "track_updates": True}

    def fit(model):
        data = kr.data.batches(X, Y, seed=3)
        callbacks = [kr.callbacks.GradientMonitor(every=2), kr.callbacks.NonFinite("skip")]
        return model.fit(data, epochs=4, verbose=0, callbacks=callbacks)

    assert_same(*both(fit, schedule="one_cycle", optimizer=optimizer), rtol=1e-5)


def test_a_shuffle_of_arrays_is_new_in_each_epoch_and_repeats_with_the_seed():
    def losses():
        keras.utils.set_random_seed(7)
        model = MODELS["mlp"](seed=1, learning_rate=1e-9, dropout=0.0, normalization=None)
        first = []
        hook = keras.callbacks.LambdaCallback(
            on_epoch_end=lambda epoch, logs: first.append(logs["loss"])
        )
        model.fit(X, Y, batch_size=64, epochs=3, verbose=0, callbacks=[hook])
        assert model.execution.in_graph
        return first

    assert losses() == losses()


# What takes the ordinary path.


class Looks(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.batches = []

    def on_train_batch_end(self, batch, logs=None):
        self.batches.append(batch)


class Content(Looks):
    needs_every_batch = False


class OwnStep(kr.recipes.RecipeModel):
    def train_step(self, data):
        return super().train_step(data)


def own_step(**given):
    inputs = keras.Input((6,))
    model = OwnStep(inputs, keras.layers.Dense(3, "softmax")(inputs))
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


def compiled(**given):
    model = MODELS["mlp"]()
    model.compile("sgd", "sparse_categorical_crossentropy", **given)
    return model


ORDINARY = {
    "Looks looks at every batch": (MODELS["mlp"], {"callbacks": [Looks()]}),
    "LearningRateScheduler looks at every batch": (
        MODELS["mlp"],
        {"callbacks": [kr.callbacks.LearningRateScheduler(lambda step: 0.1, by="update")]},
    ),
    "OwnStep has a train_step of its own": (own_step, {}),
    "it runs eagerly": (lambda: compiled(run_eagerly=True), {}),
    "compiled with steps_per_execution=2": (lambda: compiled(steps_per_execution=2), {}),
    "compiled with jit_compile=True": (lambda: compiled(jit_compile=True), {}),
    "`fast` is False": (lambda: MODELS["mlp"](fast=False), {}),
}


@pytest.mark.parametrize("reason", ORDINARY)
def test_what_needs_every_batch_gets_it(reason):
    make, given = ORDINARY[reason]
    model = make()
    model.fit(X, Y, verbose=0, **given)
    assert not model.execution.in_graph
    assert reason in str(model.execution)
    if given.get("callbacks") and isinstance(given["callbacks"][0], Looks):
        assert given["callbacks"][0].batches == [0, 1, 2]


def test_it_says_who_looks_at_every_batch(capsys):
    model = MODELS["mlp"]()
    model.fit(X, Y, verbose=2, callbacks=[Looks()])
    assert "Looks looks at every batch" in capsys.readouterr().out
    model.fit(X, Y, verbose=2)
    assert "looks at every batch" not in capsys.readouterr().out


def test_a_callback_can_be_content_with_chunks():
    model, content = MODELS["mlp"](), Content()
    model.fit(X, Y, verbose=0, callbacks=[content])
    assert model.execution.in_graph
    assert content.batches == [2]  # the last of the three


def test_another_fast_is_refused():
    with pytest.raises(InputError, match='`fast` must be "auto", True or False'):
        MODELS["mlp"](fast="very")


# Evaluation and prediction.


@pytest.mark.parametrize(
    "given", [{}, {"batch_size": 7}, {"sample_weight": np.linspace(0.1, 1, ROWS)}], ids=str
)
def test_evaluate_is_that_of_keras(given):
    in_graph, by_batch = MODELS["mlp"](seed=1), MODELS["mlp"](seed=1, fast=False)
    expected = by_batch.evaluate(X, Y, verbose=0, return_dict=True, **given)
    found = in_graph.evaluate(X, Y, verbose=0, return_dict=True, **given)
    assert found == pytest.approx(expected, rel=1e-6)
    assert list(found) == list(expected)


@pytest.mark.parametrize("given", [{}, {"batch_size": 7}], ids=str)
def test_predict_is_that_of_keras(given):
    in_graph, by_batch = MODELS["mlp"](seed=1), MODELS["mlp"](seed=1, fast=False)
    expected = by_batch.predict(X, verbose=0, **given)
    np.testing.assert_allclose(in_graph.predict(X, verbose=0, **given), expected, rtol=1e-5)
    assert in_graph.predict(X[:1], verbose=0).shape == (1, 3)


def test_the_order_of_batches_is_kept_in_predictions():
    model = MODELS["mlp"](seed=1)
    data = kr.data.batches(X, seed=2, batch_size=16, drop_remainder=True)
    order = kr.data.permutation(ROWS, seed=2, epoch=0)[:64]
    found = model.predict(data, verbose=0)
    np.testing.assert_allclose(found, model.predict(X, verbose=0)[order], rtol=1e-6)


def test_a_callback_can_evaluate_other_rows_within_a_fit():
    seen = []

    class Test(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            data = tf.data.Dataset.from_tensors((X[:20], Y[:20]))
            seen.append(self.model.evaluate(X[:20], Y[:20], verbose=0))
            seen.append(self.model.evaluate(data, verbose=0))
            seen.append(self.model.predict(X[:20], verbose=0))
            seen.append(self.model.predict(data, verbose=0))

    def fit(model):
        del seen[:]
        history = model.fit(
            X,
            Y,
            epochs=2,
            verbose=0,
            shuffle=False,
            callbacks=[Test()],
            validation_data=(X[20:], Y[20:]),
        )
        history.history["seen"] = list(keras.tree.flatten(seen))
        return history

    in_graph, by_batch = both(fit)
    for one, other in zip(in_graph[1].pop("seen"), by_batch[1].pop("seen"), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5)
    assert_same(in_graph, by_batch)


def test_afterwards_the_model_has_its_own_functions():
    model = MODELS["mlp"](seed=1)
    model.fit(X, Y, verbose=0, validation_data=(X, Y))
    assert isinstance(model.train_function, Dispatch)
    assert isinstance(model.test_function, Dispatch)
    assert model.steps_per_execution == 1
    assert model.fit_arguments == {}
    model.train_on_batch(X, Y)
    model.test_on_batch(X, Y)
    kept = model.train_function
    model.fit(X, Y, verbose=0, validation_data=(X, Y))
    assert model.train_function is kept


def test_so_it_has_after_an_error():
    class Fails(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            raise RuntimeError("on purpose")

    model = MODELS["mlp"](seed=1)
    with pytest.raises(RuntimeError, match="on purpose"):
        model.fit(X, Y, verbose=0, callbacks=[Fails()])
    assert isinstance(model.train_function, Dispatch)
    assert model.steps_per_execution == 1
    model.fit(X, Y, verbose=0)


# Graphs.


class Traced(keras.layers.Layer):
    """Counts how often it is traced in training."""

    times = 0

    def call(self, inputs, training=False):
        Traced.times += bool(training)
        return inputs


def traced_model():
    inputs = keras.Input((6,))
    model = kr.recipes.RecipeModel(inputs, keras.layers.Dense(3, "softmax")(Traced()(inputs)))
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.optimizer.build(model.trainable_variables)
    return model


@pytest.mark.slow
@pytest.mark.parametrize("way", ["any size", "one size", "compiled"])
@pytest.mark.parametrize("name", ["mlp", "rnn"])
def test_every_kind_of_graph_trains_alike(monkeypatch, name, way):
    monkeypatch.setattr("kerasrecipes.execution.executor.way_to_train", lambda *_: way)
    x = inputs_of(name)

    def fit(model):
        history = model.fit(x, CLASSES, epochs=2, batch_size=20, shuffle=False, verbose=0)
        if model.execution.in_graph:
            assert model.execution.jit is (way == "compiled")
        return history

    assert_same(*both(fit, MODELS[name]), rtol=2e-6)


@pytest.mark.parametrize(("steps", "way"), [(100, "any size"), (100_000, "one size")])
def test_long_fits_of_convolutions_have_a_graph_of_one_size(steps, way):
    assert way_to_train(MODELS["cnn"](), 32, steps) == way


def test_one_trace_serves_all_rows_of_a_kind():
    model = traced_model()
    model.fit(X[:64], Y[:64], verbose=0)
    before = Traced.times
    model.fit(X[:32], Y[:32], verbose=0, epochs=2)
    model.fit(X[:64], Y[:64], verbose=0, validation_data=(X, Y))
    model.fit(X, Y, verbose=0)  # a smaller batch at the end
    model.fit(X, Y, batch_size=7, verbose=0)
    assert Traced.times == before


def test_what_changes_the_step_is_traced_anew():
    model = traced_model()
    model.fit(X, Y, verbose=0)
    first = model.layers[-1].kernel.numpy()
    model.layers[-1].trainable = False
    model.compile(keras.optimizers.SGD(1.0), "sparse_categorical_crossentropy")
    with pytest.warns(UserWarning, match="trainable"):
        model.fit(X, Y, verbose=0)
    np.testing.assert_array_equal(model.layers[-1].kernel.numpy(), first)


@pytest.mark.slow
def test_a_penalty_that_comes_later_counts():
    def fit(model):
        model.fit(X, Y, verbose=0, shuffle=False)
        kr.regularizers.apply(model, "l2")
        return model.fit(X, Y, epochs=2, verbose=0, shuffle=False, validation_data=(X, Y))

    assert_same(*both(fit))


# Signals, ends and saves.


def test_ctrl_c_ends_a_fit_within_a_second():
    model = MODELS["mlp"](seed=1)
    rows = np.repeat(X, 2000, axis=0), np.repeat(Y, 2000)
    model.fit(X, Y, verbose=0)  # traced
    pressed = []

    def press():
        pressed.append(time.process_time())
        signal.raise_signal(signal.SIGINT)

    timer = threading.Timer(1.0, press)
    timer.start()
    stop = kr.callbacks.Interrupt()
    model.fit(*rows, epochs=1000, verbose=0, callbacks=[stop])
    took = time.process_time() - pressed[0]  # others may keep the cores from it
    assert stop.interrupted
    assert took < 2.0  # of two cores


def test_nan_stops_a_fit_within_its_epoch():
    x = np.concatenate([X] * 40)
    x[100] = np.nan
    model = MODELS["mlp"](seed=1, optimizer="sgd")
    stop = kr.callbacks.NonFinite("stop", check_every=1)
    history = model.fit(
        x, np.concatenate([Y] * 40), epochs=5, verbose=0, shuffle=False, callbacks=[stop]
    )
    assert model.execution.in_graph
    assert stop.stopped_epoch == 0
    assert len(history.history["loss"]) == 1


class StopAt(keras.callbacks.Callback):
    """Ends a fit as Ctrl-C does, after the call that comes to a step of an epoch."""

    interrupted = False

    def __init__(self, epoch, step):
        super().__init__()
        self.at, self.epoch = (epoch, step), 0

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if (self.epoch, batch) >= self.at:
            self.interrupted = self.model.stop_training = True


class StopWithinChunk(StopAt):
    needs_every_batch = False


def resumed(tmp_path, chunk, stop, make):
    """The weights of a fit that was ended in the middle and gone on with."""

    def fit(model, *others):
        data = kr.data.batches(X, Y, batch_size=4, seed=3)  # 19 batches
        callbacks = [kr.callbacks.Checkpoint(tmp_path), *others]
        return model.fit(data, epochs=3, verbose=0, callbacks=callbacks)

    fit(make(), stop)
    model = make()
    fit(model)
    assert model.execution.in_graph
    return everything(model)


@pytest.mark.parametrize("stop", [StopAt(1, 5), StopWithinChunk(1, 5)], ids=["batch", "chunk"])
def test_a_fit_goes_on_in_the_middle_of_a_chunk(tmp_path, stop, monkeypatch):
    monkeypatch.setattr("kerasrecipes.execution.executor.chunk_of", lambda seconds, steps: 4)

    def make():
        keras.utils.set_random_seed(1)
        return MODELS["mlp"](seed=1, schedule="cosine")

    whole = make()
    data = kr.data.batches(X, Y, batch_size=4, seed=3)
    whole.fit(data, epochs=3, verbose=0, callbacks=[kr.callbacks.Checkpoint(tmp_path / "whole")])
    found = resumed(tmp_path / "parts", 4, stop, make)
    for one, other in zip(found, everything(whole), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-7)


def test_the_bar_counts_batches(capsys):
    model = MODELS["mlp"](seed=1)
    model.fit(X, Y, verbose=1)
    assert "3/3" in capsys.readouterr().out
    model.evaluate(X, Y, verbose=1)
    assert "1/1" in capsys.readouterr().out


# XLA.


def with_jit(monkeypatch):
    monkeypatch.setattr("kerasrecipes.execution.executor.way_to_train", lambda *_: "compiled")


def test_xla_trains_as_the_graph_does(monkeypatch):
    with_jit(monkeypatch)

    def fit(model):
        data = kr.data.batches(X, Y, seed=3)
        return model.fit(data, epochs=3, verbose=0, validation_data=(X, Y))

    in_graph, by_batch = both(fit)
    assert in_graph[2].execution.jit
    assert_same(in_graph, by_batch, rtol=1e-4)  # rounding of three epochs, dropout's masks as well


class InPython(keras.layers.Layer):
    """Leaves the graph in training, which XLA cannot."""

    def call(self, inputs, training=False):
        outputs = tf.py_function(lambda x: x, [inputs], inputs.dtype) if training else inputs
        return tf.ensure_shape(outputs, inputs.shape)


def test_what_xla_cannot_compile_runs_without(monkeypatch):
    with_jit(monkeypatch)
    inputs = keras.Input((6,))
    outputs = keras.layers.Dense(3, "softmax")(InPython()(inputs))
    model = kr.recipes.RecipeModel(inputs, outputs)
    model.compile("sgd", "sparse_categorical_crossentropy")
    for _ in range(2):
        model.fit(X, Y, verbose=0)
        assert model.execution.in_graph
        assert not model.execution.jit


LONG = 10**6


@pytest.mark.parametrize(
    ("name", "steps", "pays"),
    [
        ("mlp", 100, False),
        ("mlp", LONG, True),
        ("cnn", LONG, False),
        ("rnn", LONG, False),
        ("transformer", LONG, False),
        ("selu", LONG, False),
    ],
)
def test_xla_is_for_long_fits_of_dense_networks(name, steps, pays):
    assert pays_to_compile(MODELS[name](), 32, steps) is pays


@pytest.mark.parametrize(("pooling", "pays"), [("last", True), ("mean", False)])
def test_xla_is_for_recurrent_networks_that_keep_the_last_state(pooling, pays):
    model = MODELS["rnn"](pooling=pooling)
    assert pays_to_compile(model, 32, LONG) is pays


def test_the_dropout_of_keras_is_not_compiled():
    inputs = keras.Input((6,))
    hidden = keras.layers.Dropout(0.5)(keras.layers.Dense(8)(inputs))
    assert not pays_to_compile(keras.Model(inputs, hidden), 32, LONG)


@pytest.mark.parametrize(
    ("seconds", "steps", "chunk"),
    [(1e-3, 1000, 128), (1e-3, 100, 100), (10.0, 100, 1), (0.1, 100, 2), (1e-9, 7, 7)],
)
def test_a_chunk_takes_a_quarter_of_a_second(seconds, steps, chunk):
    assert chunk_of(seconds, steps) == chunk


def test_the_summary_says_how_it_trains(capsys):
    lines = []
    model = MODELS["mlp"](fast=False)
    model.summary(print_fn=lines.append)
    assert "batch by batch, since `fast` is False" in lines[-1]
    model = MODELS["mlp"]()
    model.summary()
    assert "many batches in a graph" in capsys.readouterr().out
    model.fit(X, Y, verbose=0)
    model.summary()
    assert "3 batches in a graph, since the rows are in memory" in capsys.readouterr().out
