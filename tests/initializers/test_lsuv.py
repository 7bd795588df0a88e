"""Layer-sequential unit variance."""

import keras
import numpy as np
import pytest

import kerasrecipes as kr
from kerasrecipes.initializers import lsuv
from tests.replicas import run_on_replicas

RNG = np.random.default_rng(0)
ROWS = (3 * RNG.normal(size=(128, 12)) + 1).astype("float32")
IMAGES = RNG.uniform(size=(32, 10, 10, 3)).astype("float32")
L = keras.layers


def sequential():
    hidden = [L.Dense(16, "relu", name=f"h{i}") for i in range(4)]
    return keras.Sequential([keras.Input((12,)), *hidden, L.Dense(3, "softmax", name="head")])


def weights(model):
    return [keras.ops.convert_to_numpy(weight) for weight in model.weights]


def by_hand(x, kernels):
    """The variance before each ReLU, in NumPy float64."""
    x, found = x.astype("float64"), []
    for kernel in kernels:
        z = x @ keras.ops.convert_to_numpy(kernel).astype("float64")
        found.append(z.var())
        x = np.maximum(z, 0)
    return found


def test_every_output_has_unit_variance_by_an_independent_count():
    model = sequential()
    before = by_hand(ROWS, [layer.kernel for layer in model.layers])
    steps = lsuv(model, ROWS, seed=0)
    assert [step.kernel.split("/")[-2] for step in steps] == ["h0", "h1", "h2", "h3", "head"]
    np.testing.assert_allclose([step.before for step in steps], before, rtol=1e-4)
    after = by_hand(ROWS, [layer.kernel for layer in model.layers])
    np.testing.assert_allclose(after, 1, atol=1e-3)
    np.testing.assert_allclose([step.after for step in steps], after, rtol=1e-4)


def test_kernels_are_multiples_of_orthonormal_matrices():
    model = sequential()
    steps = lsuv(model, ROWS, seed=0)
    for layer, step in zip(model.layers, steps, strict=True):
        w = keras.ops.convert_to_numpy(layer.kernel).astype("float64") / step.factor
        gram = w.T @ w if w.shape[0] >= w.shape[1] else w @ w.T
        np.testing.assert_allclose(gram, np.eye(len(gram)), atol=1e-5)


def test_without_orthonormal_start_kernels_are_only_scaled():
    model = sequential()
    before = weights(model)
    steps = lsuv(model, ROWS, orthonormal=False)
    for layer, old, step in zip(model.layers, before[::2], steps, strict=True):
        np.testing.assert_allclose(layer.kernel, step.factor * old, rtol=1e-5)
    # A layer of unit variance has nothing left to do.
    assert [s.factor for s in lsuv(model, ROWS, orthonormal=False)] == pytest.approx([1] * 5)


def test_a_seed_makes_it_reproducible():
    made = []
    for seed in (0, 0, 1):
        model = sequential()
        lsuv(model, ROWS, seed=seed)
        made.append(weights(model)[0])
    np.testing.assert_allclose(made[0], made[1], rtol=1e-6)
    assert np.abs(made[0] - made[2]).max() > 1e-2


def test_equal_shapes_get_different_matrices():
    model = sequential()
    lsuv(model, ROWS, seed=0)
    a, b = (keras.ops.convert_to_numpy(model.layers[i].kernel) for i in (1, 2))
    assert abs(np.corrcoef(a.ravel(), b.ravel())[0, 1]) < 0.5


def unit_outputs(model, steps):
    assert steps
    assert all(abs(step.after - 1) < 0.01 for step in steps)
    return {step.kernel for step in steps}


