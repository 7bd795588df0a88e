"""GradualUnfreeze: what trains in which epoch, and what stays exactly as it was."""

import keras
import numpy as np
import pytest

from kerasrecipes import optimizers, recipes
from kerasrecipes._checks import InputError
from kerasrecipes.callbacks.gradual_unfreeze import GradualUnfreeze
from kerasrecipes.callbacks.weight_averaging import WeightAveraging
from tests.harness import representative
from tests.replicas import run_on_replicas

RNG = np.random.default_rng(0)
X = RNG.normal(size=(32, 4)).astype("float32")
Y = (X @ RNG.normal(size=(4, 2))).astype("float32")


def build(optimizer=None):
    keras.utils.set_random_seed(3)
    inputs = keras.Input((4,))
    x = keras.layers.Dense(5, name="block1", kernel_regularizer="l2")(inputs)
    x = keras.layers.BatchNormalization(name="block1_norm", momentum=0.5)(x)
    x = keras.layers.Dense(5, activation="tanh", name="block2")(x)
    backbone = keras.Model(inputs, x, name="backbone")
    outer = keras.Input((4,))
    model = recipes.RecipeModel(outer, keras.layers.Dense(2, name="head")(backbone(outer)))
    model.compile(optimizer or optimizers.Adam(0.02), "mse", jit_compile=False)
    return model


def test_blocks_of_a_nested_sequential_join_one_by_one():
    layers = [keras.layers.Dense(3, name=name) for name in ("block1", "block2")]
    norm = keras.layers.BatchNormalization(name="norm")
    backbone = keras.Sequential([keras.Input((4,)), *layers, norm], name="backbone")
    model = keras.Sequential([keras.Input((4,)), backbone, keras.layers.Dense(2, name="head")])
    model.compile("adam", "mse")
    before = {w.path: w.numpy() for w in model.weights}
    fit = {"epochs": 2, "verbose": 0}
    model.fit(X, Y, **fit, callbacks=[GradualUnfreeze({0: "head", 1: "block2$"})])
    moved = {w.path for w in model.weights if not np.array_equal(w, before[w.path])}
    assert {path.split("/")[-2] for path in moved} == {"block2", "head"}


