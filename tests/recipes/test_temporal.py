"""The convolutional recipe for sequences: parameters, padding, saving, learning, errors."""

import keras
import numpy as np
import pytest
from sklearn.datasets import load_digits

import kerasrecipes as kr
from kerasrecipes._checks import InputError
from kerasrecipes.recipes import temporal
from tests.harness import check_save_round_trip, representative
from tests.recipes.sequences import PADDING, RAGGED, TARGET, X, Y, check_first_guess, padded
from tests.recipes.wrong import EVERYWHERE, names
from tests.replicas import run_on_replicas

SMALL = {"filters": (8, 8), "kernel_size": (5, 3), "seed": 0}


def small(shape=(24, 2), target=TARGET, **arguments):
    return temporal(shape, target, **{**SMALL, **arguments})


def parameters_of_fcn(channels, filters, sizes, units):
    """Kernels, four numbers of batch normalisation for each channel, and the head."""
    total = 0
    for width, size in zip(filters, sizes, strict=True):
        total += size * channels * width + 4 * width
        channels = width
    return total + channels * units + units


def parameters_of_resnet(channels, filters, sizes, units):
    """The same for each unit, and its shortcut where the channels change."""
    total = 0
    for width in filters:
        before = channels
        for size in sizes:
            total += size * channels * width + 4 * width
            channels = width
        if before != width:
            total += before * width + 4 * width
    return total + channels * units + units


@pytest.mark.parametrize("channels", [1, 3])
def test_parameters_are_predictable(channels):
    """S1.4."""
    ten = kr.targets.Multiclass(10)
    for form, count, filters in (
        ("fcn", parameters_of_fcn, (64, 128, 64)),
        ("resnet", parameters_of_resnet, (32, 64, 64)),
    ):
        model = temporal((40, channels), ten, form=form)
        assert model.count_params() == count(channels, filters, (7, 5, 3), 10)
        model = temporal((40, channels), ten, form=form, filters=(4, 6), kernel_size=(3, 2))
        assert model.count_params() == count(channels, (4, 6), (3, 2), 10)


def test_shapes():
    """One channel may go without its axis; further axes are channels; any length may be left."""
    for shape in ((24,), (24, 1), (24, 2, 3), (None, 4)):
        model = temporal(shape, TARGET, filters=(4,), kernel_size=(3,))
        assert model.input_shape == (None, *shape)
        assert model.output_shape == (None, 3)
    any_length = temporal((None, 2), TARGET, filters=(4,), kernel_size=(3,))
    for steps in (5, 9):
        assert any_length.predict(X[:2, :steps], verbose=0).shape == (2, 3)


def test_strides_shorten_the_series():
    for form in ("fcn", "resnet"):
        model = small(form=form, strides=(2, 3))
        assert model.get_layer("mean").input.shape[1] == 4  # of 24
        model = small(form=form, strides=2)
        assert model.get_layer("mean").input.shape[1] == 6


def test_a_unit_begins_as_its_shortcut():
    model = small(form="resnet", filters=(8,), activation="linear")
    features = keras.Model(model.inputs, model.get_layer("mean").input)
    shortcut = model.get_layer("unit_1_shortcut").linear.kernel.numpy()[0]
    expected = X.astype("float64") @ shortcut / np.sqrt(1 + 1e-3)
    np.testing.assert_allclose(features.predict(X, verbose=0), expected, atol=1e-5)


def test_moving_statistics_keep_up_with_short_fits():
    """After 20 updates they are 88 % of the way; Keras's momentum of 0.99 has come to 18 %."""
    found = []
    for normalization in ("batch", {"name": "batch", "momentum": 0.99}):
        model = small(normalization=normalization, learning_rate=1e-9)
        model.fit(X + 5, Y, batch_size=120, epochs=20, verbose=0)
        found.append(model.get_layer("block_1").norm.moving_mean.numpy())
    ours, slow = 1 - 0.9**20, 1 - 0.99**20
    np.testing.assert_allclose(found[0] / ours, found[1] / slow, rtol=1e-3)


