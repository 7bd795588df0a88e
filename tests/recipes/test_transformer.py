"""The transformer: parameters, kernels, padding, tokens, warm-up, saving, learning, errors."""

import keras
import numpy as np
import pytest
from sklearn.datasets import load_digits

import kerasrecipes as kr
from kerasrecipes._checks import InputError
from kerasrecipes.recipes import transformer
from tests.harness import check_save_round_trip, representative
from tests.recipes.sequences import PADDING, RAGGED, TARGET, X, Y, check_first_guess, padded
from tests.recipes.wrong import EVERYWHERE, names
from tests.replicas import run_on_replicas

SMALL = {"layers": 1, "units": 16, "num_heads": 2, "seed": 0}
RNG = np.random.default_rng(0)
TOKENS = RNG.integers(1, 20, (120, 15)).astype("int32")
TOKENS[np.arange(120), RNG.integers(0, 8, 120)] = 20 + Y  # one of three tokens tells the class
TOKENS[np.arange(15) >= RNG.integers(8, 16, 120)[:, None]] = 0


def small(shape=(24, 2), target=TARGET, **arguments):
    return transformer(shape, target, **{**SMALL, **arguments})


def parameters(first, layers, units, hidden, classes):
    attention = 4 * (units * units + units)
    maps = units * hidden + hidden + hidden * units + units
    each = attention + maps + 2 * 2 * units
    return first + layers * each + 2 * units + units * classes + classes


def test_parameters_are_predictable():
    """S1.4."""
    ten = kr.targets.Multiclass(10)
    for channels in (1, 3):
        model = transformer((40, channels), ten)
        assert model.count_params() == parameters(5 * channels * 64 + 64, 2, 64, 256, 10)
    model = transformer((40, 3), ten, layers=3, units=24, num_heads=3, hidden_units=7, strides=4)
    assert model.count_params() == parameters(5 * 3 * 24 + 24, 3, 24, 7, 10)
    model = transformer((40,), ten, vocabulary_size=50)
    assert model.count_params() == parameters(50 * 64, 2, 64, 256, 10)


def test_kernels_of_attention_have_the_right_variance_and_differ():
    """Keras starts them all equal under a seed."""
    model = small(units=64, num_heads=8)
    plain = keras.layers.MultiHeadAttention(
        8, 8, kernel_initializer=keras.initializers.GlorotUniform(seed=0)
    )
    plain.build((None, 24, 64), (None, 24, 64))
    faulty = [w.numpy() for w in plain.weights if w.path.endswith("kernel")]
    np.testing.assert_array_equal(faulty[0], faulty[1])
    kernels = [w.numpy() for w in model.get_layer("layer_1_attention").weights if w.ndim == 3]
    assert len(kernels) == 4
    for index, kernel in enumerate(kernels):
        assert kernel.var() == pytest.approx(1 / 64, rel=0.1)
        for other in kernels[:index]:
            assert not np.allclose(kernel.ravel(), other.ravel())


def test_padding_changes_nothing():
    """Every series of a padded batch is predicted as it is by itself, whatever the padding."""
    series, y = RAGGED
    model = small((None, 2), mask_value=PADDING)
    model.fit(padded(series), y, epochs=2, verbose=0)
    expected = np.concatenate([model(each[None]) for each in series[:15]])
    for steps in (24, 33):
        found = model.predict(padded(series[:15], steps=steps), verbose=0)
        np.testing.assert_allclose(found, expected, atol=1e-5)
    assert np.ptp(expected[:, 0]) > 1e-3


def test_padding_of_tokens_changes_nothing():
    model = small((None,), vocabulary_size=23)
    model.fit(TOKENS, Y, epochs=2, verbose=0)
    longer = np.pad(TOKENS, ((0, 0), (0, 9)))
    expected = np.concatenate([model(each[each > 0][None]) for each in TOKENS[:15]])
    for tokens in (TOKENS, longer):
        found = model.predict(tokens[:15], verbose=0)
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_order_counts():
    model = small(dropout=0.0, kernel_size=1)
    assert not np.allclose(model(X), model(X[:, ::-1]), atol=1e-4)


def test_strides_make_patches():
    model = small(kernel_size=4, strides=4)
    assert model.get_layer("mean").input.shape[1] == 6


def test_normalisation_comes_first():
    names = [layer.name for layer in small(dropout=0.0).layers]
    order = ["attention_norm", "attention", "attention_sum", "hidden_norm", "hidden", "output"]
    places = [names.index(f"layer_1_{name}") for name in order]
    assert places == sorted(places)
    assert names.index("norm") < names.index("mean")