def test_convolutions_normalisation_and_activation_layers():
    leaky = L.LeakyReLU()
    model = keras.Sequential(
        [
            keras.Input((10, 10, 3)),
            L.Conv2D(8, 3, activation=leaky),
            L.BatchNormalization(),
            L.SeparableConv2D(6, 3, activation="relu"),
            L.DepthwiseConv2D(2),
            L.Conv2DTranspose(4, 2),
            L.Dropout(0.5),
            L.Flatten(),
            L.Dense(2),
        ]
    )
    state = [weights(layer) for layer in model.layers]
    assert len(unit_outputs(model, lsuv(model, IMAGES, seed=0))) == 5
    assert model.layers[0].activation is leaky
    for before, after in zip(state[1], weights(model.layers[1]), strict=True):
        np.testing.assert_array_equal(before, after)


def test_batch_normalisation_leaves_unit_variance_in_training_too():
    blocks = [kr.layers.DenseBlock(16, seed=i, name=f"b{i}") for i in range(4)]
    model = keras.Sequential([keras.Input((12,)), *blocks])
    lsuv(model, ROWS, seed=0)
    x = ROWS
    for block in blocks:
        variance = keras.ops.convert_to_numpy(block.linear(x)).var()
        assert 0.5 < variance < 2
        x = block(x, training=True)


def test_shared_layers_count_all_their_calls():
    shared = L.Dense(12, "relu", name="shared")
    other = L.Dense(12, "relu", name="other")
    inputs = keras.Input((12,))
    model = keras.Model(inputs, shared(other(shared(inputs))))
    steps = lsuv(model, ROWS, seed=0)
    assert unit_outputs(model, steps) == {"shared/kernel", "other/kernel"}
    k, o = (keras.ops.convert_to_numpy(layer.kernel).astype("float64") for layer in (shared, other))
    first = ROWS @ k
    second = np.maximum(np.maximum(first, 0) @ o, 0) @ k
    assert np.concatenate([first, second]).var() == pytest.approx(1, abs=0.01)


def test_several_inputs_and_order_of_calls():
    late, early = L.Dense(4, name="late"), L.Dense(4, "tanh", name="early")
    a, b = keras.Input((12,), name="a"), keras.Input((12,), name="b")
    model = keras.Model({"a": a, "b": b}, late(L.Concatenate()([early(a), b])))
    steps = lsuv(model, {"a": ROWS, "b": ROWS[::-1]}, seed=0)
    assert [step.kernel for step in steps] == ["early/kernel", "late/kernel"]
    unit_outputs(model, steps)


def test_subclassed_models_and_attention():
    class Mine(keras.Model):
        def __init__(self):
            super().__init__()
            self.attention = L.MultiHeadAttention(2, 4)
            self.inside = [L.Dense(5, "relu"), L.Dense(2)]

        def call(self, x):
            x = self.attention(x, x)
            return self.inside[1](self.inside[0](x))

    model = Mine()
    steps = lsuv(model, ROWS.reshape(128, 3, 4), seed=0, max_sweeps=20)
    assert len(unit_outputs(model, steps)) == 6


def test_recipes():
    model = kr.recipes.mlp((12,), kr.targets.Multiclass(3), hidden=(16, 16), residual=True)
    steps = lsuv(model, ROWS, skip=("head",), seed=0)
    assert not any("head" in path for path in unit_outputs(model, steps))


def test_biases_take_more_than_one_sweep():
    biased = L.Dense(8, bias_initializer=keras.initializers.RandomNormal(stddev=0.5, seed=0))
    model = keras.Sequential([keras.Input((12,)), biased])
    before = weights(model)[1]
    unit_outputs(model, lsuv(model, ROWS, seed=0))
    np.testing.assert_array_equal(before, weights(model)[1])
    with pytest.raises(kr.InputError, match="in 1 sweeps"):
        lsuv(model, ROWS * 0.1, seed=1, max_sweeps=1)


def test_frozen_and_skipped_layers_stay():
    model = sequential()
    model.get_layer("h1").trainable = False
    before = weights(model)
    steps = lsuv(model, ROWS, skip=("head",), seed=0)
    assert [step.kernel.split("/")[-2] for step in steps] == ["h0", "h2", "h3"]
    after = weights(model)
    for index in (2, 8):
        np.testing.assert_array_equal(before[index], after[index])


