"""Calls of a model within other calls, from several threads, and with what only Keras takes."""

import threading

import keras
import numpy as np
import pytest

import kerasrecipes as kr

RNG = np.random.default_rng(0)
X = RNG.normal(size=(75, 6)).astype("float32")
Y = RNG.integers(0, 3, 75)


def model(**given):
    return kr.recipes.mlp((6,), kr.targets.Multiclass(3), hidden=(8,), seed=1, **given)


def functional(outputs, inputs, loss="mse", *, fast="auto", **given):
    made = kr.recipes.RecipeModel(inputs, outputs)
    made.compile("sgd", loss, **given)
    made.fast = fast
    return made


def test_a_prediction_within_a_prediction():
    class Asks(keras.callbacks.Callback):
        def on_predict_begin(self, logs=None):
            self.inner = self.model.predict(X[:3], verbose=0)

    asks, ours = Asks(), model()
    outer = ours.predict(X, verbose=0, callbacks=[asks])
    assert (len(outer), len(asks.inner)) == (75, 3)
    np.testing.assert_allclose(asks.inner, outer[:3], rtol=1e-5)


def test_threads_get_their_own_predictions():
    ours, wrong = model(), []
    expected = ours.predict(X, verbose=0)

    def ask(size):
        for _ in range(10):
            found = ours.predict(X[:size], verbose=0)
            if found.shape != (size, 3) or not np.allclose(found, expected[:size], rtol=1e-4):
                wrong.append(size)

    threads = [threading.Thread(target=ask, args=(size,)) for size in (5, 20, 40, 75)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert wrong == []


def losses(within, **given):
    """What a fit sees that does something at the end of its epochs."""
    seen = []
    callback = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: seen.append(within(made))
    )
    found = []
    for fast in ("auto", False):
        keras.utils.set_random_seed(3)
        made = model(fast=fast)
        data = {"x": X, "y": Y, "shuffle": False, "epochs": 2, "verbose": 0}
        history = made.fit(**data, callbacks=[callback], **given)
        found.append((history.history, [np.array(each).tolist() for each in seen]))
        seen.clear()
    return found


WITHIN = {
    "test_on_batch": lambda made: made.test_on_batch(X[:5], Y[:5]),
    "train_on_batch": lambda made: made.train_on_batch(X[:5], Y[:5]),
    "predict_on_batch": lambda made: made.predict_on_batch(X[:5]),
    "fit": lambda made: made.fit(X[:40], Y[:40], verbose=0, shuffle=False).history["loss"],
}


@pytest.mark.parametrize("name", WITHIN)
def test_a_callback_can_do_it_within_a_fit(name):
    given = {} if name == "fit" else {"validation_data": (X, Y)}
    (history, seen), (plain_history, plain_seen) = losses(WITHIN[name], **given)
    for metric, values in plain_history.items():
        assert history[metric] == pytest.approx(values, rel=1e-5), metric
    np.testing.assert_allclose(seen, plain_seen, rtol=1e-4)


