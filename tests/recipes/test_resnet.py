"""The residual recipe for images: parameters, its options, saving, learning, errors."""

import keras
import numpy as np
import pytest

import kerasrecipes as kr
from kerasrecipes._checks import InputError
from kerasrecipes.data.augment import ImagePolicy
from kerasrecipes.recipes import resnet
from tests.harness import check_save_round_trip, representative
from tests.recipes.images import TARGET, XV, YV, X, Y, cells, check_space
from tests.recipes.wrong import EVERYWHERE, names
from tests.replicas import run_on_replicas

SHAPE = (10, 10, 1)


def small(shape=SHAPE, target=TARGET, **arguments):
    own = {"filters": (8, 12), "seed": 0, "preprocessing": keras.layers.Rescaling(1 / 255)}
    return resnet(shape, target, **{**own, **arguments})


def features(model, before="mean"):
    """The part of a model up to the input of a layer."""
    return keras.Model(model.inputs, model.get_layer(before).input)


def convolutions(channels, filters, blocks, stem=3):
    """(inputs, filters, size) of every convolution, the shortcuts included."""
    found = [(channels, filters[0], stem)]
    width = filters[0]
    for stage, wider in enumerate(filters):
        for block in range(blocks):
            found += [(width, wider, 3), (wider, wider, 3)]
            if width != wider or (stage and block == 0):
                found.append((width, wider, 1))
            width = wider
    return found


def test_parameters_are_predictable():
    """S1.4: kernels, four numbers for each normalised channel, and the head."""
    ten = kr.targets.Multiclass(10)
    for side, filters in ((28, (16, 32, 64, 128)), (8, (32, 64, 128))):
        expected = cells(convolutions(1, filters, 1)) + filters[-1] * 10 + 10
        assert resnet((side, side), ten).count_params() == expected
    for arguments in ({}, {"blur_pool": True, "stochastic_depth": 0.2, "zero_gamma": False}):
        model = resnet((12, 9, 3), ten, filters=(4, 6, 6), blocks=2, **arguments)
        assert model.count_params() == cells(convolutions(3, (4, 6, 6), 2)) + 6 * 10 + 10
    model = resnet((12, 9, 3), ten, filters=(4, 6), squeeze_excite=2)
    gates = sum(2 * 4 * width + 4 + width for width in (4, 6))
    assert model.count_params() == cells(convolutions(3, (4, 6), 1)) + gates + 6 * 10 + 10
    model = resnet((224, 224, 3), ten, filters=(4, 6))
    assert model.count_params() == cells(convolutions(3, (4, 6), 1, stem=7)) + 6 * 10 + 10


def test_every_stage_but_the_first_halves():
    for shape, filters, stem, expected in (
        ((28, 28), (4, 4, 4, 4), "auto", (4, 4)),
        ((28, 21), (4, 4, 4), "auto", (7, 6)),
        ((224, 160, 3), (4, 4), "auto", (28, 20)),
        ((224, 160, 3), (4, 4), "small", (112, 80)),
    ):
        for blur_pool in (False, True):
            model = resnet(shape, TARGET, filters=filters, stem=stem, blur_pool=blur_pool)
            assert model.get_layer("mean").input.shape[1:] == (*expected, 4)


def test_one_channel_may_go_without_its_axis():
    assert small((10, 10)).input_shape == (None, 10, 10)


@pytest.mark.parametrize(
    "normalization", representative(["batch", "layer", "group", None], "batch", None)
)
def test_a_network_begins_as_its_shortcuts(normalization):
    """Branches are zero at first: what comes out of a block is the activation of what went in."""
    options = {"filters": (32,), "normalization": normalization, "blocks": 2}
    model = small(**options)
    before = features(model, "stage_1_block_1_conv_1").predict(X, verbose=0)
    np.testing.assert_array_equal(features(model).predict(X, verbose=0), np.maximum(before, 0))
    other = features(small(**options, zero_gamma=False)).predict(X, verbose=0)
    assert not np.allclose(other, np.maximum(before, 0))