def test_float16_policy_is_measured_in_full_precision():
    keras.config.set_dtype_policy("mixed_float16")
    model = sequential()
    unit_outputs(model, lsuv(model, ROWS, seed=0))


@pytest.mark.slow
def test_a_deep_network_that_was_dead_learns():
    def loss_after(prepare):
        keras.utils.set_random_seed(0)
        hidden = [L.Dense(16, "relu", kernel_initializer="random_normal") for _ in range(12)]
        model = keras.Sequential([keras.Input((12,)), *hidden, L.Dense(1, "sigmoid")])
        prepare(model)
        model.compile(keras.optimizers.Adam(3e-3), "binary_crossentropy")
        y = (ROWS[:, :1] > 1).astype("float32")
        return model.fit(ROWS, y, epochs=30, batch_size=128, verbose=0).history["loss"][-1]

    assert loss_after(lambda model: None) > 0.65
    assert loss_after(lambda model: lsuv(model, ROWS, seed=0)) < 0.5


def normalised():
    # the gain is the length of the columns, 0.1, far from what unit variance takes
    inner = L.Dense(4, name="inner", kernel_initializer=keras.initializers.Constant(0.05))
    wrapped = kr.layers.WeightNormalization(inner)
    return keras.Sequential([keras.Input((12,)), L.Dense(4, name="first"), wrapped])


@pytest.mark.parametrize(
    ("make", "x", "arguments", "message"),
    [
        (sequential, ROWS * 0, {}, "`x`.*'sequential.*h0/kernel'.*variance of 0"),
        (sequential, ROWS * np.nan, {}, "`x`.*variance of nan"),
        (sequential, ROWS, {"skip": ("hed",)}, "`skip`.*Did you mean 'head'"),
        (sequential, ROWS, {"tolerance": 0}, "`tolerance`"),
        (sequential, ROWS, {"max_sweeps": 0}, "`max_sweeps`"),
        (normalised, ROWS, {}, "'.*inner/kernel'.*`skip`"),
        (lambda: L.Flatten(), ROWS, {}, "`model` must hold a Dense"),
        (lambda: "model", ROWS, {}, "`model` must be"),
    ],
)
def test_errors_leave_the_weights_alone(make, x, arguments, message):
    model = make()
    before = weights(model) if isinstance(model, keras.Model) else []
    activations = [getattr(layer, "activation", None) for layer in getattr(model, "layers", [])]
    with pytest.raises(kr.InputError, match=message):
        lsuv(model, x, **arguments)
    after = weights(model) if isinstance(model, keras.Model) else []
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one, other)
    assert activations == [
        getattr(layer, "activation", None) for layer in getattr(model, "layers", [])
    ]


@pytest.mark.multi_device
def test_replicas_get_the_same_kernels_as_one_device():
    code = """
    import contextlib
    x = np.random.default_rng(0).normal(size=(64, 12)).astype("float32")
    with strategy.scope() if strategy else contextlib.nullcontext():
        model = kr.recipes.mlp((12,), kr.targets.Regression(), hidden=(8, 8), seed=0)
    kr.initializers.redraw(model, seed=1)
    steps = kr.initializers.lsuv(model, x, seed=2)
    copies = [getattr(v.value, "values", [v.value]) for v in model.trainable_variables]
    report(
        after=[step.after for step in steps],
        factors=[step.factor for step in steps],
        apart=max(float(np.abs(np.array(c) - np.array(cs[0])).max()) for cs in copies for c in cs),
    )
    """
    one, two = (run_on_replicas(code, replicas=n) for n in (1, 2))
    assert two["apart"] == 0
    assert two["after"] == pytest.approx([1, 1, 1], abs=0.01)
    assert two["factors"] == pytest.approx(one["factors"], rel=1e-5)
