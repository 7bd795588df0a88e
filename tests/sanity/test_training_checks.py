"""The checks that run, train or save the model fire on what is wrong in just that way."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

import kerasrecipes as kr
from kerasrecipes.sanity.checks.numeric_gradients import compare_layer, compare_loss
from tests.harness import numeric_gradient, representative
from tests.sanity.cases import VALUES, XV, YV, X, Y, check, fired, network, values


def relu(units):
    return keras.layers.Dense(units, "relu", kernel_initializer="he_normal")


def test_a_sound_model_passes_everything():
    model = network(32, keras.layers.Dropout(0.2), 32)
    report = check(model, skip=())
    assert fired(report) == {}
    assert [each.name for each in report.skipped] == ["bias_before_norm", "numeric_gradients"]
    assert report["overfit"].seen <= 0.05
    assert report["regularization"].seen > 0


# forward


def test_a_model_that_does_not_run():
    report = check(network(), X[:, :4], validation=None)
    assert fired(report)["forward"] == "fail"
    assert "expected axis -1" in report["forward"].note
    assert "\x1b" not in report["forward"].note
    assert report["first_loss"].note == "the model does not run on the data: see forward"


class Logarithm(keras.layers.Layer):
    def call(self, x):
        return ops.log(x)


def test_a_model_that_gives_nan():
    report = check(network(16, Logarithm(), 16), only=["forward", "first_loss"])
    assert fired(report) == {"forward": "fail", "first_loss": "fail"}
    assert "NaN" in report["forward"].remedy


# overfit


class Detached(keras.layers.Layer):
    """A layer that no gradient goes through."""

    def call(self, x):
        return ops.stop_gradient(x)


def test_a_model_that_cannot_learn():
    bias = keras.initializers.Constant(-99)
    flat = keras.layers.Dense(1, "relu", bias_initializer=bias)
    report = check(network(flat), only=["overfit"], steps=60)
    assert fired(report) == {"overfit": "fail"}
    assert report["overfit"].seen > 0.5


@pytest.mark.slow
def test_a_model_that_is_too_small():
    """16 rows of a product cannot be learnt by two units."""
    y = np.sign(X[:, 0] * X[:, 1] * X[:, 2]) + 0.1 * VALUES
    target = kr.targets.Regression().adapt(y)
    model = kr.recipes.mlp((6,), target, hidden=(2, 16), normalization=None, seed=1)
    report = check(model, y=y, only=["overfit"], steps=60)
    assert report["overfit"].status in ("warn", "fail")


@pytest.mark.parametrize(
    ("target", "y"),
    [
        (kr.targets.Count(), np.abs(np.round(VALUES * 3))),
        *(
            pytest.param(*each, marks=pytest.mark.slow)
            for each in (
                (kr.targets.Multiclass(3), Y),
                (kr.targets.Regression(robust=True), VALUES * 1e4 + 1e5),
                (kr.targets.Binary(), Y > 0),
                (kr.targets.Regression(2), np.stack([VALUES, -2 * VALUES], axis=1)),
                (kr.targets.PositiveRegression(), np.exp(VALUES)),
                (kr.targets.BoundedRegression(0, 1), 1 / (1 + np.exp(-VALUES))),
                (kr.targets.Multilabel(2), np.stack([Y > 0, VALUES > 0], axis=1).astype(int)),
            )
        ),
    ],
    ids=lambda each: getattr(each, "name", ""),
)
def test_recipes_of_every_target_are_silent(target, y):
    """Label smoothing and the Poisson loss have a least loss that is not 0."""
    smoothing = {"label_smoothing": 0.1} if target.name in ("multiclass", "binary") else {}
    model = kr.recipes.mlp((6,), target.adapt(y), hidden=(32,), l2=1e-4, **smoothing, seed=0)
    report = check(model, y=y, validation=None, skip=("saving",))
    assert fired(report) == {"validation_set": "warn"}
    for name in ("first_loss", "overfit", "regularization", "loss_activation", "label_range"):
        assert report[name].status == "pass", name


# regularization


class Reward(keras.regularizers.Regularizer):
    """A penalty with the wrong sign."""

    def __call__(self, weight):
        return -0.01 * ops.sum(ops.square(weight))


class NoDrop(keras.layers.Dropout):
    """A dropout that does not hear of training."""

    def call(self, inputs, training=False):
        return super().call(inputs, training=False)


@pytest.mark.parametrize(
    "layer",
    [
        lambda: keras.layers.Dense(16, "relu", kernel_regularizer=Reward()),
        lambda: NoDrop(0.5),
        lambda: keras.layers.Dense(16, kernel_regularizer=keras.regularizers.L2(0.0)),
    ],
    ids=["reward", "no training", "factor 0"],
)
def test_regularisation_that_does_not_raise_the_loss(layer):
    report = check(network(32, layer()), only=["regularization"])
    assert fired(report) == {"regularization": "fail"}


RAISING = {
    "dropout": lambda: keras.layers.Dropout(0.3),
    "noise": lambda: keras.layers.GaussianNoise(0.5),
    "l2": lambda: keras.layers.Dense(16, "relu", kernel_regularizer="l2"),
    "activity": lambda: keras.layers.Dense(16, "relu", activity_regularizer="l1"),
    "activity layer": lambda: keras.layers.ActivityRegularization(l2=0.01),
    "block": lambda: kr.layers.DenseBlock(16, dropout=0.2),
}


@pytest.mark.parametrize("name", representative(RAISING, "dropout", "activity"))
def test_regularisation_that_raises_the_loss(name):
    report = check(network(32, RAISING[name]()), only=["regularization"])
    assert fired(report) == {}
    assert report["regularization"].status == "pass"


@pytest.mark.parametrize("rate", [0.0, 0.4])
def test_a_recurrent_layer_is_noisy_if_it_drops(rate):
    """Keras gives it a generator of random numbers in any case."""
    inputs = keras.Input((2, 3))
    hidden = keras.layers.GRU(12, dropout=rate, seed=0)(inputs)
    model = keras.Model(inputs, keras.layers.Dense(3, "softmax")(hidden))
    model.compile("adam", "sparse_categorical_crossentropy")
    x = np.random.default_rng(0).normal(size=(60, 2, 3)).astype("float32")
    arguments = {"validation": None, "only": ["regularization"]}
    found = check(model, x, np.arange(60) % 3, **arguments)["regularization"]
    assert found.status == ("pass" if rate else "skipped"), found


def test_one_row_is_enough_to_run_on():
    report = check(network(), X[:1], Y[:1], only=["forward", "first_loss", "overfit"])
    assert not [each for each in report.findings if each.status == "skipped"], report
    assert report["forward"].status == "pass", report


def test_penalties_that_outweigh_the_data():
    heavy = keras.layers.Dense(32, "relu", kernel_regularizer=keras.regularizers.L2(10.0))
    report = check(network(heavy), only=["regularization"])
    assert fired(report) == {"regularization": "warn"}
    assert "outweigh" in report["regularization"].note
    none = check(network(), only=["regularization"])["regularization"]
    assert none.note == "the model has no penalty and no dropout"


# trained_weights


def test_weights_without_a_gradient():
    report = check(network(16, Detached()), only=["trained_weights"], steps=20)
    assert fired(report) == {"trained_weights": "fail"}
    assert report["trained_weights"].seen == 2
    assert "Not part of the loss: sequential" in report["trained_weights"].note


class Unused(keras.layers.Layer):
    """A layer with a weight that it forgets."""

    def build(self, shape):
        self.weight = self.add_weight(shape=(3,), name="forgotten")

    def call(self, x):
        return x


def test_a_weight_that_is_not_used():
    report = check(network(16, Unused()), only=["trained_weights"], steps=20)
    assert fired(report) == {"trained_weights": "fail"}
    assert report["trained_weights"].note.endswith("forgotten.")


def test_a_layer_of_dead_units_gets_zeros():
    bias = keras.initializers.Constant(-100.0)
    dead = keras.layers.Dense(8, "relu", bias_initializer=bias)
    report = check(network(dead), only=["trained_weights"], steps=20)
    assert "A gradient of 0 throughout" in report["trained_weights"].note
    frozen = network(16, 16)
    frozen.layers[0].trainable = False
    frozen.compile("adam", "sparse_categorical_crossentropy")
    assert fired(check(frozen, only=["trained_weights"], steps=5)) == {}


# numeric_gradients


@tf.custom_gradient
def _twice_the_gradient(x):
    return tf.square(x), lambda upstream: 4.0 * x * upstream


@tf.custom_gradient
def _square(x):
    return tf.square(x), lambda upstream: 2.0 * x * upstream


class Square(keras.layers.Layer):
    """A layer with a gradient of its own, right or wrong."""

    def __init__(self, right=True, **kwargs):
        super().__init__(**kwargs)
        self.right = right

    def build(self, shape):
        self.factor = self.add_weight(shape=(shape[-1],), initializer="ones", name="factor")

    def call(self, x):
        return (_square if self.right else _twice_the_gradient)(x * self.factor)

    def get_config(self):
        return {**super().get_config(), "right": self.right}


class Unsaved(Square):
    """The same without a way to make another one."""

    def get_config(self):
        raise NotImplementedError


class Rounded(keras.layers.Layer):
    """A layer whose gradient goes around the rounding."""

    def call(self, x):
        return x + ops.stop_gradient(ops.square(x))


@pytest.mark.parametrize("kind", [Square, Unsaved])
def test_gradients_of_a_layer(kind):
    right = check(network(16, kind()), only=["numeric_gradients"])["numeric_gradients"]
    wrong = check(network(16, kind(right=False)), only=["numeric_gradients"])["numeric_gradients"]
    assert (right.status, wrong.status) == ("pass", "fail")
    assert wrong.seen == pytest.approx(0.5, abs=0.05), "twice as large as measured"
    assert right.seen < (1e-7 if kind is Square else 1e-2)
    assert ("float64" if kind is Square else "float32") in right.quantity


def test_a_gradient_that_is_cut_off():
    report = check(network(16, Rounded()), only=["numeric_gradients"])
    assert fired(report) == {"numeric_gradients": "fail"}
    assert "rounded" in report["numeric_gradients"].note


def wrong_loss(y_true, y_pred):
    return ops.mean(_twice_the_gradient(y_true - y_pred), axis=-1)


def right_loss(y_true, y_pred):
    return ops.mean(ops.square(y_true - y_pred), axis=-1)


class WrongLoss(keras.losses.Loss):
    def call(self, y_true, y_pred):
        return wrong_loss(y_true, y_pred)


@pytest.mark.parametrize("loss", [wrong_loss, WrongLoss(), right_loss], ids=["f", "class", "right"])
def test_gradients_of_a_loss(loss):
    report = check(values(loss=loss), y=VALUES, validation=None, only=["numeric_gradients"])
    found = report["numeric_gradients"]
    assert found.status == ("pass" if loss is right_loss else "fail")


def test_the_loss_is_compared_with_an_independent_difference():
    labels, outputs = VALUES[:4], X[:4, :1]
    found = compare_loss(right_loss, labels, outputs)
    assert found.error < 1e-8
    slope = numeric_gradient(lambda p: float(np.mean((labels[:, None] - p) ** 2)), outputs)
    with tf.GradientTape() as tape:
        y_pred = tf.Variable(outputs)
        loss = tf.reduce_mean(right_loss(tf.constant(labels[:, None]), y_pred))
    np.testing.assert_allclose(tape.gradient(loss, y_pred), slope, rtol=1e-5, atol=1e-7)


OURS = {
    "DenseBlock": lambda: kr.layers.DenseBlock(8, "gelu", normalization="layer", residual=True),
    "SqueezeExcite": lambda: kr.layers.SqueezeExcite(2),
    "PeriodicEmbedding": lambda: kr.layers.PeriodicEmbedding(4),
    "EnsembleDense": lambda: kr.layers.EnsembleDense(8, members=2),
    "WeightNormalization": lambda: kr.layers.WeightNormalization(keras.layers.Dense(5)),
}


@pytest.mark.parametrize("name", representative(OURS, "DenseBlock"))
def test_layers_of_this_package_have_right_gradients(name):
    layer = OURS[name]()
    x = X[:4].reshape(4, 1, 1, 6) if isinstance(layer, kr.layers.SqueezeExcite) else X[:4]
    layer(x)
    found = compare_layer(layer, [x])
    assert found.off < 1, found


# saving


@keras.saving.register_keras_serializable("tests.sanity")
class Forgetful(keras.layers.Layer):
    """A layer that loses its argument when it is saved."""

    def __init__(self, factor=1.0, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, x):
        return x * self.factor

    def get_config(self):
        return super().get_config()


def test_models_that_do_not_survive_saving():
    report = check(network(16, Forgetful(3.0)), only=["saving"])
    assert fired(report) == {"saving": "fail"}
    assert report["saving"].note == "The loaded model predicts otherwise."
    assert report["saving"].seen > 0.01
    assert fired(check(network(16, Forgetful()), only=["saving"])) == {}
    unregistered = check(network(16, Rounded()), only=["saving"])["saving"]
    assert unregistered.status == "fail"
    assert "Rounded" in unregistered.note
    function = check(network(16, keras.layers.Lambda(lambda x: x)), only=["saving"])["saving"]
    assert function.status == "fail"
    assert fired(check(values(loss=right_loss), y=VALUES, only=["saving"])) == {"saving": "fail"}


def test_r6_a_schedule_that_cannot_be_loaded_is_found_before_training():
    class Halving(keras.optimizers.schedules.LearningRateSchedule):
        def __call__(self, step):
            return 0.1 * 0.5 ** ops.cast(step, "float32")

        def get_config(self):
            return {}

    model = network()
    model.compile(keras.optimizers.SGD(Halving()), "sparse_categorical_crossentropy")
    assert fired(check(model, only=["saving"])) == {"saving": "fail"}
    model = network()
    schedule = kr.schedules.Cosine(0.1, total=100)
    model.compile(keras.optimizers.SGD(schedule), "sparse_categorical_crossentropy")
    assert fired(check(model, only=["saving"])) == {}


def test_validation_data_play_no_part_in_training():
    assert fired(check(network(), validation=(XV * np.nan, YV), only=["forward", "overfit"])) == {}


class Product(keras.layers.Layer):
    """A layer of two inputs, in a list."""

    def call(self, inputs):
        first, second = inputs
        return first * ops.stop_gradient(second)


class Noisy(keras.layers.Layer):
    """A layer whose noise has no seed, so that nothing can be compared."""

    def call(self, x):
        return x + tf.random.normal(tf.shape(x))


def test_gradients_by_two_inputs_and_of_noise():
    x = X[:4], X[4:8]
    found = compare_layer(Product(), [list(x)])
    assert found.error == pytest.approx(1.0), "the second one has none"
    report = check(network(16, Noisy()), only=["numeric_gradients"])
    assert report["numeric_gradients"].status == "skipped"


def activation_of_its_own(x):
    return ops.relu(x) + 0.1 * x


def test_an_activation_of_its_own_asks_for_nothing_that_is_known():
    report = check(network(64, 64, activation=activation_of_its_own), only=["initializer"])
    assert report["initializer"].status == "skipped"


def test_a_subclassed_model_is_checked_as_any_other():
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.hidden, self.drop = relu(32), keras.layers.Dropout(0.2)
            self.head = keras.layers.Dense(3, "softmax")

        def call(self, x, training=False):
            return self.head(self.drop(self.hidden(x), training=training))

    model = Own()
    model(X[:1])
    model.compile("adam", "sparse_categorical_crossentropy")
    report = check(model, skip=("saving",))
    assert fired(report) == {}
    assert [each.name for each in report.skipped] == ["bias_before_norm", "numeric_gradients"]


def test_a_loss_that_is_not_known_is_left_alone():
    y = np.eye(3, dtype="float32")[Y]
    model = network(loss="kl_divergence")
    report = check(model, y=y, validation=None, skip=("saving", "regularization"))
    assert fired(report) == {"validation_set": "warn"}
    assert report["overfit"].status == "pass"
    assert report["loss_activation"].status == report["first_loss"].status == "skipped"
