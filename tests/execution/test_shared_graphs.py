import functools
import gc
import types
import weakref

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from keras import ops

import kerasrecipes as kr
from kerasrecipes.execution.graphs import SHARED, Graphs
from kerasrecipes.execution.likeness import Likeness
from kerasrecipes.execution.shared_graphs import SharedGraphs
from tests.execution.test_executor import CLASSES, MODELS, X, Y, everything, inputs_of

FRAME = pd.DataFrame({"size": X[:, 0], "place": np.where(X[:, 1] > 0, "here", "there")})
TARGET = kr.targets.Multiclass(3)


def tabular(form):
    return lambda **given: kr.recipes.tabular(FRAME, TARGET, form=form, **given)


EVERY = {
    **MODELS,
    "resnet": lambda **given: kr.recipes.resnet(
        (8, 8, 1), TARGET, filters=(4, 4), blocks=1, augmentation=None, **given
    ),
    **{form: tabular(form) for form in ("realmlp", "tabm")},
}
FRAMES = "realmlp", "tabm"


@pytest.fixture(autouse=True)
def _no_graphs_of_others():
    SHARED.clear()
    yield
    SHARED.clear()


@pytest.fixture
def traces(monkeypatch):
    """The functions that were traced."""
    found, trace = [], Graphs._trace

    def counted(self, rows):
        found.append(self._function.__name__)
        return trace(self, rows)

    monkeypatch.setattr(Graphs, "_trace", counted)
    return found


def fitted(name, seed):
    """All variables after a fit, and predictions."""
    keras.utils.set_random_seed(seed)
    model = EVERY[name](seed=seed)
    if name in FRAMES:
        x, data = FRAME, kr.data.batches(FRAME, CLASSES, seed=seed)
    else:
        x = np.resize(inputs_of(name), (len(CLASSES), *model.input_shape[1:]))
        data = kr.data.batches(x, CLASSES, seed=seed)
    model.fit(data, epochs=2, verbose=0, validation_data=(x[:40], CLASSES[:40]))
    return [*everything(model), model.predict(x, verbose=0)]