def test_the_rate_warms_up():
    schedule = small().optimizer.schedule
    assert (type(schedule).__name__, schedule.warmup) == ("Cosine", 0.1)
    assert schedule.learning_rate == pytest.approx(0.001)
    assert small(schedule={"name": "cosine", "warmup": 5}).optimizer.schedule.warmup == 5
    assert float(small(schedule=None).optimizer.learning_rate) == pytest.approx(0.001)


LEARN = [
    {},
    {"vocabulary_size": 23},
    {"mask_value": PADDING, "label_smoothing": 0.1, "strides": 2},
    {"layers": 2, "activation": "relu", "l2": 1e-5, "optimizer": "nadam", "dropout": 0.0},
]


@pytest.mark.parametrize(
    "arguments",
    representative(LEARN, LEARN[0]),
    ids=lambda arguments: "-".join(arguments) or "defaults",
)
def test_learns_saves_and_goes_on(arguments, tmp_path):
    tokens = "vocabulary_size" in arguments
    x, shape = (TOKENS, (15,)) if tokens else (X, (24, 2))
    model = small(shape, learning_rate=0.005, **arguments)
    history = model.fit(x, Y, epochs=15, batch_size=16, verbose=0).history["loss"]
    assert history[-1] < 0.6 * history[0]
    loaded = check_save_round_trip(model, x, tmp_path)
    again = transformer(**loaded.recipe.arguments)
    assert [w.path for w in again.weights] == [w.path for w in model.weights]
    expected = model.evaluate(x, Y, verbose=0, return_dict=True)
    assert loaded.evaluate(x, Y, verbose=0, return_dict=True) == pytest.approx(expected, rel=1e-5)
    loaded.fit(x, Y, epochs=1, batch_size=16, verbose=0)


def test_seed_decides_weights():
    models = [small(seed=seed) for seed in (1, 1, 2)]
    first, again, other = ([w.numpy() for w in model.weights] for model in models)
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.allclose(first[0], other[0])


def test_penalty_is_on_kernels_only():
    model = small(l2=0.1)
    kernels = [w.numpy() for w in model.trainable_weights if w.path.endswith("kernel")]
    assert len(kernels) == 8
    expected = 0.1 * sum((kernel.astype("float64") ** 2).sum() for kernel in kernels)
    assert float(sum(model.losses)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.slow
def test_silent_in_its_own_sanity_check():
    """Digits read row by row."""
    x, y = load_digits(return_X_y=True)
    rows = kr.data.split(x.reshape(-1, 8, 8) / 16, y, validation=0.2, test=0.2, seed=0)
    target = kr.targets.Multiclass(10).adapt(rows.train.y)
    model = transformer((8, 8), target, units=32, seed=0)
    report = kr.sanity.check(model, tuple(rows.train), validation_data=tuple(rows.validation))
    assert not (*report.failures, *report.warnings), str(report)


def test_the_search_begins_with_the_recipe_as_it_is():
    check_first_guess(transformer)


@pytest.mark.multi_device
def test_two_replicas_equal_one():
    code = """
        from tests.recipes.sequences import PADDING, RAGGED, TARGET, padded
        series, y = RAGGED
        model = kr.recipes.transformer(
            (24, 2), TARGET, layers=1, units=8, num_heads=2, dropout=0.0, mask_value=PADDING,
            strategy=strategy, seed=0,
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
    ({"input_shape": (None,)}, r"`input_shape` must be \(None, channels\)"),
    ({"vocabulary_size": 9}, r"`input_shape` must be \(steps,\) for tokens"),
    ({"vocabulary_size": 1, "input_shape": (5,)}, "`vocabulary_size`.*Count the padding"),
    ({"vocabulary_size": 9, "mask_value": 0}, "`mask_value` is for inputs that are numbers"),
    ({"vocabulary_size": 9, "strides": 2}, "`strides` is for inputs that are numbers"),
    ({"layers": 0}, "`layers`"),
    ({"units": 0}, "`units`"),
    ({"units": 15}, "`units` must be a multiple of num_heads=2"),
    ({"num_heads": 0}, "`num_heads`"),
    ({"hidden_units": 0}, "`hidden_units`"),
    ({"kernel_size": 0}, "`kernel_size`"),
    ({"strides": 0}, "`strides`"),
    ({"activation": "rellu"}, "rellu"),
    ({"activation": None}, "`activation`"),
    ({"initializer": "hee"}, "hee"),
    ({"mask_value": "0"}, "`mask_value`"),
]


@pytest.mark.parametrize(("change", "message"), BAD, ids=names(BAD))
def test_bad_input(change, message):
    arguments = {"input_shape": (24, 2), "target": TARGET, **SMALL, **change}
    with pytest.raises(InputError, match=message):
        transformer(arguments.pop("input_shape"), arguments.pop("target"), **arguments)
