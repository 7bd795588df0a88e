import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.datasets import load_digits

from kerasrecipes import InputError, data, recipes, targets
from kerasrecipes.callbacks import EpochOrder
from kerasrecipes.data import augment
from tests.harness import representative
from tests.replicas import run_on_replicas

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (20, 8, 8, 3)).astype("uint8")
LABELS = np.arange(20) % 4
TEXTS = [" ".join(f"w{i}" for i in range(12))] * 20

# Each is made anew, with whatever seed, which must not matter.
STEPS = {
    "policy": (IMAGES, lambda: augment.ImagePolicy("strong", num_ops=1, value_range=(0, 255))),
    "rand_augment": (IMAGES, lambda: augment.RandAugment(1, value_range=(0, 255), seed=7)),
    "mix_up": (IMAGES, lambda: augment.MixUp(classes=4)),
    "cut_mix": (IMAGES, lambda: augment.CutMix(classes=4, seed=3)),
    "word_dropout": (TEXTS, lambda: augment.WordDropout(0.5)),
    "word_swap": (TEXTS, lambda: augment.WordSwap(0.5)),
    "keras_rand_augment": (IMAGES, lambda: keras.layers.RandAugment(num_ops=1)),
    "keras_erasing": (IMAGES, lambda: keras.layers.RandomErasing()),
    "keras_flip": (IMAGES, lambda: keras.layers.RandomFlip()),
    "keras_dropout": (IMAGES.astype("float32"), lambda: keras.layers.Dropout(0.5)),
    "nested": (
        IMAGES.astype("float32"),
        lambda: keras.Sequential(
            [keras.layers.RandomFlip(), keras.layers.GaussianNoise(0.1), keras.layers.Rescaling(2)]
        ),
    ),
}


def batches(x=IMAGES, y=LABELS, **arguments):
    return data.batches(x, y, **{"batch_size": 6, "seed": 5, **arguments})


def passed(dataset):
    """All batches of one pass, as NumPy."""
    return [[part.numpy() for part in batch] for batch in dataset]


def same(a, b):
    return len(a) == len(b) and all(
        np.array_equal(p, q)
        for one, two in zip(a, b, strict=True)
        for p, q in zip(one, two, strict=True)
    )


OFTEN = "policy", "mix_up", "word_dropout", "nested"


@pytest.mark.parametrize("name", representative(STEPS, *OFTEN))
def test_pure_function_of_seed_epoch_and_batch(name):
    x, make = STEPS[name]
    first = augment.apply(batches(x), make(), seed=1, num_parallel_calls=1)
    epochs = [passed(first) for _ in range(3)]
    assert not same(epochs[0], epochs[1])
    assert not same(epochs[1], epochs[2])
    keras.utils.set_random_seed(99)
    again = augment.apply(batches(x), make(), seed=1, num_parallel_calls=4)
    again.epoch = 2  # a resume
    assert same(passed(again), epochs[2])
    data.begin_epoch(1)
    assert same(passed(again), epochs[1])
    other = augment.apply(batches(x), make(), seed=2)
    assert not same(passed(other), epochs[0])


def test_batches_of_an_epoch_draw_different_numbers():
    x = np.repeat(IMAGES[:1], 8, 0)
    for size in (1, 4):
        dataset = augment.apply(
            data.batches(x, shuffle=False, batch_size=size),
            augment.RandAugment(factor=1, value_range=(0, 255)),
            seed=0,
        )
        rows = np.concatenate([batch[0].numpy() for batch in dataset])
        assert len(np.unique(rows, axis=0)) >= 4


def test_equal_steps_draw_different_numbers():
    x = np.ones((4, 1000), "float32")
    dropout = keras.layers.Dropout(0.5)
    for steps in ([dropout, dropout], [keras.layers.Dropout(0.5, seed=1) for _ in range(2)]):
        (y,) = next(iter(augment.apply(data.batches(x, shuffle=False), *steps, seed=0)))
        assert (y.numpy() > 0).mean() == pytest.approx(0.25, abs=0.05)


def test_steps_keep_their_own_streams():
    layer = augment.WordDropout(0.5, seed=1)
    expected = augment.WordDropout(0.5, seed=1)(tf.constant(TEXTS), training=True)
    list(augment.apply(batches(TEXTS), layer, seed=0))
    assert (layer(tf.constant(TEXTS), training=True) == expected).numpy().all()