def reference(model, series):
    """The probabilities of an FCN in NumPy float64, for one series without padding."""
    x = np.asarray(series, "float64")
    for name in ("block_1", "block_2"):
        block = model.get_layer(name)
        kernel = block.linear.kernel.numpy().astype("float64")
        left = (len(kernel) - 1) // 2
        wide = np.pad(x, ((left, len(kernel) - 1 - left), (0, 0)))
        x = sum(wide[i : i + len(x)] @ kernel[i] for i in range(len(kernel)))
        gamma, beta, mean, variance = (w.numpy().astype("float64") for w in block.norm.weights)
        x = np.maximum(gamma * (x - mean) / np.sqrt(variance + 1e-3) + beta, 0)
    kernel, bias = (w.numpy().astype("float64") for w in model.get_layer("head").weights)
    z = x.mean(axis=0) @ kernel + bias
    return np.exp(z - z.max()) / np.exp(z - z.max()).sum()


def test_padding_changes_nothing():
    """Every series of a padded batch is predicted as it is by itself."""
    series, y = RAGGED
    model = small((None, 2), mask_value=PADDING)
    model.fit(padded(series), y, epochs=3, verbose=0)
    expected = np.stack([reference(model, each) for each in series[:40]])
    for steps in (24, 40):
        found = model.predict(padded(series[:40], steps=steps), verbose=0)
        np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("form", representative(["fcn", "resnet"], "resnet"))
def test_padding_changes_nothing_in_training(form):
    """Statistics, gradients and strides leave padding out, so more of it trains the same."""
    series, y = RAGGED
    found = []
    for steps in (24, 48):
        model = small((None, 2), mask_value=PADDING, form=form, strides=(1, 2))
        model.fit(padded(series, steps=steps), y, epochs=2, verbose=0, shuffle=False)
        found.append(model.get_weights())
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, atol=2e-4)


