import random

import keras
import numpy as np
import pytest
import tensorflow as tf

import kerasrecipes as kr
from kerasrecipes import finders
from kerasrecipes._checks import InputError
from tests.harness import representative
from tests.replicas import run_on_replicas

RNG = np.random.default_rng(0)
X = RNG.normal(size=(90, 6)).astype("float32")
Y = (X[:, 0] + 0.5 * X[:, 1] ** 2 > 0.3).astype("int64")
SHORT = {"steps": 24, "start": 1e-4}


def everything(model):
    """Every variable there is, bit for bit."""
    variables = [*model.variables, *model.optimizer.variables]
    return [np.asarray(keras.ops.convert_to_numpy(each)) for each in variables]


def assert_same(first, second):
    assert len(first) == len(second)
    for a, b in zip(first, second, strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)


def network(optimizer="sgd", **compiled):
    """BatchNormalization, dropout with a seed generator, and unseeded noise of Keras's own."""
    keras.utils.set_random_seed(3)
    model = keras.Sequential(
        [
            keras.Input((6,)),
            keras.layers.Dense(8),
            keras.layers.BatchNormalization(),
            keras.layers.Activation("relu"),
            keras.layers.Dropout(0.2),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )
    loss = "sparse_categorical_crossentropy"
    model.compile(optimizer, loss, metrics=["accuracy"], **compiled)
    return model


def recipe(**arguments):
    keras.utils.set_random_seed(3)
    target = kr.targets.Multiclass(2)
    return kr.recipes.mlp((6,), target, hidden=(8,), seed=1, **arguments)


def data():
    return kr.data.batches(X, Y, batch_size=16, seed=2)


def fitted(make, make_data, *, find, epochs=2, **options):
    """What a fit leaves behind, after a test or without one."""
    model, rows = make(), make_data()
    if find:
        finders.learning_rate(model, rows, **SHORT, **options)
    arguments = dict(zip("xy", rows, strict=False)) if isinstance(rows, tuple) else {"x": rows}
    history = model.fit(**arguments, epochs=epochs, verbose=0, shuffle=isinstance(rows, tuple))
    return everything(model), history.history, random.random(), np.random.rand()


def check_no_trace(make, make_data=data, **options):
    plain = fitted(make, make_data, find=False)
    found = fitted(make, make_data, find=True, **options)
    assert_same(found[0], plain[0])
    assert found[1:] == plain[1:]


OPTIMIZERS = {
    "keras sgd": lambda: keras.optimizers.SGD(0.01, momentum=0.9),
    "keras adam": lambda: keras.optimizers.Adam(0.01),
    "keras adam, ema": lambda: keras.optimizers.Adam(0.01, use_ema=True),
    "keras, accumulation": lambda: keras.optimizers.Adam(0.01, gradient_accumulation_steps=2),
    "keras, schedule": lambda: keras.optimizers.SGD(
        keras.optimizers.schedules.CosineDecay(0.1, 20, warmup_target=0.2, warmup_steps=3)
    ),
    "keras, our schedule": lambda: keras.optimizers.SGD(kr.schedules.Cosine(0.1, total=9)),
    "keras adafactor": lambda: keras.optimizers.Adafactor(0.01),
    "keras schedule-free": lambda: keras.optimizers.ScheduleFreeAdamW(0.01, warmup_steps=5),
    "keras, function": lambda: keras.optimizers.SGD(lambda: 0.02),
    "sgd": lambda: kr.optimizers.SGD(0.01, momentum=0.9, global_clipnorm="auto"),
    "adamw, one cycle": lambda: kr.optimizers.AdamW(
        kr.schedules.OneCycle(0.01), decay_schedule="cosine", weight_decay=0.1
    ),
    "adam, accumulation": lambda: kr.optimizers.Adam(0.01, gradient_accumulation_steps=3),
    "adam, tracked": lambda: kr.optimizers.Adam(0.01, track_updates=True, adaptive_clip=0.1),
    "lion": lambda: kr.optimizers.Lion(0.001),
    "muon": lambda: kr.optimizers.Muon(0.01),
    "schedule-free": lambda: kr.optimizers.ScheduleFreeAdamW(0.01, warmup_steps=5),
    "lookahead": lambda: kr.optimizers.Lookahead(kr.optimizers.AdamW(kr.schedules.Cosine(0.01))),
    "sam": lambda: kr.optimizers.SAM("sgd"),
    "loss scale": lambda: kr.optimizers.LossScaleOptimizer(kr.optimizers.Adam(0.01)),
    "keras loss scale": lambda: keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(0.01)),
}
USUAL = "keras adam", "adamw, one cycle"