@pytest.mark.parametrize("parts", [1, 2, 3])
def test_kinds_of_batches(parts):
    arrays = (IMAGES, LABELS, np.ones(20, "float32"))[:parts]
    plain = tf.data.Dataset.from_tensor_slices(arrays).batch(6)
    found = passed(augment.apply(plain, augment.ImagePolicy("light"), seed=0))
    assert [len(batch) for batch in found] == [parts] * 4
    for place in range(1, parts):
        np.testing.assert_array_equal(np.concatenate([b[place] for b in found]), arrays[place])


def test_bare_inputs_stay_bare():
    plain = tf.data.Dataset.from_tensor_slices(IMAGES).batch(6)
    first = next(iter(augment.apply(plain, augment.ImagePolicy("light"), seed=0)))
    assert tuple(first.shape) == (6, 8, 8, 3)


def test_weights_pass_through_mixing():
    source = batches(sample_weight=np.full(20, 2.0))
    for x, y, w in augment.apply(source, augment.CutMix(classes=4), augment.LabelSmoothing()):
        assert x.dtype == "float32"
        np.testing.assert_allclose(y.numpy().sum(1), 1, atol=1e-6)
        np.testing.assert_allclose(w, 2, rtol=1e-6)


def test_knows_what_its_source_knows():
    found = augment.apply(batches(drop_remainder=True), augment.ImagePolicy("light"), seed=9)
    assert (len(found), found.rows, found.batch_size, found.dropped) == (3, 20, 6, 2)
    assert (found.seed, found.epoch) == (9, 0)
    assert found.element_spec[0].shape.as_list() == [6, 8, 8, 3]
    policy = found.options().experimental_distribute.auto_shard_policy
    assert policy == tf.data.experimental.AutoShardPolicy.DATA
    unknown = tf.data.Dataset.from_tensor_slices(IMAGES).batch(6).filter(lambda x: True)
    found = augment.apply(unknown, augment.ImagePolicy("light"))
    assert len(list(found)) == 4
    assert found.rows is None


def test_epoch_moves_the_order_of_the_rows_too():
    source = batches()
    found = augment.apply(source, augment.LabelSmoothing(classes=4))
    found.epoch = 6
    assert source.epoch == 6
    rows = np.concatenate([y.numpy().argmax(1) for _, y in found])
    assert (rows == LABELS[data.permutation(20, seed=5, epoch=6)]).all()


