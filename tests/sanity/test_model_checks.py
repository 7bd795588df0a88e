"""Each check of the model fires on a model made wrong in just that way, and nothing else does."""

import keras
import numpy as np
import pytest

import kerasrecipes as kr
from tests.sanity.cases import VALUES, XV, X, Y, binary, check, fired, network, values

LOGITS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
BINARY_LOGITS = keras.losses.BinaryCrossentropy(from_logits=True)


def head(units, activation):
    return [keras.layers.Dense(units, activation=activation)]


class Softmaxed(keras.Model):
    """A model that hides its softmax in an operation."""

    def __init__(self):
        super().__init__()
        self.hidden = keras.layers.Dense(8, "relu", kernel_initializer="he_normal")
        self.head = keras.layers.Dense(3)

    def call(self, x):
        return keras.ops.softmax(self.head(self.hidden(x)))


def subclassed(loss):
    model = Softmaxed()
    model(X[:1])
    model.compile("adam", loss)
    return model


@pytest.mark.parametrize(
    ("model", "says"),
    [
        (lambda: network(loss=LOGITS), "Softmax with `from_logits=True`"),
        (lambda: subclassed(LOGITS), "Softmax with `from_logits=True`"),
        (lambda: network(output=head(3, "sigmoid")), "Sigmoid with sparse_categorical"),
        (lambda: network(output=head(3, None)), "no probabilities"),
        (lambda: network(output=head(3, "sigmoid"), loss=LOGITS), "Sigmoid with `from_logits"),
    ],
    ids=["softmax twice", "hidden softmax", "sigmoid", "logits", "sigmoid as logits"],
)
def test_categorical_loss_and_output_that_do_not_fit(model, says):
    report = check(model())
    assert says in report["loss_activation"].note
    assert set(fired(report)) <= {"loss_activation", "first_loss"}
    assert fired(report)["loss_activation"] == "fail"


@pytest.mark.parametrize(
    ("model", "says"),
    [
        (lambda: binary("sigmoid", BINARY_LOGITS), "sigmoid with `from_logits=True`"),
        (lambda: binary(None), "the sigmoid is missing"),
        (lambda: binary("relu"), "the sigmoid is missing"),
        (lambda: binary("softmax"), "Softmax of one unit is always 1"),
    ],
    ids=["sigmoid twice", "logits", "relu", "softmax of one"],
)
def test_binary_loss_and_output_that_do_not_fit(model, says):
    report = check(model(), y=Y > 0, only=["loss_activation"])
    assert report["loss_activation"].status == "fail"
    assert says in report["loss_activation"].note


def test_classes_that_exclude_one_another_by_binary_loss():
    one_hot = np.eye(3, dtype="float32")[Y]
    model = network(loss="binary_crossentropy")
    report = check(model, y=one_hot, validation=None, only=["loss_activation"])
    assert "the classes exclude one another" in report["loss_activation"].note
    model = network(loss="categorical_crossentropy")
    assert fired(check(model, y=one_hot, validation=None, only=["loss_activation"])) == {}


@pytest.mark.parametrize("activation", ["relu", "softmax"])
def test_regression_with_an_output_that_does_not_fit(activation):
    model = network(output=head(2, activation), loss="mse")
    y = np.stack([VALUES, -VALUES], axis=1)
    report = check(model, y=y, validation=None, only=["loss_activation"])
    assert report["loss_activation"].status == "fail"


@pytest.mark.parametrize(
    "model",
    [
        lambda: network(output=head(3, None), loss=LOGITS),
        lambda: subclassed("sparse_categorical_crossentropy"),
        lambda: network(output=[*head(3, None), keras.layers.Softmax()]),
        lambda: network(output=[*head(3, None), keras.layers.Activation("softmax")]),
    ],
    ids=["logits", "hidden softmax", "layer", "activation"],
)
def test_loss_and_output_that_fit(model):
    assert fired(check(model())) == {}


def test_dropout_on_the_output():
    dropped = network(output=[*head(3, None), keras.layers.Dropout(0.3), keras.layers.Softmax()])
    assert fired(check(dropped)) == {"output_dropout": "fail"}
    last = values(16, keras.layers.Dense(1), keras.layers.Dropout(0.5), keras.layers.Identity())
    last.pop()
    last.compile("adam", "mse")
    assert fired(check(last, y=VALUES, validation=None, only=["output_dropout"]))
    before = network(16, keras.layers.Dropout(0.3))
    assert fired(check(before)) == {}
    none = network(output=[*head(3, None), keras.layers.Dropout(0.0), keras.layers.Softmax()])
    assert fired(check(none, only=["output_dropout"])) == {}


def normalized(**arguments):
    relu = keras.layers.Activation("relu")
    return network(keras.layers.Dense(16, **arguments), keras.layers.BatchNormalization(), relu)


def test_bias_before_batch_normalisation():
    report = check(normalized())
    assert fired(report) == {"bias_before_norm": "warn"}
    assert report["bias_before_norm"].note.startswith("sequential")
    assert fired(check(normalized(use_bias=False))) == {}
    activated = normalized(activation="relu")
    assert fired(check(activated, only=["bias_before_norm"])) == {}, "this bias does something"
    block = kr.recipes.mlp((6,), kr.targets.Multiclass(3), hidden=(8,))
    assert check(block, only=["bias_before_norm"])["bias_before_norm"].status == "pass"