@pytest.mark.parametrize("name", representative(OPTIMIZERS, *USUAL))
def test_a_fit_afterwards_is_the_fit_without(name):
    if name.startswith("keras"):
        check_no_trace(lambda: with_built_optimizer(network(OPTIMIZERS[name]())))
    else:
        check_no_trace(lambda: recipe(optimizer=OPTIMIZERS[name]()))


def with_built_optimizer(model):
    """A test builds it; Keras's schedule-free one is another where the first update does."""
    model.optimizer.build(model.trainable_variables)
    return model


class Rates(keras.callbacks.Callback):
    """The same test as people write it, batch by batch on the host."""

    def __init__(self, rates):
        super().__init__()
        self.rates, self.losses = rates, []

    def on_train_batch_begin(self, batch, logs=None):
        self.model.optimizer.learning_rate = float(self.rates[len(self.losses)])
        self.model.reset_metrics()

    def on_train_batch_end(self, batch, logs=None):
        self.losses.append(logs["loss"])
        if len(self.losses) == len(self.rates):
            self.model.stop_training = True


@pytest.mark.parametrize("name", representative(["adam", "sgd"], "adam"))
def test_the_losses_are_those_of_a_callback_for_each_batch(name):
    model, rows = network(name), kr.data.batches(X, Y, batch_size=16, seed=2)
    result = finders.learning_rate(model, rows, **SHORT, stop_when_diverged=False)
    callback = Rates(result.rates.astype("float32"))
    model.fit(rows, epochs=9, verbose=0, shuffle=False, callbacks=[callback])
    np.testing.assert_allclose(result.losses, callback.losses, rtol=1e-5)
    assert len(set(result.losses)) > 20


@pytest.mark.slow
def test_an_update_of_accumulated_batches_counts_once():
    model = network(keras.optimizers.SGD(0.1, gradient_accumulation_steps=3))
    rows = kr.data.batches(X, Y, batch_size=15, shuffle=False)
    result = finders.learning_rate(model, rows, start=1e-7, stop=1e-6, steps=10)
    single = network(keras.optimizers.SGD(0.0))
    dropped = Rates(np.zeros(30))
    single.fit(rows, epochs=9, verbose=0, shuffle=False, callbacks=[dropped])
    np.testing.assert_allclose(
        result.losses, np.reshape(dropped.losses, (10, 3)).mean(1), rtol=1e-3
    )


def of_tf_data():
    rows = tf.data.Dataset.from_tensor_slices((X, Y))
    return rows.shuffle(90, seed=5).batch(16).prefetch(2)


def of_unknown_length():
    rows = tf.data.Dataset.from_tensor_slices((X, Y)).filter(lambda x, y: True)
    return rows.shuffle(90, seed=5).batch(16, drop_remainder=True)


def of_arrays():
    return X, Y


@pytest.mark.filterwarnings("ignore:Your input ran out of data")
@pytest.mark.parametrize(
    "make_data", representative([of_tf_data, of_unknown_length, of_arrays], of_tf_data)
)
def test_data_of_every_kind_goes_on_where_it_was(make_data):
    check_no_trace(lambda: network("adam"), make_data)


def test_data_without_end():
    rows = tf.data.Dataset.from_tensor_slices((X, Y)).shuffle(90, seed=5).repeat().batch(16)
    result = finders.learning_rate(network(), rows, **SHORT, stop=1e-3)
    assert len(result.losses) == 24


