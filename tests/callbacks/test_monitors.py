"""GradientMonitor and ActivationMonitor against the same training written out by hand."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasrecipes import optimizers, recipes, targets
from kerasrecipes._checks import InputError
from kerasrecipes.callbacks._layer_groups import activated_layers, weight_groups
from kerasrecipes.callbacks.activation_monitor import ActivationMonitor
from kerasrecipes.callbacks.checkpoint import Checkpoint
from kerasrecipes.callbacks.gradient_monitor import GradientMonitor
from kerasrecipes.callbacks.interrupt import Interrupt
from tests.replicas import run_on_replicas

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3)).astype("float32")
Y = (X @ RNG.normal(size=(3, 2))).astype("float32")
BATCH, RATE = 8, 0.1


def build(optimizer=None, **arguments):
    keras.utils.set_random_seed(3)
    inputs = keras.Input((3,))
    x = keras.layers.Dense(5, "relu", name="first")(inputs)
    x = keras.layers.Dense(4, "tanh", name="second")(x)
    model = keras.Model(inputs, keras.layers.Dense(2, name="last")(x))
    model.compile(optimizer or optimizers.SGD(RATE, momentum=0.0), "mse", **arguments)
    return model


def fit(model, *callbacks, **arguments):
    settings = {"batch_size": BATCH, "shuffle": False, "verbose": 0, **arguments}
    return model.fit(X, Y, callbacks=list(callbacks), **settings).history


def by_hand(every):
    """Trains one epoch step by step; returns what is sampled, per layer."""
    model = build(keras.optimizers.SGD(RATE))
    seen = keras.Model(model.input, [layer.output for layer in model.layers[1:3]])
    names = ("first", "second", "last")
    rows = {f"{kind}/{name}": [] for kind in ("gradient_norm", "update_ratio") for name in names}
    hidden = {"first": [], "second": []}
    for step in range(len(X) // BATCH):
        x, y = (a[step * BATCH : (step + 1) * BATCH] for a in (X, Y))
        outputs = [np.array(each, "float64") for each in seen(x)]
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((model(x) - y) ** 2)
        weights = model.trainable_variables
        gradients = [g.numpy().astype("float64") for g in tape.gradient(loss, weights)]
        values = [w.numpy().astype("float64") for w in weights]
        for weight, gradient in zip(weights, gradients, strict=True):
            weight.assign_sub(RATE * gradient)
        if step % every:
            continue
        for name, output in zip(hidden, outputs, strict=True):
            hidden[name].append(output)
        for index, name in enumerate(names):
            norm = np.sqrt(sum((g**2).sum() for g in gradients[2 * index : 2 * index + 2]))
            size = np.sqrt(sum((v**2).sum() for v in values[2 * index : 2 * index + 2]))
            rows[f"gradient_norm/{name}"].append(norm)
            rows[f"update_ratio/{name}"].append(RATE * norm / size)
    return {name: np.mean(values) for name, values in rows.items()}, hidden


@pytest.mark.parametrize("every", [1, 2])
def test_both_equal_the_training_by_hand(every):
    history = fit(build(), GradientMonitor(every=every), ActivationMonitor(every=every))
    expected, hidden = by_hand(every)
    for name, outputs in hidden.items():
        rows = np.concatenate(outputs)
        expected[f"activation_rms/{name}"] = np.sqrt((rows**2).mean())
        expected[f"dead_fraction/{name}"] = (np.ptp(rows, axis=0) == 0).mean()
    assert set(history) == {"loss", *expected}
    for name, value in expected.items():
        np.testing.assert_allclose(history[name], [value], rtol=2e-5, err_msg=name)


def test_training_is_the_same_as_without():
    plain, watched = build(), build()
    fit(plain, epochs=2)
    fit(watched, GradientMonitor(every=2), ActivationMonitor(every=2), epochs=2)
    for one, other in zip(plain.get_weights(), watched.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-7)


def test_every_epoch_begins_with_a_sample_and_means_are_its_own():
    expected, _ = by_hand(100)
    history = fit(build(), GradientMonitor(every=100), epochs=3)
    assert history["gradient_norm/last"][0] == pytest.approx(expected["gradient_norm/last"], 1e-5)
    assert len(set(history["gradient_norm/last"])) == 3


@pytest.mark.parametrize(
    "arguments", [{"steps_per_execution": 3}, {"jit_compile": True}, {"run_eagerly": True}]
)
def test_all_ways_to_run_a_step_see_the_same(arguments):
    usual = fit(build(), GradientMonitor(every=2), ActivationMonitor(every=2))
    other = fit(build(**arguments), GradientMonitor(every=2), ActivationMonitor(every=2))
    for name in usual:
        np.testing.assert_allclose(other[name], usual[name], rtol=1e-4, err_msg=name)


def test_a_layer_whose_relus_are_dead():
    model = build()
    model.get_layer("first").bias.assign([-99.0, 0.0, -99.0, 99.0, -99.0])
    model.get_layer("second").kernel.assign(1e4 * model.get_layer("second").kernel)
    history = fit(model, ActivationMonitor(every=1))
    assert history["dead_fraction/first"][0] >= 0.6
    assert history["dead_fraction/second"][0] > 0.5, "saturated at 1 or -1"


def test_validation_is_not_looked_at():
    model = build()
    far = (X + 1e6, Y)
    with_validation = fit(model, ActivationMonitor(every=1), validation_data=far)
    without = fit(build(), ActivationMonitor(every=1))
    for name in without:
        np.testing.assert_allclose(with_validation[name], without[name], rtol=1e-6)


def test_accumulated_batches_count_as_one_update():
    model = build(optimizers.SGD(RATE, momentum=0.0, gradient_accumulation_steps=5))
    history = fit(model, GradientMonitor(every=1))
    plain = build()
    before = plain.get_weights()
    fit(plain, batch_size=40)
    after = plain.get_weights()
    moved = np.sqrt(sum(((a - b) ** 2).sum() for a, b in zip(after[4:], before[4:], strict=True)))
    size = np.sqrt(sum((b**2).sum() for b in before[4:]))
    assert history["update_ratio/last"][0] == pytest.approx(moved / size, rel=1e-4)


def test_the_model_is_left_as_it_was():
    class Fails(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            raise RuntimeError("on purpose")

    model = recipes.mlp((3,), targets.Regression(2), hidden=(4,), seed=0)
    block = model.get_layer("hidden_1")
    for callbacks in ([], [Fails()]):
        monitors = [GradientMonitor(), ActivationMonitor()]
        try:
            fit(model, *monitors, *callbacks)
        except RuntimeError:
            assert callbacks
        assert "train_step" not in vars(model)
        assert not [each for each in (block, *block.steps) if "call" in vars(each)]
        assert model.optimizer.hooks == ()
    assert fit(model).keys() == {"loss", "mae", "rmse", "r2"}


def test_an_interrupted_training_that_goes_on_has_the_same_history(tmp_path):
    class StopAt(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 2:
                interrupt.interrupted = self.model.stop_training = True

    def monitors():
        return [GradientMonitor(every=2), ActivationMonitor(every=2)]

    expected = fit(build(), *monitors(), epochs=2)
    interrupt = Interrupt()
    checkpoint = Checkpoint(tmp_path, every="1 updates")
    fit(build(), checkpoint, interrupt, *monitors(), StopAt(), epochs=2)
    again = Checkpoint(tmp_path, every="1 updates")
    history = fit(build(), again, Interrupt(), *monitors(), epochs=2)
    assert again.resumed == (0, 3)
    assert history == expected


def test_names_are_those_of_the_layers_of_the_model():
    inner = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, "relu", name="a")])
    inputs = keras.Input((6, 4))
    x = keras.layers.GRU(4, name="rnn")(inputs)
    x = keras.layers.Activation("gelu", name="act")(inner(x))
    model = keras.Model(inputs, keras.layers.Dense(2, "sigmoid", name="out")(x))
    assert list(weight_groups(model)) == ["rnn", f"{inner.name}/a", "out"]
    assert list(activated_layers(model)) == ["rnn", f"{inner.name}/a", "act"]


def test_wrong_use_is_refused():
    with pytest.raises(InputError, match="`every` must be an integer >= 1"):
        GradientMonitor(every=0)
    with pytest.raises(InputError, match="`every` must be an integer >= 1"):
        ActivationMonitor(every=0.5)
    with pytest.raises(InputError, match="GradientMonitor works within the updates.*SGD"):
        fit(build(keras.optimizers.SGD(RATE)), GradientMonitor())
    linear = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    linear.compile("sgd", "mse")
    with pytest.raises(InputError, match="no layer with an activation"):
        fit(linear, ActivationMonitor())


REPLICAS = """
rng = np.random.default_rng(0)
x = rng.normal(size=(32, 3)).astype("float32")
y = rng.normal(size=(32,)).astype("float32")
model = kr.recipes.mlp(
    (3,), kr.targets.Regression(), hidden=(4, 4), dropout=0.0, normalization=None, seed=0,
    activation="tanh", optimizer="sgd", learning_rate=0.1, clip_norm=None, strategy=strategy,
)
monitors = [kr.callbacks.GradientMonitor(every=2), kr.callbacks.ActivationMonitor(every=2)]
history = model.fit(x, y, batch_size=16, shuffle=False, verbose=0, epochs=2, callbacks=monitors)
report(**{n: v for n, v in history.history.items() if "/" in n})
"""


@pytest.mark.multi_device
def test_replicas_tell_what_one_device_tells():
    one = run_on_replicas(REPLICAS, replicas=1)
    two = run_on_replicas(REPLICAS, replicas=2)
    assert one.keys() == two.keys()
    for name in one:
        rough = "activation" in name  # of the rows of the first replica
        np.testing.assert_allclose(two[name], one[name], rtol=0.3 if rough else 1e-4, err_msg=name)