def convolved(x, kernel, stride=1):
    """A convolution with padding "same" in NumPy."""
    size = kernel.shape[0]
    places = [-(-n // stride) for n in x.shape[1:3]]
    lost = [max((p - 1) * stride + size - n, 0) for p, n in zip(places, x.shape[1:3], strict=True)]
    wide = np.pad(x, ((0, 0), *[(n // 2, n - n // 2) for n in lost], (0, 0)))
    found = 0.0
    for i in range(size):
        for j in range(size):
            rows = slice(i, i + stride * (places[0] - 1) + 1, stride)
            columns = slice(j, j + stride * (places[1] - 1) + 1, stride)
            found = found + wide[:, rows, columns] @ kernel[i, j]
    return found


def reference(model, x):
    """The probabilities of a network of two stages of one block, in NumPy float64."""

    def block(x, name, stride=1):
        layer = model.get_layer(name)
        gamma, beta, mean, variance = (w.numpy().astype("float64") for w in layer.norm.weights)
        y = convolved(x, layer.linear.kernel.numpy().astype("float64"), stride)
        return gamma * (y - mean) / np.sqrt(variance + 1e-3) + beta

    def relu(x):
        return np.maximum(x, 0)

    x = relu(block(x / 255, "stem"))
    x = relu(x + block(relu(block(x, "stage_1_block_1_conv_1")), "stage_1_block_1_conv_2"))
    branch = block(relu(block(x, "stage_2_block_1_conv_1", 2)), "stage_2_block_1_conv_2")
    mean = x.reshape(len(x), 5, 2, 5, 2, -1).mean(axis=(2, 4))
    x = relu(block(mean, "stage_2_block_1_shortcut") + branch).mean(axis=(1, 2))
    kernel, bias = (w.numpy().astype("float64") for w in model.get_layer("head").weights)
    z = np.exp(x @ kernel + bias)
    return z / z.sum(axis=1, keepdims=True)


def test_equals_the_formula():
    model = small()
    model.fit(X, Y, epochs=1, batch_size=16, verbose=0)
    found = model.predict(X[:20], verbose=0)
    np.testing.assert_allclose(found, reference(model, X[:20].astype("float64")), atol=1e-5)


def test_gates_and_dropped_branches_come_last():
    model = small(squeeze_excite=4, stochastic_depth=0.2, blocks=2)
    rates = [layer.rate for layer in model.layers if isinstance(layer, kr.layers.StochasticDepth)]
    assert rates == pytest.approx([0.05, 0.1, 0.15, 0.2])
    for name in ("stage_1_block_1", "stage_2_block_2"):
        gate, depth = model.get_layer(f"{name}_gate"), model.get_layer(f"{name}_depth")
        assert gate.ratio == 4
        assert gate.input is model.get_layer(f"{name}_conv_2").output
        assert depth.input is gate.output
        assert any(each is depth.output for each in model.get_layer(f"{name}_sum").input)
    seeds = {layer.seed for layer in model.layers if isinstance(layer, kr.layers.StochasticDepth)}
    assert len(seeds) == 4


@pytest.mark.slow
def test_a_shift_changes_less_after_a_blur():
    """What the blur is for: the same picture one position further on."""
    rng = np.random.default_rng(0)
    wide = rng.normal(size=(20, 18, 18, 3)).astype("float32")
    changes = []
    for blur_pool in (False, True):
        model = resnet(
            (16, 16, 3), TARGET, filters=(8, 8, 8), blur_pool=blur_pool, zero_gamma=False, seed=0
        )
        means = keras.Model(model.inputs, model.get_layer("mean").output)
        here, there = (means.predict(wide[:, i : i + 16, :16], verbose=0) for i in (0, 1))
        changes.append(np.abs(here - there).mean() / here.std())
    assert changes[1] < changes[0]


def test_augmentation_follows_from_the_rows():
    for arguments, some in (({}, True), ({"rows": 50_000}, False), ({"augmentation": None}, False)):
        model = small(**arguments)
        assert any(isinstance(layer, ImagePolicy) for layer in model.layers) == some


@pytest.mark.slow
def test_seed_decides_weights_and_draws():
    runs = []
    for seed in (1, 1, 2):
        model = small(seed=seed, stochastic_depth=0.3, squeeze_excite=4)
        model.fit(kr.data.batches(X, Y, batch_size=50, seed=0), epochs=1, verbose=0)
        runs.append(model.get_weights())
    for a, b in zip(runs[0], runs[1], strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.allclose(runs[0][0], runs[2][0])


LEARN = [
    {},
    {"squeeze_excite": 4, "blur_pool": True, "stochastic_depth": 0.1, "activation": "prelu"},
    {"normalization": "group", "filters": (32, 32), "activation": "gelu", "zero_gamma": False},
    {"normalization": None, "l2": 1e-4, "dropout": 0.1},
    {"optimizer": "sgd", "learning_rate": 0.2, "label_smoothing": 0.1},
]


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    representative(LEARN, LEARN[1]),
    ids=lambda arguments: "-".join(arguments) or "defaults",
)
def test_learns_saves_and_goes_on(arguments, tmp_path):
    model = small(**{"augmentation": None, **arguments})
    history = model.fit(X, Y, epochs=10, batch_size=16, verbose=0).history
    assert history["accuracy"][-1] > 0.8, history
    loaded = check_save_round_trip(model, XV, tmp_path)
    assert loaded.recipe.name == "resnet"
    assert loaded.target == TARGET
    expected = model.evaluate(XV, YV, verbose=0, return_dict=True)
    assert loaded.evaluate(XV, YV, verbose=0, return_dict=True) == pytest.approx(expected, rel=1e-5)
    loaded.fit(X, Y, epochs=1, batch_size=16, verbose=0)


def test_passes_its_own_checks():
    report = kr.sanity.check(small(), (X, Y), validation_data=(XV, YV))
    assert not report.failures, report
    assert not report.warnings, report


def test_the_search_space_starts_at_the_defaults():
    check_space(resnet, lambda: SHAPE, {"filters": (4, 4)})


ON_REPLICAS = """
from tests.recipes.images import X, Y, TARGET
model = kr.recipes.resnet(
    (10, 10, 1), TARGET, filters=(4, 6), augmentation=None, seed=0, strategy=strategy,
    squeeze_excite=2, preprocessing=keras.layers.Rescaling(1 / 255),
)
model.fit(X[:48], Y[:48], batch_size=16, epochs=2, shuffle=False, verbose=0)
report(weights=[float(abs(w).sum()) for w in model.get_weights()],
       predictions=model.predict(X[:8], verbose=0).tolist())
"""


@pytest.mark.multi_device
def test_two_replicas_train_as_one_device_does():
    one, two = (run_on_replicas(ON_REPLICAS, replicas=n) for n in (1, 2))
    for name in one:
        np.testing.assert_allclose(two[name], one[name], rtol=2e-3, atol=2e-4, err_msg=name)


BAD = [
    *EVERYWHERE,
    ({"input_shape": (784,)}, "`input_shape` must be the shape of an image"),
    ({"input_shape": (1, 28, 28)}, "`input_shape` must be an image with its channels last"),
    ({"filters": (8, 0)}, "`filters`"),
    ({"blocks": (1, 2, 3)}, "`blocks`"),
    ({"stem": "big"}, "`stem`"),
    ({"zero_gamma": 1}, "`zero_gamma` must be True or False"),
    ({"blur_pool": "yes"}, "`blur_pool` must be True or False"),
    ({"squeeze_excite": 0}, "`squeeze_excite`"),
    ({"squeeze_excite": True}, "`squeeze_excite`"),
    ({"stochastic_depth": 1.0}, "`stochastic_depth`"),
    ({"activation": "rellu"}, "rellu"),
    ({"normalization": "bach"}, "`normalization`"),
    ({"augmentation": "lihgt"}, "Did you mean 'light'"),
    ({"rows": 0.5}, "`rows`"),
]


@pytest.mark.parametrize(("change", "message"), BAD, ids=names(BAD))
def test_bad_input(change, message):
    arguments = {"input_shape": SHAPE, "target": TARGET, "filters": (4, 4), **change}
    with pytest.raises(InputError, match=message):
        resnet(arguments.pop("input_shape"), arguments.pop("target"), **arguments)