class Sequence(keras.utils.PyDataset):
    def __len__(self):
        return 4

    def __getitem__(self, index):
        part = slice(20 * index, 20 * index + 20)
        return X[part], Y[part]


@pytest.mark.slow
def test_a_pydataset_and_weights_are_taken_too():
    found = finders.learning_rate(network(), Sequence(), **SHORT, stop=1e-3)
    assert len(found.losses) == 24
    weighted = finders.learning_rate(
        network(), (X, Y, np.full(90, 2.0)), batch_size=30, **SHORT, stop=1e-3
    )
    assert weighted.losses.mean() > 1.5 * found.losses.mean()
    by_class = {"class_weight": {0: 2.0, 1: 2.0}}
    again = finders.learning_rate(network(), (X, Y), batch_size=30, **by_class, **SHORT, stop=1e-3)
    assert again.losses.mean() > 1.5 * found.losses.mean()


def test_the_data_stay_in_the_epoch_that_they_were_in():
    rows, model = data(), recipe()
    rows.epoch = 7
    finders.learning_rate(model, rows, **SHORT)
    assert rows.epoch == 7


class Noise(keras.layers.Layer):
    """Draws from Keras's global generator, and counts in a variable that Keras does not know."""

    def build(self, shape):
        self.hidden = [lambda: None]
        self.hidden[0] = tf.Variable(0, trainable=False)

    def call(self, x, training=None):
        self.hidden[0].assign_add(1)
        return x + 0.1 * keras.random.normal(keras.ops.shape(x))