class Record(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.weights, self.trainable, self.optimizer = [], [], []

    def on_epoch_begin(self, epoch, logs=None):
        self.on_epoch_end(epoch)

    def on_epoch_end(self, epoch, logs=None):
        self.weights.append({w.path: w.numpy() for w in self.model.weights})
        self.optimizer.append({v.path: v.numpy() for v in self.model.optimizer.variables})

    def moved(self, epoch):
        before, after = self.weights[2 * epoch : 2 * epoch + 2]
        return {path for path in before if not np.array_equal(before[path], after[path])}


def fit(model, use, **arguments):
    defaults = {"batch_size": 8, "epochs": 3, "shuffle": False, "verbose": 0}
    return model.fit(X, Y, callbacks=list(use), **{**defaults, **arguments}).history


HEAD = {"head/kernel", "head/bias"}
BLOCK2 = {"block2/kernel", "block2/bias"}
BLOCK1 = {"block1/kernel", "block1/bias"}
NORM = {f"block1_norm/{name}" for name in ("gamma", "beta", "moving_mean", "moving_variance")}


@pytest.mark.parametrize(
    "groups",
    [{0: "head", 1: ["backbone/block2$"], 2: "all"}, ["^head", "block2", ["block1", "norm"]]],
    ids=["dict", "list"],
)
@pytest.mark.parametrize(
    "make", representative([optimizers.Adam, keras.optimizers.Adam], optimizers.Adam)
)
def test_groups_join_by_epoch_and_nothing_else_moves(groups, make):
    record = Record()
    fit(build(make(0.02)), [GradualUnfreeze(groups), record])
    assert record.moved(0) == HEAD
    assert record.moved(1) == HEAD | BLOCK2
    assert record.moved(2) == HEAD | BLOCK2 | BLOCK1 | NORM


def test_every_spaces_the_groups_of_a_list():
    unfreeze = GradualUnfreeze(["head", "block2", "all"], every=4)
    assert unfreeze.epochs == {0: ("head",), 4: ("block2",), 8: ("all",)}


def test_training_equals_one_with_the_other_layers_frozen_by_hand():
    unfrozen, by_hand = build(), build()
    fit(unfrozen, [GradualUnfreeze(["head"])], epochs=2)
    by_hand.get_layer("backbone").trainable = False
    by_hand.compile(optimizers.Adam(0.02), "mse", jit_compile=False)
    fit(by_hand, [], epochs=2)
    for a, b in zip(unfrozen.get_weights(), by_hand.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7)


def test_the_optimizer_keeps_its_state_when_a_group_joins():
    record, model = Record(), build()
    fit(model, [GradualUnfreeze({0: "head", 1: "all"}), record], epochs=2)
    end, begin = record.optimizer[1:3]
    momentum = [path for path in end if "head" in path]
    assert momentum
    assert any(np.any(end[path]) for path in momentum)
    for path in momentum:
        np.testing.assert_array_equal(begin[path], end[path])
    assert int(model.optimizer.iterations) == 8


def test_layers_are_as_trainable_afterwards_as_before():
    model = build()
    model.get_layer("backbone").get_layer("block2").trainable = False
    model.get_layer("head").bias.trainable = False
    record = Record()
    fit(model, [GradualUnfreeze({0: "head", 1: "all"}), record], epochs=2)
    assert record.moved(0) == {"head/kernel"}
    assert record.moved(1) == {"head/kernel"} | BLOCK1 | NORM
    fit(model, [GradualUnfreeze(["head"])], epochs=1)
    assert {w.path for w in model.trainable_weights} == {
        "head/kernel",
        *BLOCK1,
        "block1_norm/gamma",
        "block1_norm/beta",
    }
    record = Record()
    fit(model, [record], epochs=1)
    assert record.moved(0) == {"head/kernel"} | BLOCK1 | NORM


def test_an_exception_does_not_leave_layers_frozen():
    class Break(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            raise RuntimeError("broken")

    model = build()
    with pytest.raises(RuntimeError, match="broken"):
        fit(model, [GradualUnfreeze(["head", "all"]), Break()])
    assert len(model.trainable_weights) == 8


@pytest.mark.parametrize("averaging", representative([False, True], True))
def test_a_fit_that_goes_on_is_the_same_bit_for_bit(averaging):
    class Bridge(keras.callbacks.Callback):
        """Saves or loads at the beginning of epoch 2, as Checkpoint does."""

        saved = None

        def __init__(self, others, *, load):
            super().__init__()
            self.others, self.load = others, load

        def on_epoch_begin(self, epoch, logs=None):
            variables = [*self.model.variables, *self.model.optimizer.variables]
            if epoch == 2 and not self.load:
                states = [each.state_dict() for each in self.others]
                Bridge.saved = states, [v.numpy() for v in variables]
            elif epoch == 2:
                for variable, value in zip(variables, Bridge.saved[1], strict=True):
                    variable.assign(value)
                for each, state in zip(self.others, Bridge.saved[0], strict=True):
                    each.load_state_dict(state)

        def on_train_begin(self, logs=None):
            self.model.optimizer.build(self.model.trainable_variables)

    def run(load, **arguments):
        model = build()
        others = [GradualUnfreeze(["head", "block2", "block1/?", "all"])]
        others += [WeightAveraging(decay=0.8)] * averaging
        use = [Bridge(others, load=load), *others]
        history = fit(model, use, epochs=5, validation_data=(X, Y), **arguments)
        return model.get_weights(), history["val_loss"]

    weights, losses = run(False)
    again, rest = run(True, initial_epoch=2)
    assert rest == losses[2:]
    for a, b in zip(again, weights, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ("head", "`groups`"),
        ({}, "`groups`"),
        ({1: "head"}, "epoch 0"),
        ({-1: "head"}, "`groups`"),
        ({0: "("}, "`groups`"),
        ([5], "`groups`"),
    ],
)
def test_bad_groups(groups, message):
    with pytest.raises(InputError, match=message):
        GradualUnfreeze(groups)


def test_bad_every():
    with pytest.raises(InputError, match="`every`"):
        GradualUnfreeze(["head"], every=0)


@pytest.mark.parametrize(
    ("groups", "message"), [(["head", "block9"], "'block9'"), (["input"], "epoch 0")]
)
def test_patterns_that_find_nothing_are_refused(groups, message):
    model = build()
    before = model.get_weights()
    with pytest.raises(InputError, match=message):
        fit(model, [GradualUnfreeze(groups)])
    for a, b in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)
    assert len(model.trainable_weights) == 8


REPLICAS = """
from contextlib import nullcontext
from kerasrecipes.callbacks.gradual_unfreeze import GradualUnfreeze
rng = np.random.default_rng(0)
x = rng.normal(size=(32, 4)).astype("float32")
with strategy.scope() if strategy else nullcontext():
    keras.utils.set_random_seed(1)
    layers = [keras.layers.Dense(4, name="low"), keras.layers.Dense(2, name="head")]
    model = keras.Sequential([keras.Input((4,)), *layers])
    model.compile(kr.optimizers.SGD(0.1, global_clipnorm=0.5), "mse", jit_compile=False)
before = model.layers[0].kernel.numpy()
kernels = []
end = keras.callbacks.LambdaCallback(
    on_epoch_end=lambda *_: kernels.append(model.layers[0].kernel.numpy())
)
model.fit(x, x[:, :2], batch_size=8, epochs=2, shuffle=False, verbose=0,
          callbacks=[GradualUnfreeze(["head", "low"]), end])
moved = [bool(np.any(kernel != before)) for kernel in kernels]
report(moved=moved, weights=[w.ravel().tolist() for w in model.get_weights()])
"""


@pytest.mark.multi_device
def test_replicas_unfreeze_like_one():
    one, two = (run_on_replicas(REPLICAS, replicas=n) for n in (1, 2))
    assert one["moved"] == two["moved"] == [False, True]
    for a, b in zip(one["weights"], two["weights"], strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-5, atol=1e-6)