def test_statistics_of_real_steps():
    series, y = RAGGED
    scaled = kr.data.normalization(np.concatenate(series) * 100 + 7)
    model = small((None, 2), mask_value=PADDING, preprocessing=scaled)
    x = padded([each * 100 + 7 for each in series])
    z = keras.Model(model.inputs, scaled.output).predict(x, verbose=0)[x[..., 0] != PADDING]
    np.testing.assert_allclose(z.mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(z.std(axis=0), 1, atol=1e-4)


LEARN = [
    {},
    {"form": "resnet", "dropout": 0.1},
    {"form": "resnet", "filters": (8, 16), "strides": (1, 2), "activation": "prelu"},
    {"normalization": None, "activation": "selu", "l2": 1e-4, "form": "resnet"},
    {"normalization": "layer", "activation": "gelu", "optimizer": "sgd", "learning_rate": 0.1},
    {"mask_value": PADDING, "label_smoothing": 0.1, "schedule": None},
]


@pytest.mark.parametrize(
    "arguments",
    representative(LEARN, LEARN[1], LEARN[5]),
    ids=lambda arguments: "-".join(arguments) or "defaults",
)
def test_learns_saves_and_goes_on(arguments, tmp_path):
    model = small(**arguments)
    history = model.fit(X, Y, epochs=12, batch_size=16, verbose=0).history["accuracy"]
    assert history[-1] > 0.8
    loaded = check_save_round_trip(model, X, tmp_path)
    assert loaded.recipe.name == "temporal"
    again = temporal(**loaded.recipe.arguments)
    assert [w.path for w in again.weights] == [w.path for w in model.weights]
    expected = model.evaluate(X, Y, verbose=0, return_dict=True)
    assert loaded.evaluate(X, Y, verbose=0, return_dict=True) == pytest.approx(expected, rel=1e-5)
    loaded.fit(X, Y, epochs=1, batch_size=16, verbose=0)


def test_every_target():
    for target, units in (
        (kr.targets.Regression(2), 2),
        (kr.targets.Binary(), 1),
        (kr.targets.Multilabel(5), 5),
        ("count", 1),
    ):
        assert small(target=target).output_shape == (None, units)


def test_penalty_is_on_kernels_only():
    model = small(l2=0.1, form="resnet")
    kernels = [w.numpy() for w in model.trainable_weights if w.path.endswith("kernel")]
    expected = 0.1 * sum((kernel.astype("float64") ** 2).sum() for kernel in kernels)
    assert float(sum(model.losses)) == pytest.approx(expected, rel=1e-5)


def test_seed_decides_weights_and_layers_of_one_seed_differ():
    kernels = [small(seed=seed, form="resnet").get_weights()[0] for seed in (1, 1, 2)]
    np.testing.assert_array_equal(kernels[0], kernels[1])
    assert not np.allclose(kernels[0], kernels[2])
    model = small(filters=(8, 8, 8), kernel_size=(3, 3, 3))
    second, third = (model.get_layer(name).linear.kernel.numpy() for name in ("block_2", "block_3"))
    assert not np.allclose(second, third)


def test_its_own_rate_is_for_its_own_optimizer():
    def rate(**arguments):
        return float(small(schedule=None, **arguments).optimizer.learning_rate)

    assert rate() == pytest.approx(0.01)
    assert rate(learning_rate=0.1) == pytest.approx(0.1)
    assert rate(optimizer="adam") == pytest.approx(0.001)
    finished = kr.schedules.Constant(0.5)
    assert small(schedule=finished).optimizer.schedule.learning_rate == 0.5
    small(optimizer=keras.optimizers.Adam(0.01), schedule=None)


@pytest.mark.parametrize("form", representative(["fcn", "resnet"], "resnet"))
def test_silent_in_its_own_sanity_check(form):
    """Digits read row by row."""
    x, y = load_digits(return_X_y=True)
    rows = kr.data.split(x.reshape(-1, 8, 8) / 16, y, validation=0.2, test=0.2, seed=0)
    target = kr.targets.Multiclass(10).adapt(rows.train.y)
    model = temporal((8, 8), target, form=form, filters=(16, 16, 16), seed=0)
    report = kr.sanity.check(model, tuple(rows.train), validation_data=tuple(rows.validation))
    assert not (*report.failures, *report.warnings), str(report)


def test_the_search_begins_with_the_recipe_as_it_is():
    check_first_guess(temporal)


@pytest.mark.multi_device
def test_two_replicas_equal_one():
    code = """
        from tests.recipes.sequences import PADDING, RAGGED, TARGET, padded
        series, y = RAGGED
        model = kr.recipes.temporal(
            (24, 2), TARGET, form="resnet", filters=(6,), kernel_size=(3, 3),
            mask_value=PADDING, strategy=strategy, seed=0,
        )
        x = padded(series)
        model.fit(x, y, epochs=2, batch_size=24, verbose=0, shuffle=False)
        report(p=model.predict(x, verbose=0).ravel().tolist())
    """
    one, two = (run_on_replicas(code, replicas=count)["p"] for count in (1, 2))
    np.testing.assert_allclose(one, two, atol=1e-5)


BAD = [
    *EVERYWHERE,
    ({"input_shape": ()}, "`input_shape`"),
    ({"input_shape": (0, 2)}, "`input_shape`"),
    ({"input_shape": (None,)}, r"`input_shape` must be \(None, channels\)"),
    ({"input_shape": (24, None)}, "`input_shape`"),
    ({"form": "resent"}, "Did you mean 'resnet'"),
    ({"filters": 64}, "`filters`"),
    ({"filters": ()}, "`filters`"),
    ({"filters": (8, 0)}, "`filters`"),
    ({"kernel_size": 3}, "`kernel_size`"),
    ({"kernel_size": (3,)}, "`kernel_size` must be one integer for each of 2 `filters`"),
    ({"strides": (2,)}, "`strides` must be one integer, or one for each of 2 `filters`"),
    ({"strides": 0}, "`strides`"),
    ({"activation": "rellu"}, "rellu"),
    ({"initializer": "hee"}, "hee"),
    ({"normalization": "bach"}, "`normalization`"),
    ({"mask_value": "0"}, "`mask_value`"),
    ({"mask_value": float("nan")}, "`mask_value`"),
]


@pytest.mark.parametrize(("change", "message"), BAD, ids=names(BAD))
def test_bad_input(change, message):
    arguments = {"input_shape": (24, 2), "target": TARGET, **SMALL, **change}
    with pytest.raises(InputError, match=message):
        temporal(arguments.pop("input_shape"), arguments.pop("target"), **arguments)