def unseeded():
    keras.utils.set_random_seed(3)
    model = keras.Sequential([keras.Input((6,)), Noise(), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    keras.random.normal((1,))
    return model


def test_random_numbers_without_a_seed_and_hidden_variables_go_on_too():
    check_no_trace(unseeded)
    model = unseeded()
    finders.learning_rate(model, data(), **SHORT)
    assert int(model.layers[0].hidden[0]) == 0


def stateful():
    keras.utils.set_random_seed(3)
    inputs = keras.Input((3, 2), batch_size=15)
    outputs = keras.layers.Dense(1)(keras.layers.GRU(4, stateful=True)(inputs))
    model = keras.Model(inputs, outputs)
    model.compile("adam", "mse")
    return model


@pytest.mark.slow
def test_states_of_recurrent_layers_are_brought_back():
    rows = tf.data.Dataset.from_tensors((X[:15].reshape(15, 3, 2), Y[:15])).repeat(4)
    check_no_trace(stateful, lambda: rows)


@pytest.mark.slow
def test_a_model_without_weights_yet_gets_those_of_its_first_fit():
    def make():
        keras.utils.set_random_seed(3)
        model = keras.Sequential([keras.layers.Dense(4, "relu"), keras.layers.Dense(1)])
        model.compile("adam", "mse")
        return model

    check_no_trace(make)


def test_a_trained_model_goes_on_as_if_nothing_had_been():
    model, rows = recipe(schedule="cosine"), data()
    model.fit(rows, epochs=1, verbose=0)
    function, history, before = model.train_function, model.history, everything(model)
    finders.learning_rate(model, rows, **SHORT)
    assert_same(everything(model), before)
    assert (model.train_function, model.history) == (function, history)
    assert type(model.optimizer) is kr.optimizers.AdamW
    assert isinstance(model.optimizer.schedule, kr.schedules.Cosine)
    assert "learning_rate" not in vars(model.optimizer)


class Interrupted(keras.layers.Layer):
    """Fails at the 15th batch."""

    def build(self, shape):
        self.calls = self.add_weight(shape=(), dtype="int32", initializer="zeros", trainable=False)

    def call(self, x):
        self.calls.assign_add(1)
        check = tf.debugging.assert_less(self.calls.value, 15)
        with tf.control_dependencies([check]):
            return tf.identity(x)


def test_a_test_that_fails_leaves_no_trace_either():
    model = keras.Sequential([keras.Input((6,)), Interrupted(), keras.layers.Dense(1)])
    model.compile(kr.optimizers.Adam(kr.schedules.Cosine(0.1)), "mse")
    model.optimizer.build(model.trainable_variables)
    before, rows = everything(model), data()
    with pytest.raises(tf.errors.InvalidArgumentError):
        finders.learning_rate(model, rows, **SHORT)
    assert_same(everything(model), before)
    assert type(model.optimizer) is kr.optimizers.Adam
    assert model.optimizer.schedule is not None
    assert rows.epoch == 0
    assert model.train_function is None


class Counted(keras.Model):
    """Counts how often Python runs the training step."""

    python_steps = 0

    def train_step(self, data):
        Counted.python_steps += 1
        return super().train_step(data)


@pytest.mark.parametrize("eager", [False, True])
def test_python_runs_the_step_only_to_trace_it(eager):
    inputs = keras.Input((6,))
    model = Counted(inputs, keras.layers.Dense(1)(inputs))
    model.compile("sgd", "mse", run_eagerly=eager)
    Counted.python_steps = 0
    result = finders.learning_rate(model, data(), **SHORT, stop=1e-3)
    assert len(result.losses) == 24
    assert Counted.python_steps == 24 if eager else Counted.python_steps <= 2


def test_a_negative_loss_is_followed_to_its_divergence():
    """fastai#962: their test ends at once when the loss is negative."""

    def loss(y, p):
        return keras.ops.mean(keras.ops.square(y - p), axis=-1) - 50.0

    negative = finders.learning_rate(*linear(loss))
    positive = finders.learning_rate(*linear("mse"))
    assert negative.losses.max() > 0 > negative.losses[0]
    assert set(negative.suggestions) == set(positive.suggestions)
    assert len(negative.losses) == len(positive.losses)
    for name, rate in positive.suggestions.items():
        assert negative.suggestions[name] == pytest.approx(rate, rel=1e-3)


def linear(loss="mse"):
    """A linear network, and batches without end of what it can learn wholly."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(1)])
    model.compile("sgd", loss)
    rows = tf.data.Dataset.from_tensor_slices((X, X.sum(1, keepdims=True)))
    return model, rows.repeat().batch(32)


def test_it_says_why_it_ended():
    model, rows = linear()
    diverged = finders.learning_rate(model, rows)
    assert diverged.ended == f"the loss diverged at a rate of {diverged.diverged:.2g}"
    assert len(diverged.rates) == len(diverged.losses) < 100
    assert diverged.suggestions["half_of_divergence"] == diverged.diverged / 2
    on = finders.learning_rate(model, rows, stop=1e20, stop_when_diverged=False)
    assert on.ended.startswith("the loss or a weight was not finite after a rate of")
    assert np.isfinite(on.losses).all()
    short = finders.learning_rate(model, rows, stop=1e-4)
    assert short.ended == "the last rate was reached"
    assert len(short.rates) == 100
    assert short.diverged is None
    assert any("Raise `stop`" in each for each in short.warnings)
    soon = finders.learning_rate(model, rows, start=0.6)
    assert any("Lower `start`" in each for each in soon.warnings)


@pytest.mark.slow
def test_the_suggestion_of_a_quadratic_is_where_theory_says():
    """Full-batch gradient descent on a quadratic diverges above 2 / the largest eigenvalue."""
    x = (X / np.linalg.norm(X, 2) * np.sqrt(len(X))).astype("float32")  # largest eigenvalue 2
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(1, use_bias=False)])
    model.compile("sgd", "mse")
    rows = tf.data.Dataset.from_tensors((x, x.sum(1, keepdims=True))).repeat()
    result = finders.learning_rate(model, rows, steps=400, smoothing=0.5)
    assert 1.0 <= result.diverged < 3.0  # from almost nothing, it takes a while to climb
    assert result.suggestions["half_of_divergence"] == result.diverged / 2
    assert 0.001 < result.rate < 1.0


def test_it_shows_what_it_found():
    result = finders.learning_rate(*linear())
    text = str(result)
    for name, rate in result.suggestions.items():
        assert f"{name:<18}  {rate:.2g}" in text
    assert text.count("<- rate") == 1
    axes = result.plot().axes[0]
    labels = axes.get_legend_handles_labels()[1]
    assert {"batch", "smoothed"} < set(labels)
    assert len(labels) == 2 + len(result.suggestions)


@pytest.mark.slow
def test_a_layer_on_a_schedule_stays_at_its_beginning():
    def make():
        keras.utils.set_random_seed(3)
        inputs = keras.Input((6,))
        dropped = kr.layers.ScheduledDropout(0.5, schedule="cosine", seed=1)(inputs)
        outputs = keras.layers.Dense(2, activation="softmax")(dropped)
        model = kr.recipes.RecipeModel(inputs, outputs)
        model.compile(kr.optimizers.AdamW(0.01), "sparse_categorical_crossentropy")
        return model

    check_no_trace(make)
    model = make()
    finders.learning_rate(model, data(), **SHORT)
    with pytest.raises(InputError, match="length"):
        model.layers[1].current_rate()


def recipes():
    table = {"size": X[:, 0].astype("float64"), "kind": np.array(["a", "b", "c"] * 30, object)}
    forms = {
        "mlp": lambda: recipe(residual=True, normalization="layer"),
        "digits": lambda: recipe(optimizer={"name": "sgd", "momentum": 0.9}, schedule="one_cycle"),
    }
    import pandas as pd

    frame = pd.DataFrame(table)

    def tabular(form):
        keras.utils.set_random_seed(3)
        return kr.recipes.tabular(frame, kr.targets.Binary(), form=form, seed=0)

    cases = {name: (make, data) for name, make in forms.items()}
    for form in ("mlp", "realmlp", "tabm"):
        rows = kr.data.batches(frame, Y, batch_size=30, seed=0)
        cases[f"tabular, {form}"] = (lambda form=form: tabular(form)), (lambda rows=rows: rows)
    return cases


@pytest.mark.parametrize("name", representative(list(recipes())))
def test_every_recipe(name):
    make, rows = recipes()[name]
    found = finders.learning_rate(make(), rows(), steps=40)
    assert np.isfinite(found.losses).all()

    def fresh():
        made = rows()
        made.epoch = 0
        return made

    check_no_trace(make, fresh)


WRONG = {
    "no model": (lambda: 3, (X, Y), {}, "`model` must be a compiled Keras model"),
    "not compiled": (
        lambda: keras.Sequential([keras.Input((2,))]),
        (X, Y),
        {},
        "`model` must be compiled",
    ),
    "an iterator": (network, iter([(X, Y)]), {}, "`data` must be data whose position"),
    "an array": (network, X, {}, r"`data` must be \(x, y\) or a dataset"),
    "too many parts": (network, (X, Y, Y, Y), {}, "4 part"),
    "a batch size of batches": (network, of_tf_data(), {"batch_size": 3}, "`batch_size` must be"),
    "no batch size": (network, (X, Y), {"batch_size": 0}, "`batch_size` must be an integer >= 1"),
    "start": (network, (X, Y), {"start": 0.0}, "`start` must be a number > 0"),
    "stop": (network, (X, Y), {"stop": 1e-7}, "`stop` must be a number > 1e-06"),
    "steps": (network, (X, Y), {"steps": 9}, "`steps` must be an integer >= 10"),
    "smoothing": (network, (X, Y), {"smoothing": 1.0}, r"`smoothing` must be a number in \[0, 1\)"),
    "not a number": (network, (X * np.nan, Y), {}, "`data` must be finite, or rows that"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_said(case):
    make, rows, options, message = WRONG[case]
    with pytest.raises(InputError, match=message):
        finders.learning_rate(make(), rows, **options)


def relu_network(weight=0.1):
    """On a CPU ReLU(NaN) is 0, so that NaN in rows and weights can leave the loss finite."""
    layers = [keras.Input((6,)), keras.layers.Dense(8, "relu"), keras.layers.Dense(1, "sigmoid")]
    model = keras.Sequential(layers)
    model.layers[0].kernel.assign(keras.ops.full((6, 8), weight))
    model.compile("sgd", "binary_crossentropy")
    return model


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("row", [0, 70])
def test_a_row_that_is_not_finite_is_told_from_a_divergence(value, row):
    x = X.copy()
    x[row, 2] = value
    rows = tf.data.Dataset.from_tensor_slices((x, Y.astype("float32"))).batch(16)
    model = relu_network()
    before = everything(model)
    with pytest.raises(InputError, match=f"in the batch of update {row // 16 + 1}, after which"):
        finders.learning_rate(model, rows, **SHORT)
    assert_same(everything(model), before)
    y = np.where(np.arange(90) == row, np.nan, Y)
    with pytest.raises(InputError, match="`data` must be finite"):
        finders.learning_rate(model, (X, y), **SHORT)


def test_weights_that_are_not_finite_are_told():
    with pytest.raises(InputError, match="`model` must be one with finite weights"):
        finders.learning_rate(relu_network(np.nan), (X, Y), **SHORT)


def test_a_gradient_that_is_not_finite_is_told_though_the_loss_is():
    def root_of_nothing(y_true, y_pred):
        return keras.ops.mean((y_true - y_pred) ** 2) + keras.ops.sqrt(y_pred[0, 0] * 0.0)

    def infinite(y_true, y_pred):
        return keras.ops.mean(y_pred) + np.inf

    for loss, said in ((root_of_nothing, "a weight after one update"), (infinite, "the loss")):
        model = relu_network()
        model.compile("sgd", loss)
        with pytest.raises(InputError, match=f"finite gradients. Received: NaN or .* in {said}"):
            finders.learning_rate(model, (X, Y.reshape(-1, 1)), **SHORT)


@pytest.mark.slow
def test_gaps_that_the_model_takes_are_none_of_its_business():
    x = X.copy()
    x[::3, 2] = np.nan
    target = kr.targets.Multiclass(2)
    model = kr.recipes.tabular(x, target, form="mlp", hidden=(8,), seed=0)
    found = finders.learning_rate(model, (x, Y), **SHORT, stop=1e20, stop_when_diverged=False)
    assert len(found.losses) > 10


@pytest.mark.multi_device
def test_two_replicas_test_like_one_and_leave_no_trace():
    code = """
    def run(find):
        keras.utils.set_random_seed(0)
        rng = np.random.default_rng(0)
        x = rng.normal(size=(64, 6)).astype("float32")
        y = (x[:, 0] > 0).astype("int64")
        model = kr.recipes.mlp((6,), kr.targets.Multiclass(2), hidden=(8,), seed=1, dropout=DROP,
            schedule="cosine", strategy=strategy)
        rows = kr.data.batches(x, y, batch_size=16, seed=2)
        found = kr.finders.learning_rate(model, rows, steps=24) if find else None
        history = model.fit(rows, epochs=2, verbose=0).history["loss"]
        weights = [np.asarray(w).ravel().tolist() for w in model.get_weights()]
        return (found.losses.tolist() if find else None), history, sum(weights, [])
    """
    code = (
        code
        + """
    with_, without = run(True), run(False)
    report(losses=with_[0], same=with_[1:] == without[1:], weights=with_[2])
    """
    )
    dropped = run_on_replicas(code.replace("DROP", "0.5"), replicas=2)
    assert dropped["same"]
    two = run_on_replicas(code.replace("DROP", "0.0"), replicas=2)
    one = run_on_replicas(code.replace("DROP", "0.0"), replicas=1)
    assert two["same"]
    assert one["same"]
    np.testing.assert_allclose(two["losses"], one["losses"], rtol=2e-4)