@pytest.mark.slow
@pytest.mark.parametrize("name", EVERY)
def test_a_second_model_is_not_traced_and_learns_as_if_it_were(name, traces):
    fitted(name, seed=1)
    first = len(traces)
    in_a_graph_of_another = fitted(name, seed=2)
    assert first
    assert len(traces) == first
    SHARED.clear()
    in_its_own = fitted(name, seed=2)
    assert len(traces) == 2 * first
    for one, other in zip(in_a_graph_of_another, in_its_own, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_first_model_keeps_its_variables(traces):
    first, second = (MODELS["mlp"](seed=seed) for seed in (1, 2))
    first.fit(X, Y, verbose=0)
    before = everything(first)
    second.fit(X, Y, verbose=0)
    for one, other in zip(before, everything(first), strict=True):
        np.testing.assert_array_equal(one, other)
    first.fit(X, Y, verbose=0)
    assert first.optimizer.iterations == 2 * second.optimizer.iterations


def mlp(**given):
    return kr.recipes.mlp((6,), TARGET, **{"hidden": (8,), "seed": 0, **given})


def compiled(**given):
    model = mlp()
    model.compile(**{"optimizer": "adam", "loss": TARGET.loss(), **given})
    return model


def with_dense(change):
    model = mlp()
    change(model.layers[1])
    return model


def with_optimizer(change):
    model = mlp()
    change(model.optimizer)
    return model


def patched():
    model = mlp()
    call = model.layers[1].call
    model.layers[1].call = lambda *args, **kwargs: call(*args, **kwargs)
    return model


class Mine(keras.layers.Layer):
    def call(self, x):
        return x


def with_layer_of_my_own():
    inputs = keras.Input((6,))
    model = kr.recipes.RecipeModel(inputs, keras.layers.Dense(3)(Mine()(inputs)))
    model.compile("sgd", "mse")
    return model


def in_precision(name):
    keras.config.set_dtype_policy(name)
    try:
        return mlp()
    finally:
        keras.config.set_dtype_policy("float32")


def excluded():
    """With an optimizer of Keras, which keeps what is excluded out of its config."""
    optimizer = keras.optimizers.AdamW(weight_decay=0.01)
    optimizer.exclude_from_weight_decay(var_names=["gamma"])
    return compiled(optimizer=optimizer)


def not_excluded():
    return compiled(optimizer=keras.optimizers.AdamW(weight_decay=0.01))


OTHERS = {
    "units": lambda: mlp(hidden=(9,)),
    "depth": lambda: mlp(hidden=(8, 8)),
    "dropout": lambda: mlp(dropout=0.11),
    "activation": lambda: mlp(activation="elu"),
    "normalization": lambda: mlp(normalization=None),
    "decay": lambda: mlp(weight_decay=0.3),
    "clipping": lambda: mlp(optimizer=kr.optimizers.Adam(global_clipnorm=0.5)),
    "beta": lambda: mlp(optimizer=keras.optimizers.Adam(beta_1=0.8)),
    "precision": lambda: in_precision("mixed_bfloat16"),
    "target": lambda: kr.recipes.mlp((6,), kr.targets.Multilabel(3), hidden=(8,)),
    "loss": lambda: compiled(loss="mse"),
    "metric": lambda: compiled(metrics=["accuracy"]),
    "weights of losses": lambda: compiled(loss_weights=[0.5]),
    "optimizer": lambda: compiled(optimizer="sgd"),
    "frozen layer": lambda: with_dense(lambda layer: setattr(layer, "trainable", False)),
    "frozen within": lambda: with_dense(lambda layer: setattr(layer.linear, "trainable", False)),
    "regularizer": lambda: with_dense(
        lambda layer: setattr(layer.linear, "kernel_regularizer", keras.regularizers.L2(0.1))
    ),
    "rate set later": lambda: with_dense(lambda layer: setattr(layer.drop, "rate", 0.9)),
    "decay set later": lambda: with_optimizer(lambda own: setattr(own, "weight_decay", 0.9)),
    "excluded from decay": lambda: mlp(
        optimizer=kr.optimizers.AdamW(exclude_from_decay=("kernel",))
    ),
    "updates watched": lambda: with_optimizer(lambda own: setattr(own, "track_updates", True)),
}


@pytest.mark.parametrize("name", OTHERS)
def test_what_changes_a_step_changes_the_key(name):
    usual, same, other = Likeness(mlp()), Likeness(mlp(seed=5)), Likeness(OTHERS[name]())
    assert usual.key == same.key
    assert usual.key is not None
    assert other.key != usual.key


def functional(make_outputs, *, metrics=None, names=("a",), **given):
    inputs = [keras.Input((6,), name=name) for name in names]
    keras.utils.set_random_seed(0)
    made = make_outputs(*inputs)
    head = keras.layers.Dense(3, "softmax", name="head")
    model = kr.recipes.RecipeModel(inputs if len(inputs) > 1 else inputs[0], head(made))
    given = {"optimizer": "sgd", "loss": "sparse_categorical_crossentropy", **given}
    model.compile(metrics=metrics, **given)
    return model


def dense(**given):
    return keras.layers.Dense(4, name="dense", **given)


def nested(function):
    inside = keras.Input((6,))
    return keras.Model(inside, keras.layers.ReLU(name="end")(function(inside)), name="nested")


def with_kernel(**attributes):
    model = functional(dense())
    for name, value in attributes.items():
        setattr(model.layers[1].kernel, name, value)
    return model


def measured(name):
    return functional(dense(), metrics=[keras.metrics.SparseCategoricalAccuracy(name=name)])


def of_two(*names):
    def outputs(one, other):
        parts = [keras.layers.Dense(4, name="one")(one), keras.layers.Dense(5, name="other")(other)]
        return keras.layers.Concatenate()(parts)

    return functional(outputs, names=names)


PAIRS = {
    "operation": [lambda: functional(ops.sin), lambda: functional(ops.cos)],
    "sum or product": [
        lambda: functional(lambda x: x * 2.0),
        lambda: functional(lambda x: x + 2.0),
    ],
    "axis": [
        lambda: functional(
            lambda x: ops.reshape(ops.softmax(ops.reshape(x, (-1, 2, 3)), 1), (-1, 6))
        ),
        lambda: functional(
            lambda x: ops.reshape(ops.softmax(ops.reshape(x, (-1, 2, 3)), 2), (-1, 6))
        ),
    ],
    "stopped gradient": [
        lambda: functional(lambda x: ops.tanh(dense()(x))),
        lambda: functional(lambda x: ops.stop_gradient(dense()(x))),
    ],
    "operation within": [
        lambda: functional(nested(ops.sin)),
        lambda: functional(nested(ops.cos)),
    ],
    "regularizer of a variable": [
        lambda: with_kernel(regularizer=keras.regularizers.L2(0.5)),
        with_kernel,
    ],
    "constraint of a variable": [
        lambda: with_kernel(constraint=keras.constraints.MaxNorm(0.1)),
        with_kernel,
    ],
    "overwritten variable": [lambda: with_kernel(overwrite_with_gradient=True), with_kernel],
    "names of inputs": [lambda: of_two("a", "b"), lambda: of_two("b", "a")],
    "name of a metric": [lambda: measured("acc"), lambda: measured("hit")],
}


@pytest.mark.parametrize("name", PAIRS)
def test_two_of_a_pair_have_other_keys_and_each_its_own(name):
    one, other = PAIRS[name]
    keys = [Likeness(make()).key for make in (one, one, other, other)]
    assert keys[0] is not None
    assert keys[0] == keys[1]
    assert keys[2] == keys[3]
    assert keys[0] != keys[2]


def test_a_smallest_number_of_keras_counts():
    model, before = mlp(), keras.config.epsilon()
    key = Likeness(model).key
    keras.config.set_epsilon(0.2)
    try:
        assert Likeness(model).key != key
    finally:
        keras.config.set_epsilon(before)


def times(factor, function):
    @functools.wraps(function)
    def scaled(*args):
        return factor * function(*args)

    return scaled


def with_call_of(value):
    model = functional(dense())

    def call(self, inputs, training=False):
        return value * keras.layers.Dense.call(self, inputs)

    model.layers[1].call = types.MethodType(call, model.layers[1])
    return model


class Unsure(keras.Operation):
    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def call(self, x):
        return x * self.factor

    def compute_output_spec(self, x):
        return keras.KerasTensor(x.shape, x.dtype)

    def get_config(self):
        raise NotImplementedError


def tagged():
    model = mlp()
    model.tag = str.lower
    return model


@pytest.mark.parametrize(
    "make",
    [
        lambda: compiled(loss=times(2.0, keras.losses.sparse_categorical_crossentropy)),
        lambda: functional(dense(activation=times(2.0, keras.activations.tanh))),
        lambda: with_call_of(2.0),
        lambda: functional(Unsure(2.0)),
        tagged,
    ],
    ids=["wrapped loss", "wrapped activation", "bound function", "operation", "attribute"],
)
def test_what_only_looks_known_is_not_shared(make, traces):
    for _ in range(2):
        model = make()
        model.fit(X[:64], Y[:64], verbose=0)
        assert Likeness(model).key is None
    assert traces == ["_train_on_many"] * 2


def test_activity_regularizers_are_shared(traces):
    for factor in (0.1, 0.1, 0.5):
        regularizer = keras.regularizers.L2(factor)
        model = functional(dense(activity_regularizer=regularizer))
        model.fit(X, Y, verbose=0)
    assert traces == ["_train_on_many"] * 2


def test_an_optimizer_that_fit_builds(traces):
    for _ in range(2):
        functional(dense()).fit(X, Y, verbose=0)
    assert traces == ["_train_on_many"]


def test_an_evaluation_builds_no_optimizer():
    model = functional(dense())
    model.evaluate(X, Y, verbose=0)
    model.predict(X, verbose=0)
    assert not model.optimizer.built


def test_what_an_optimizer_of_keras_excludes_from_decay_counts():
    keys = [Likeness(make()).key for make in (excluded, not_excluded, not_excluded)]
    assert keys[1] == keys[2]
    assert keys[0] != keys[1]


@pytest.mark.parametrize(
    "make",
    [patched, with_layer_of_my_own, lambda: compiled(loss=lambda y, p: ops.mean(p))],
    ids=["replaced call", "layer of somebody else", "function of somebody else"],
)
def test_what_is_not_understood_is_not_shared(make, traces):
    for _ in range(2):
        model = make()
        assert Likeness(model).key is None
        assert Likeness(model).unknown
        model.fit(X[:64], keras.ops.one_hot(Y[:64], 3), verbose=0)
    assert traces == ["_train_on_many"] * 2
    assert not len(SHARED)


def test_constants_of_layers_count():
    def normalized(rows):
        normalize = keras.layers.Normalization()
        normalize.adapt(rows)
        inputs = keras.Input((6,))
        model = kr.recipes.RecipeModel(
            inputs, keras.layers.Dense(3, name="head")(normalize(inputs))
        )
        model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        return model

    one, same, other = (Likeness(normalized(rows)).key for rows in (X, X, 2 * X))
    assert one == same
    assert one != other


def test_settings_of_keras_count():
    model = mlp()
    before = Likeness(model).key
    keras.config.set_image_data_format("channels_first")
    try:
        assert Likeness(model).key != before
    finally:
        keras.config.set_image_data_format("channels_last")


def test_a_metric_that_is_made_in_the_first_step():
    for _ in range(2):
        model = compiled(metrics=[keras.metrics.F1Score(), "accuracy"])
        labels = keras.ops.one_hot(Y, 3)
        model.compile("adam", "categorical_crossentropy", metrics=[keras.metrics.F1Score()])
        model.fit(X, labels, verbose=0)
        found = model.evaluate(X, labels, verbose=0, return_dict=True)
        probabilities = model.predict(X, verbose=0)
        score = keras.metrics.F1Score()
        np.testing.assert_allclose(found["f1_score"], score(labels, probabilities), rtol=1e-5)


def test_models_and_their_variables_are_freed():
    models = [MODELS["mlp"](seed=seed) for seed in (1, 2)]
    for model in models:
        model.fit(X, Y, verbose=0, validation_data=(X, Y))
    found = [weakref.ref(model) for model in models]
    handles = [weakref.ref(each.value.handle) for m in models for each in m.trainable_variables]
    del model, models
    gc.collect()
    assert [each() for each in [*found, *handles]] == [None] * (len(found) + len(handles))
    assert len(SHARED)


def test_graphs_used_last_are_kept():
    shared, made = SharedGraphs(most=2), []
    for name in ("a", "b", "a", "c", "a", "b"):

        def trace(name=name):
            made.append(name)
            return tf.function(lambda: tf.constant(name)).get_concrete_function()

        assert shared.of(mlp(), name, trace)() == name.encode()
    assert made == ["a", "b", "c", "b"]
    assert len(shared) == 2


def test_a_fit_under_a_tape():
    for seed in range(2):
        model = mlp(seed=seed)
        with tf.GradientTape():
            model.fit(X, Y, verbose=0)
        assert model.optimizer.iterations == 3