def train(spans):
    """Weights after training the given spans of epochs, each with a new dataset."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((8, 8, 3))
    model = keras.Sequential([inputs, keras.layers.Flatten(), keras.layers.Dense(4, "softmax")])
    model.compile(keras.optimizers.SGD(1e-5, momentum=0.9), "categorical_crossentropy")
    for first, last in spans:
        steps = augment.ImagePolicy("light"), augment.MixUp(classes=4)
        dataset = augment.apply(batches(), *steps, seed=1)
        model.fit(
            dataset,
            initial_epoch=first,
            epochs=last,
            shuffle=False,
            verbose=0,
            callbacks=[EpochOrder()],
        )
    return model.get_weights()


def test_resumed_training_equals_the_uninterrupted_one_bit_for_bit():
    whole, resumed = train([(0, 3)]), train([(0, 1), (1, 3)])
    assert all((a == b).all() for a, b in zip(whole, resumed, strict=True))


def digits():
    bunch = load_digits()
    x, y = (bunch.images / 16).astype("float32"), bunch.target
    return (x[:1400], y[:1400]), (x[1400:], y[1400:])


@pytest.mark.slow
def test_cnn_learns_with_augmentation_and_mixing():
    (x, y), (x_test, y_test) = digits()
    inputs = keras.Input((8, 8, 1))
    h = keras.layers.Conv2D(16, 3, activation="relu")(inputs)
    h = keras.layers.Flatten()(keras.layers.Conv2D(32, 3, activation="relu")(h))
    model = keras.Model(inputs, keras.layers.Dense(10, "softmax")(h))
    model.compile(keras.optimizers.Adam(3e-3), "categorical_crossentropy", metrics=["accuracy"])
    policy = augment.ImagePolicy("light", flip=False, fill_mode="constant")
    source = data.batches(x[..., None], y, batch_size=64, seed=0)
    train = augment.apply(source, policy, augment.MixUp(classes=10), seed=0)
    model.fit(train, epochs=8, verbose=0, shuffle=False)
    found = model.evaluate(x_test[..., None], np.eye(10)[y_test], verbose=0, return_dict=True)
    assert found["accuracy"] > 0.9


@pytest.mark.slow
def test_mlp_recipe_learns_from_mixed_labels():
    (x, y), (x_test, y_test) = digits()
    model = recipes.mlp((8, 8), targets.Multiclass(10), hidden=(64,), seed=0)
    source = data.batches(x, y, batch_size=64, seed=0)
    model.fit(augment.apply(source, augment.MixUp(classes=10), seed=0), epochs=8, verbose=0)
    found = model.evaluate(x_test, np.eye(10)[y_test], verbose=0, return_dict=True)
    assert found["accuracy"] > 0.85


def test_text_model_learns_from_raw_texts():
    texts, labels = ["good film and story", "bad film and story"] * 20, np.array([0, 1] * 20)
    table = keras.layers.TextVectorization(output_mode="multi_hot")
    table.adapt(texts)
    inputs = keras.Input((), dtype="string")
    model = keras.Model(inputs, keras.layers.Dense(2, "softmax")(table(inputs)))
    model.compile(keras.optimizers.Adam(0.05), "sparse_categorical_crossentropy")
    source = data.batches(texts, labels, batch_size=8, seed=0)
    steps = augment.WordDropout(0.2), augment.WordSwap(0.2)
    model.fit(augment.apply(source, *steps, seed=0), epochs=5, verbose=0, shuffle=False)
    predicted = model.predict(tf.constant(texts), verbose=0).argmax(1)
    assert (predicted == labels).all()


@pytest.mark.multi_device
def test_replicas_together_see_what_one_device_sees():
    code = """
    from kerasrecipes.data import augment
    x = np.arange(2 * 24 * 16, dtype="float32").reshape(48, 4, 4, 1) % 251
    source = kr.data.batches(x, np.arange(48) % 3, batch_size=12, seed=1)
    policy = augment.ImagePolicy("light")
    data = kr.data.augment.apply(source, policy, augment.MixUp(classes=3), seed=2)
    rows = []
    if strategy is not None:
        data = strategy.experimental_distribute_dataset(data)
    for epoch in range(2):
        for x, y in data:
            parts = [x] if strategy is None else strategy.experimental_local_results(x)
            rows += np.concatenate([part.numpy()[:, 1, 1, 0] for part in parts]).tolist()
    report(rows=rows)
    """
    one, two = (run_on_replicas(code, replicas=count)["rows"] for count in (1, 2))
    assert len(one) == 96
    np.testing.assert_allclose(one, two, rtol=1e-6)


@pytest.mark.parametrize(
    ("dataset", "steps", "word"),
    [
        (IMAGES, [augment.ImagePolicy("light")], "`dataset`"),
        (batches().repeat(), [augment.ImagePolicy("light")], "repeat"),
        (batches(), [], "`steps`"),
        (batches(), [lambda x: x], "`steps`"),
        (batches({"a": IMAGES}), [augment.ImagePolicy("light")], "`dataset`"),
        (batches(IMAGES[..., 0]), [augment.ImagePolicy("light")], "None"),
        (batches(), [augment.MixUp()], "`classes`"),
        (batches(IMAGES, None), [augment.MixUp(classes=4)], "`y`"),
        (batches(TEXTS), [augment.MixUp(classes=4)], "`x`"),
        (batches(), [augment.WordDropout()], "`inputs`"),
    ],
)
def test_what_cannot_work_is_refused_before_training(dataset, steps, word):
    with pytest.raises(InputError, match=word):
        augment.apply(dataset, *steps)


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"seed": -1}, "seed"),
        ({"seed": 0.5}, "seed"),
        ({"num_parallel_calls": 0}, "num_parallel_calls"),
    ],
)
def test_bad_arguments(arguments, name):
    with pytest.raises(InputError, match=f"`{name}`"):
        augment.apply(batches(), augment.ImagePolicy("light"), **arguments)