def deep(activation, initializer, layers=2, width=64):
    return network(*[width] * layers, activation=activation, initializer=initializer)


@pytest.mark.parametrize(
    ("activation", "initializer", "status"),
    [
        ("relu", "he_normal", "pass"),
        ("relu", "he_uniform", "pass"),
        ("relu", keras.initializers.Orthogonal(2**0.5), "pass"),
        ("tanh", "glorot_uniform", "pass"),
        ("selu", "lecun_normal", "pass"),
        ("gelu", "he_normal", "pass"),
        ("relu", "glorot_uniform", "warn"),
        ("tanh", "he_normal", "warn"),
        ("selu", "he_normal", "warn"),
        ("relu", "orthogonal", "warn"),
        ("relu", keras.initializers.RandomNormal(stddev=1.0), "fail"),
        ("relu", keras.initializers.RandomNormal(stddev=0.001), "fail"),
    ],
)
def test_initializer_that_does_not_go_with_the_activation(activation, initializer, status):
    model = network(
        *(keras.layers.Dense(64, activation, kernel_initializer=initializer) for _ in range(2))
    )
    found = check(model, only=["initializer"])["initializer"]
    assert found.status == status
    if status != "pass":
        assert activation in found.note
        assert "for_activation" in found.remedy


def test_the_ratio_of_variances_is_right():
    model = deep("relu", "glorot_uniform", layers=3, width=256)
    found = check(model, only=["initializer"])["initializer"]
    assert found.seen == pytest.approx(6 / (6 + 256), rel=0.05), "the first kernel is the worst"
    assert found.status == "warn"
    lone = network(
        keras.layers.Conv1D(64, 3, activation="relu"), keras.layers.Flatten(), shape=(6, 4)
    )
    images = np.random.default_rng(0).normal(size=(180, 6, 4)).astype("float32")
    found = check(lone, images, validation=None, only=["initializer"])["initializer"]
    fan_in, fan_out = 3 * 4, 3 * 64
    assert found.seen == pytest.approx(fan_in / (fan_in + fan_out), rel=0.15)


def test_scale_before_a_normalisation_does_not_matter():
    layers = [keras.layers.Dense(64, use_bias=False), keras.layers.BatchNormalization()]
    model = network(*layers, keras.layers.Activation("relu"))
    assert check(model, only=["initializer"])["initializer"].status == "skipped"


def test_symmetry():
    ones = network(initializer=keras.initializers.Constant(0.1), output=[
        keras.layers.Dense(3, "softmax", kernel_initializer="zeros")
    ])  # fmt: skip
    report = check(ones, only=["symmetry"], steps=20)
    assert fired(report) == {"symmetry": "fail"}
    assert "and stay so in training" in report["symmetry"].note
    assert report["symmetry"].seen == 2


def test_units_that_start_equal_but_learn_to_differ():
    layer = keras.layers.Dense(8, "relu", kernel_initializer=keras.initializers.Constant(0.1))
    report = check(network(layer), only=["symmetry"], steps=20)
    assert fired(report) == {"symmetry": "warn"}
    assert "differ only once they are trained" in report["symmetry"].note


def test_layers_that_start_equal():
    shared = keras.initializers.HeNormal(seed=0)
    report = check(network(6, 6, initializer=shared))
    assert fired(report) == {"symmetry": "warn"}
    assert "Equal layers" in report["symmetry"].note
    assert fired(check(network(6, 6), only=["symmetry"])) == {}


def test_zeros_that_training_moves_are_no_fault():
    """The last layer of a residual branch often starts at 0."""
    inputs = keras.Input((6,))
    branch = keras.layers.Dense(16, "relu", kernel_initializer="he_normal")(inputs)
    branch = keras.layers.Dense(6, kernel_initializer="zeros")(branch)
    outputs = keras.layers.Dense(3, "softmax")(keras.layers.Add()([inputs, branch]))
    model = keras.Model(inputs, outputs)
    model.compile("adam", "sparse_categorical_crossentropy")
    report = check(model, only=["symmetry", "trained_weights", "gradient_flow", "dead_units"])
    assert fired(report) == {}


@pytest.mark.parametrize(("bias", "status"), [(-1.5, "warn"), (-100.0, "fail"), (0.0, None)])
def test_dead_units(bias, status):
    model = network(
        keras.layers.Dense(
            64,
            "relu",
            kernel_initializer=keras.initializers.HeNormal(seed=1),
            bias_initializer=keras.initializers.Constant(bias),
        )
    )
    if status == "warn":  # every third unit
        where = np.where(np.arange(64) % 3 == 0, -100.0, 0.0)
        model.layers[0].bias.assign(where)
    report = check(model, only=["dead_units"])
    assert fired(report) == ({"dead_units": status} if status else {})
    if status == "warn":
        assert report["dead_units"].seen == pytest.approx(22 / 64)