def test_a_callback_can_compile_within_a_fit():
    class Freezes(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                self.model.layers[1].trainable = False
                self.model.compile(keras.optimizers.SGD(0.1), self.model.loss)
                self.model.make_train_function()

    ours = model()
    ours.fit(X, Y, epochs=2, verbose=0, callbacks=[Freezes()], validation_data=(X, Y))
    assert ours.execution.in_graph
    assert ours.steps_per_execution == 1


@pytest.mark.parametrize("name", ["train", "test", "predict"])
def test_a_function_that_is_taken_away_is_traced_anew(name):
    inputs = keras.Input((6,))
    dense = keras.layers.Dense(3, activation="relu")
    ours = functional(dense(inputs), inputs)
    y = np.ones((75, 3), "float32")
    call = {
        "train": lambda: ours.fit(X, y, verbose=0).history["loss"][0],
        "test": lambda: ours.evaluate(X, y, verbose=0),
        "predict": lambda: ours.predict(X, verbose=0).min(),
    }[name]
    ours.optimizer.learning_rate = 0.0
    before = call()
    dense.activation = keras.activations.linear
    setattr(ours, f"{name}_function", None)
    assert abs(call() - before) > 0.01


def test_f10_keras_takes_a_column_for_a_bias():
    rows, column = np.zeros((3, 3), "float32"), np.array([[1], [2], [3]], "float32")
    found = keras.ops.convert_to_numpy(keras.ops.add(keras.ops.convert_to_tensor(rows), column))
    np.testing.assert_array_equal(found, (rows + column).T)


def test_f10_columns_are_added_as_columns_in_batches_of_any_size():
    """Keras takes a column for a bias where the batch is as large as the layer."""

    def trained(fast):
        keras.utils.set_random_seed(1)
        inputs = keras.Input((6,))
        parts = [keras.layers.Dense(32)(inputs), keras.layers.Dense(1)(inputs)]
        outputs = keras.layers.Dense(1)(keras.layers.Add()(parts))
        ours = functional(outputs, inputs, fast=fast)
        return ours.fit(X, Y, batch_size=32, epochs=3, shuffle=False, verbose=0).history["loss"]

    assert trained("auto") == pytest.approx(trained(False), rel=1e-5)


def test_losses_of_several_outputs_with_a_smaller_batch():
    def trained(fast):
        keras.utils.set_random_seed(1)
        inputs = keras.Input((6,))
        outputs = {name: keras.layers.Dense(1, name=name)(inputs) for name in "ab"}
        ours = functional(outputs, inputs, {"a": "mse", "b": "mae"}, fast=fast)
        y = {"a": Y.astype("float32"), "b": Y.astype("float32")}
        return ours.fit(X, y, batch_size=32, epochs=2, shuffle=False, verbose=0).history

    found, plain = trained("auto"), trained(False)
    for name, values in plain.items():
        assert found[name] == pytest.approx(values, rel=1e-5), name


def test_validation_data_come_before_a_split():
    def trained(fast):
        data = {"validation_data": (X[:20], Y[:20]), "validation_split": 0.4}
        return model(fast=fast).fit(X, Y, shuffle=False, verbose=0, **data).history

    found, plain = trained("auto"), trained(False)
    assert {k: pytest.approx(v, rel=1e-5) for k, v in plain.items()} == found


def test_what_keras_refuses_is_refused():
    data = kr.data.batches(X, Y)
    with pytest.raises(ValueError, match="`y` should not be passed"):
        model().fit(data, Y, verbose=0)
    with pytest.raises(ValueError, match="not sufficient|validation_split"):
        model().fit(X[:1], Y[:1], validation_split=0.5, verbose=0)


def total(y_true, y_pred):
    return keras.ops.sum(keras.ops.square(keras.ops.max(y_pred, axis=-1)))


@pytest.mark.parametrize("by", ["loss", "metric"])
def test_what_depends_on_the_batch_is_evaluated_in_those_of_keras(by):
    found = []
    for fast in ("auto", False):
        ours = model(fast=fast)
        loss = ours.target.loss()
        loss.reduction = "sum" if by == "loss" else loss.reduction
        ours.compile("sgd", loss, metrics=[total] if by == "metric" else [])
        found.append(ours.evaluate(X, Y, verbose=0, return_dict=True))
    assert found[0] == pytest.approx(found[1], rel=1e-5)


def test_a_shuffle_of_batches_and_a_kind_of_history_are_left_to_keras():
    class Counts(keras.callbacks.History):
        batches = 0

        def on_train_batch_end(self, batch, logs=None):
            self.batches += 1

    ours, counts = model(), Counts()
    ours.fit(X, Y, verbose=0, shuffle="batch")
    assert ours.execution.reason == "`shuffle` is 'batch'"
    ours.fit(X, Y, verbose=0, callbacks=[counts])
    assert counts.batches == 3


def test_outputs_whose_width_depends_on_the_rows():
    inputs = keras.Input((None, 2))
    ours = functional(keras.layers.Lambda(lambda x: x * 2)(inputs), inputs)
    x = RNG.normal(size=(5, 4, 2)).astype("float32")
    np.testing.assert_allclose(ours.predict(x, verbose=0), 2 * x)
