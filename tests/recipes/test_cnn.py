"""The plain recipe for images: parameters, stems, augmentation, saving, learning, errors."""

import keras
import numpy as np
import pytest

import kerasrecipes as kr
from kerasrecipes._checks import InputError
from kerasrecipes.data.augment import ImagePolicy
from kerasrecipes.recipes import cnn
from tests.harness import check_save_round_trip, representative
from tests.recipes.images import TARGET, XV, YV, X, Y, cells, check_space
from tests.recipes.wrong import EVERYWHERE, names
from tests.replicas import run_on_replicas

SHAPE = (10, 10, 1)


def small(shape=SHAPE, target=TARGET, **arguments):
    own = {"filters": (8, 12), "seed": 0, "preprocessing": keras.layers.Rescaling(1 / 255)}
    return cnn(shape, target, **{**own, **arguments})


def layers_of(model, kind):
    return [layer for layer in model.layers if isinstance(layer, kind)]


def test_parameters_are_predictable():
    """S1.4: kernels, four numbers for each normalised channel, and the head."""
    ten = kr.targets.Multiclass(10)
    widths = {28: (16, 32, 64, 128), 8: (32, 64, 128), 64: (16, 32, 64, 128, 256)}
    for side, filters in widths.items():
        inputs = (1, *filters)
        expected = cells([(i, f, 3) for i, f in zip(inputs, filters, strict=False)])
        model = cnn((side, side, 1), ten)
        assert model.count_params() == expected + filters[-1] * 10 + 10
    model = cnn((12, 9, 3), ten, filters=(4, 6), blocks=(2, 1), kernel_size=5)
    assert model.count_params() == cells([(3, 4, 5), (4, 4, 5), (4, 6, 5)]) + 6 * 10 + 10
    model = cnn((12, 9, 3), ten, filters=(4,), normalization=None)
    assert model.count_params() == 9 * 3 * 4 + 4 + 4 * 10 + 10


@pytest.mark.parametrize(
    ("side", "rows", "depths"),
    [
        (28, None, [1, 1, 1, 1]),
        (28, 49_999, [1, 1, 1, 1]),
        (28, 50_000, [1, 1, 2, 2]),
        (8, 60_000, [1, 1, 2]),
        (64, 60_000, [1, 1, 1, 2, 2]),
    ],
)
def test_the_depth_follows_from_the_rows(side, rows, depths):
    names = [layer.name for layer in cnn((side, side, 1), TARGET, rows=rows).layers]
    convolutions = [name for name in names if "_conv_" in name]
    assert convolutions == [
        f"stage_{stage}_conv_{index + 1}"
        for stage, depth in enumerate(depths, start=1)
        for index in range(depth)
    ]
    given = cnn((side, side, 1), TARGET, rows=rows, blocks=1)
    assert sum("_conv_" in layer.name for layer in given.layers) == len(depths)


def test_stems_and_halving():
    model = cnn((224, 160, 3), TARGET, filters=(4, 6))
    assert model.get_layer("stem").kernel_size == (7, 7)
    assert model.get_layer("mean").input.shape[1:] == (28, 20, 6)
    assert model.count_params() == cells([(3, 4, 7), (4, 4, 3), (4, 6, 3)]) + 6 * 3 + 3
    for arguments in ({"stem": "small"}, {"stem": "small", "pooling": "average"}):
        model = cnn((224, 160, 3), TARGET, filters=(4, 6), **arguments)
        assert model.get_layer("mean").input.shape[1:] == (112, 80, 6)
    assert "stem" not in [layer.name for layer in cnn((64, 64, 3), TARGET).layers]
    odd = cnn((5, 3), TARGET, filters=(4, 4, 4), pooling="blur")
    assert odd.get_layer("mean").input.shape[1:] == (2, 1, 4)
    assert len(layers_of(odd, kr.layers.BlurPool)) == 2


def test_one_channel_may_go_without_its_axis():
    model = small((10, 10))
    assert model.input_shape == (None, 10, 10)
    same = small()
    same.set_weights(model.get_weights())
    np.testing.assert_allclose(
        model.predict(X[..., 0], verbose=0), same.predict(X, verbose=0), atol=1e-6
    )


def test_blocks_are_in_order():
    """S4: no bias, batch normalisation, activation; the fused kernel; the mean; dropout last."""
    model = small(dropout=0.4)
    for block in layers_of(model, kr.layers.ConvBlock):
        assert [type(step).__name__ for step in block.steps] == [
            "Conv2D",
            "FusedBatchNormalization",
            "Activation",
        ]
        assert not block.linear.use_bias
        assert block.norm.momentum == 0.9
    tail = [layer.name for layer in model.layers[-4:]]
    assert tail == ["mean", "dropout", "head", "predictions"]
    assert model.get_layer("dropout").rate == 0.4


def test_augmentation_follows_from_the_rows():
    def policy(**arguments):
        found = layers_of(small(**arguments), ImagePolicy)
        return found[0] if found else None

    for arguments in ({}, {"rows": 49_999}, {"augmentation": {"name": "light", "flip": False}}):
        layer = policy(**arguments)
        assert (layer.policy, layer.flip, layer.crop, layer.factor) == ("light", False, 0.125, 0)
    for arguments in ({"rows": 50_000}, {"augmentation": None}):
        assert policy(**arguments) is None
    assert policy(augmentation="light", rows=10**6).flip == "horizontal"
    strong = policy(augmentation={"name": "strong", "value_range": (0, 255)})
    assert (strong.factor, strong.erasing) == (0.5, 0.25)
    layer = keras.layers.RandomFlip()
    assert layer in small(augmentation=layer).layers