def test_dead_units_of_activation_layers_and_blocks():
    bias = keras.initializers.Constant(-100.0)
    layers = [keras.layers.Dense(16, bias_initializer=bias), keras.layers.ReLU()]
    assert fired(check(network(*layers), only=["dead_units"])) == {"dead_units": "fail"}
    block = kr.layers.DenseBlock(16, "relu", normalization=None, bias_initializer=bias)
    assert fired(check(network(block), only=["dead_units"])) == {"dead_units": "fail"}


def test_units_of_every_block_are_counted():
    bias = keras.initializers.Constant(-100.0)
    blocks = [
        kr.layers.DenseBlock(16, normalization=None, bias_initializer=each, seed=i, name=f"b{i}")
        for i, each in enumerate((bias, "zeros"))
    ]
    report = check(network(*blocks), only=["dead_units"])
    assert "activation after sequential" in report["dead_units"].note
    assert "/b0/linear 100%" in report["dead_units"].note


def test_saturated_units_are_dead_too():
    bias = keras.initializers.Constant(200.0)
    layer = keras.layers.Dense(16, "sigmoid", bias_initializer=bias)
    assert fired(check(network(layer), only=["dead_units"])) == {"dead_units": "fail"}


def test_vanishing_gradients():
    """S6: ten layers of sigmoid leave about a millionth of the gradient."""
    report = check(deep("sigmoid", "glorot_uniform", layers=10, width=16))
    assert fired(report) == {"gradient_flow": "fail"}
    found = report["gradient_flow"]
    assert 1e-9 < found.seen < 1e-4
    assert "The gradient vanishes on the way back: at sequential" in found.note
    assert "/dense" in found.note
    relu = deep("relu", "he_normal", layers=10, width=16)
    assert fired(check(relu, only=["gradient_flow"])) == {}


def test_exploding_gradients():
    large = keras.initializers.VarianceScaling(200.0)
    report = check(deep("tanh", large, layers=1), only=["gradient_flow"])
    assert fired(report) == {}
    model = network(
        *[16] * 8, activation="linear", initializer=keras.initializers.VarianceScaling(20.0)
    )
    found = check(model, only=["gradient_flow"])["gradient_flow"]
    assert found.status in ("warn", "fail")
    assert found.seen > 1000
    assert "explodes" in found.note
    assert "clip" in found.remedy


def test_the_scale_of_inputs_does_not_hide_the_ratio():
    model = deep("relu", "he_normal", layers=3)
    one, other = (
        check(model, x, only=["gradient_flow"], validation=(XV, Y[:60]))["gradient_flow"].seen
        for x in (X, X * 1e-3)
    )
    assert np.log10(one) == pytest.approx(np.log10(other), abs=0.5)


def test_first_loss_of_plain_models():
    report = check(network(), only=["first_loss"])
    assert report["first_loss"].seen == pytest.approx(np.log(3), abs=0.6)
    draw = keras.initializers.RandomNormal(stddev=9)
    wide = network(output=[keras.layers.Dense(3, "softmax", kernel_initializer=draw)])
    report = check(wide)
    assert fired(report) == {"first_loss": "fail"}
    low, high = (report["first_loss"].low, report["first_loss"].high)
    assert low < np.log(3) < high


def test_a_loss_that_is_summed_over_the_rows():
    summed = keras.losses.SparseCategoricalCrossentropy(reduction="sum")
    report = check(network(loss=summed))
    assert fired(report) == {"first_loss": "fail"}
    assert report["first_loss"].seen > 100
    assert "summed" in report["first_loss"].remedy


def test_labels_far_from_the_outputs():
    report = check(values(), y=1990 + VALUES, validation=None)
    assert fired(report) == {"first_loss": "fail", "validation_set": "warn"}
    assert "adapt" in report["first_loss"].remedy
    target = kr.targets.Regression().adapt(1990 + VALUES)
    model = kr.recipes.mlp((6,), target, hidden=(16,))
    assert fired(check(model, y=1990 + VALUES, validation=None, only=["first_loss"])) == {}


def test_a_model_that_knows_the_labels_already():
    y = X @ np.arange(6.0)
    model = network(keras.layers.Identity(), output=head(1, None), loss="mse")
    model.set_weights([np.arange(6.0)[:, None], np.zeros(1)])
    report = check(model, y=y, validation=None, only=["first_loss"])
    assert fired(report) == {"first_loss": "warn"}
    assert "trained already" in report["first_loss"].remedy
    model.train_on_batch(X, y)
    names = ("first_loss", "initializer", "symmetry")
    report = check(model, y=y, only=names)
    assert {each.note for each in report.skipped} == {"the model has been trained"}


def test_prior_biases_are_expected_to_be_there_or_not():
    y = (np.arange(180) % 10 == 0).astype(int)
    target = kr.targets.Binary()
    for each in (target, target.adapt(y)):
        model = kr.recipes.mlp((6,), each, hidden=(8,), seed=0)
        report = check(model, y=y, validation=None, only=["first_loss"])
        assert fired(report) == {}
    assert report["first_loss"].seen < np.log(2)
