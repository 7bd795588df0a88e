"""Every member of the family "augment" meets the contracts; none escapes."""

import inspect

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasrecipes import InputError, _export
from kerasrecipes.data import augment
from kerasrecipes.data.augment.batch_step import BatchStep
from tests.harness import check_config_round_trip, check_save_round_trip

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 8, 8, 3)).astype("uint8")
TEXTS = np.array([f"a{row} b{row} c{row} d{row} e{row}" for row in range(6)], object)

LAYERS = {
    "ImagePolicy": (lambda **k: augment.ImagePolicy("strong", value_range=(0, 255), **k), IMAGES),
    "RandAugment": (lambda **k: augment.RandAugment(3, 0.7, value_range=(0, 255), **k), IMAGES),
    "WordDropout": (lambda **k: augment.WordDropout(0.4, **k), TEXTS),
    "WordSwap": (lambda **k: augment.WordSwap(0.4, **k), TEXTS),
}
STEPS = {
    "MixUp": lambda **k: augment.MixUp(0.7, classes=4, **k),
    "CutMix": lambda **k: augment.CutMix(0.7, classes=4, **k),
    "LabelSmoothing": lambda **k: augment.LabelSmoothing(0.2, classes=4, **k),
}
FUNCTIONS = {"apply"}


def array(x):
    """The tensor as NumPy, texts as str."""
    x = np.array(x)
    return x.astype(str) if x.dtype == object else x


def tensor(x):
    return tf.constant(x)


def test_no_member_escapes():
    members = _export.members("augment")
    assert set(members) == {*LAYERS, *STEPS, *FUNCTIONS}
    for name, thing in members.items():
        assert getattr(augment, name) is thing
        expected = keras.layers.Layer if name in LAYERS else BatchStep
        assert name in FUNCTIONS or issubclass(thing, expected)


@pytest.mark.parametrize("name", [*LAYERS, *STEPS])
def test_saved_under_the_name_of_the_family(name):
    found = keras.saving.get_registered_object(f"kerasrecipes.augment>{name}")
    assert found is getattr(augment, name)


@pytest.mark.parametrize("name", [*LAYERS, *STEPS])
def test_config_has_every_argument_and_comes_back(name):
    make = LAYERS[name][0] if name in LAYERS else STEPS[name]
    thing = make(seed=5)
    clone = check_config_round_trip(thing)
    for base in type(thing).__mro__:
        if base.__module__.startswith("kerasrecipes"):
            for argument in inspect.signature(base.__init__).parameters:
                if argument not in ("self", "args", "kwargs"):
                    assert argument in thing.get_config()
                    assert getattr(clone, argument) == getattr(thing, argument)


@pytest.mark.parametrize("name", LAYERS)
def test_inference_is_the_identity_and_training_is_not(name):
    make, x = LAYERS[name]
    layer = make(seed=0)
    assert (array(layer(tensor(x))) == array(x)).all()
    assert (array(layer(tensor(x), training=False)) == array(x)).all()
    assert (array(layer(tensor(x), training=True)) != array(x)).any()


@pytest.mark.parametrize("name", LAYERS)
def test_same_seed_same_stream(name):
    make, x = LAYERS[name]
    first, second, other = make(seed=3), make(seed=3), make(seed=4)
    streams = [
        [array(layer(tensor(x), training=True)) for _ in range(3)]
        for layer in (first, second, other)
    ]
    assert all((a == b).all() for a, b in zip(streams[0], streams[1], strict=True))
    assert any((a != b).any() for a, b in zip(streams[0], streams[2], strict=True))
    assert (streams[0][0] != streams[0][1]).any()


@pytest.mark.parametrize("name", STEPS)
def test_steps_repeat_for_a_seed_and_work_in_a_plain_map(name):
    x, y = IMAGES, np.array([0, 1, 2, 3, 0, 1])
    first, second = STEPS[name](seed=3)(x, y), STEPS[name](seed=3)(x, y)
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    plain = tf.data.Dataset.from_tensors((x, y)).map(STEPS[name](seed=3))
    for a, b in zip(next(iter(plain)), first, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-4)


@pytest.mark.parametrize("name", LAYERS)
def test_inside_a_model_that_is_saved_and_loaded(name, tmp_path):
    make, x = LAYERS[name]
    dtype = "string" if x is TEXTS else "uint8"
    inputs = keras.Input(x.shape[1:], dtype=dtype)
    augmented = make(seed=0)(inputs)
    assert augmented.shape == inputs.shape
    if dtype == "string":
        table = keras.layers.TextVectorization(output_mode="multi_hot")
        table.adapt(TEXTS)
        augmented = table(augmented)
    outputs = keras.layers.Dense(2)(keras.layers.Flatten()(augmented))
    model = keras.Model(inputs, outputs)
    model.compile("sgd", "mse")
    loaded = check_save_round_trip(model, tensor(x), tmp_path)
    again = [array(m(tensor(x), training=True)) for m in (model, loaded)]
    np.testing.assert_allclose(*again, atol=1e-4)  # the stream goes on where it was
    model.fit(tensor(x), np.zeros((len(x), 2)), verbose=0)


@pytest.mark.parametrize("name", ["ImagePolicy", "RandAugment"])
@pytest.mark.parametrize("policy", ["mixed_float16", "float16", "bfloat16", "float64"])
def test_dtype_policies(name, policy):
    make, x = LAYERS[name]
    layer = make(seed=0, dtype=policy)
    y = layer(tensor(x), training=True)
    assert keras.backend.standardize_dtype(y.dtype) == policy.removeprefix("mixed_")
    y = np.array(tf.cast(y, "float32"))
    assert y.shape == x.shape
    assert np.isfinite(y).all()
    assert y.min() >= 0
    assert y.max() <= 255.5
    wide = np.array(make(seed=0)(tensor(x), training=True))
    np.testing.assert_allclose(y, wide, rtol=1 / 128 if policy == "bfloat16" else 1 / 1024)


@pytest.mark.parametrize("name", [*LAYERS, *STEPS])
@pytest.mark.parametrize("seed", [0.5, "a", True])
def test_bad_seed(name, seed):
    make = LAYERS[name][0] if name in LAYERS else STEPS[name]
    with pytest.raises(InputError, match="`seed`"):
        make(seed=seed)