def test_augmentation_is_for_training_only():
    model = small()
    np.testing.assert_array_equal(model.predict(X, verbose=0), model.predict(X, verbose=0))
    layer = model.get_layer("augmentation")
    assert model.layers.index(layer) < model.layers.index(
        layers_of(model, keras.layers.Rescaling)[0]
    )
    moved = keras.ops.convert_to_numpy(layer(X, training=True))
    assert (moved != X).any()
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(layer(X)), X)


def test_seed_decides_weights_and_draws():
    runs = []
    for seed in (1, 1, 2):
        model = small(seed=seed, dropout=0.3)
        model.fit(kr.data.batches(X, Y, batch_size=32, seed=0), epochs=1, verbose=0)
        runs.append(model.get_weights())
    for a, b in zip(runs[0], runs[1], strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.allclose(runs[0][0], runs[2][0])


def test_rates():
    peak = [small().optimizer._learning_rate.learning_rate]
    peak.append(small(learning_rate=0.1).optimizer._learning_rate.learning_rate)
    peak.append(float(small(optimizer="sgd", schedule=None).optimizer.learning_rate))
    assert peak == pytest.approx([0.005, 0.1, float(kr.optimizers.SGD().learning_rate)])


LEARN = [
    {},
    {"pooling": "blur", "blocks": 2, "augmentation": {"name": "light", "flip": False}},
    {"normalization": "group", "filters": (32, 32), "activation": "gelu", "pooling": "average"},
    {"normalization": None, "activation": "selu", "l2": 1e-4, "dropout": 0.1},
    {"optimizer": "sgd", "learning_rate": 0.2, "label_smoothing": 0.1},
]


@pytest.mark.parametrize(
    "arguments",
    representative(LEARN, LEARN[1]),
    ids=lambda arguments: "-".join(arguments) or "defaults",
)
def test_learns_saves_and_goes_on(arguments, tmp_path):
    model = small(**{"augmentation": None, **arguments})
    history = model.fit(X, Y, epochs=12, batch_size=16, verbose=0).history
    assert history["accuracy"][-1] > 0.8, history
    loaded = check_save_round_trip(model, XV, tmp_path)
    assert isinstance(loaded, kr.recipes.RecipeModel)
    assert loaded.recipe.name == "cnn"
    assert loaded.target == TARGET
    expected = model.evaluate(XV, YV, verbose=0, return_dict=True)
    assert loaded.evaluate(XV, YV, verbose=0, return_dict=True) == pytest.approx(expected, rel=1e-5)
    loaded.fit(X, Y, epochs=1, batch_size=16, verbose=0)


def test_heads_of_other_targets():
    for target, units, activation in (
        (kr.targets.Regression(2), 2, "linear"),
        (kr.targets.Binary(), 1, "sigmoid"),
        (kr.targets.Multilabel(4), 4, "sigmoid"),
    ):
        model = small(target=target)
        assert model.output_shape == (None, units)
        assert model.get_layer("predictions").activation.__name__ == activation


def test_passes_its_own_checks():
    report = kr.sanity.check(small(), (X, Y), validation_data=(XV, YV))
    assert not report.failures, report
    assert not report.warnings, report


def test_the_search_space_starts_at_the_defaults():
    check_space(cnn, lambda: SHAPE, {"filters": (4, 4)})


ON_REPLICAS = """
from tests.recipes.images import X, Y, TARGET
model = kr.recipes.cnn(
    (10, 10, 1), TARGET, filters=(4, 6), augmentation=None, seed=0, strategy=strategy,
    preprocessing=keras.layers.Rescaling(1 / 255),
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
    ({"input_shape": (3, 32, 32)}, "`input_shape` must be an image with its channels last"),
    ({"input_shape": (None, 32, 3)}, "`input_shape`"),
    ({"filters": ()}, "`filters`"),
    ({"filters": 32}, "`filters`"),
    ({"filters": (8, 0)}, "`filters`"),
    ({"blocks": (1, 2, 3)}, "`blocks` must be one integer, or one for each of the 2 stages"),
    ({"blocks": 0}, "`blocks`"),
    ({"kernel_size": 0}, "`kernel_size`"),
    ({"stem": "big"}, "`stem`"),
    ({"pooling": "maximum"}, "`pooling`.*Did you mean 'max'"),
    ({"activation": "rellu"}, "rellu"),
    ({"normalization": "bach"}, "`normalization`"),
    ({"augmentation": "lihgt"}, "`augmentation`.*Did you mean 'light'"),
    ({"augmentation": {"flip": False}}, "`augmentation`"),
    ({"augmentation": {"name": "light", "flipp": True}}, "Did you mean 'flip'"),
    ({"augmentation": "standard"}, "`value_range`"),
    ({"augmentation": "auto", "rows": 0}, "`rows`"),
]


@pytest.mark.parametrize(("change", "message"), BAD, ids=names(BAD))
def test_bad_input(change, message):
    arguments = {"input_shape": SHAPE, "target": TARGET, "filters": (4, 4), **change}
    with pytest.raises(InputError, match=message):
        cnn(arguments.pop("input_shape"), arguments.pop("target"), **arguments)
