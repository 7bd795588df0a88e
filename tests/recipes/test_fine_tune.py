"""Fine-tuning: backbones, the new head, what trains when and how fast, saving, errors."""

import inspect

import keras
import numpy as np
import pytest

import kerasrecipes as kr
from kerasrecipes._checks import InputError
from kerasrecipes.recipes import _backbones, fine_tune
from tests.harness import check_save_round_trip
from tests.recipes.images import TARGET, XV, YV, X, Y, check_space
from tests.recipes.wrong import names
from tests.replicas import run_on_replicas

NEW = "binary"
HEAD = ["head", "head_norm"]
LABELS = (Y == 2).astype("int32")
RNG = np.random.default_rng(0)
VECTORS = RNG.normal(size=(64, 5)).astype("float32")
CLASSES = (VECTORS[:, 0] > 0).astype("int32")


def convolutional(**arguments):
    own = {"filters": (4, 6, 8), "seed": 0, "preprocessing": keras.layers.Rescaling(1 / 255)}
    return kr.recipes.cnn((10, 10, 1), TARGET, **{**own, **arguments})


def dense(depth=6, normalized=False):
    """A backbone of vectors: dense layers "dense_1" and so on, some of them normalised."""
    layers = [keras.Input((5,))]
    for index in range(1, depth + 1):
        layers.append(keras.layers.Dense(5, activation="tanh", name=f"dense_{index}"))
        if normalized:
            layers.append(keras.layers.BatchNormalization(name=f"norm_{index}"))
    return keras.Sequential(layers, name="dense")


def weights_of(model, pattern=""):
    return {w.path: w.numpy() for w in model.weights if pattern in w.path}


def changed(before, after):
    return {path for path in before if not np.array_equal(before[path], after[path])}


def test_a_new_head_on_the_features():
    trained = convolutional()
    model = fine_tune(trained, NEW, dropout=0.3)
    features = trained.count_params() - (8 * 3 + 3)
    assert model.count_params() == features + 4 * 8 + 8 + 1
    assert fine_tune(trained, NEW, normalization=False).count_params() == features + 8 + 1
    assert [layer.name for layer in model.layers] == [
        *("inputs", "cnn", "head_norm", "dropout", "head", "predictions")
    ]
    vectors = keras.Model(trained.inputs, trained.get_layer("mean").output).predict(X, verbose=0)
    kernel, bias = (w.numpy() for w in model.get_layer("head").weights)
    vectors = vectors.astype("float64") / np.sqrt(1 + 1e-3)
    expected = 1 / (1 + np.exp(-(vectors @ kernel + bias)))
    np.testing.assert_allclose(model.predict(X, verbose=0), expected, atol=1e-5)


def test_maps_are_averaged_and_a_layer_can_be_named():
    model = fine_tune(convolutional(), NEW, layer="stage_2_conv_1")
    assert model.get_layer("mean").output.shape == (None, 6)
    assert model.get_layer("head").kernel.shape == (6, 1)
    assert fine_tune(dense(), NEW).get_layer("head").kernel.shape == (5, 1)
    sequence = keras.Sequential([keras.Input((7, 3)), keras.layers.GRU(4, return_sequences=True)])
    assert fine_tune(sequence, NEW).get_layer("mean").output.shape == (None, 4)


def test_groups_are_equal_parts_from_the_head_down():
    def names(parts):
        return [[pattern[5:-5] for pattern in part] for part in parts]

    assert names(_backbones.groups(dense(5), 2)) == [
        [r"dense_5", r"dense_4"],
        [r"dense_3", r"dense_2", r"dense_1"],
    ]
    assert names(_backbones.groups(dense(2), 3)) == [["dense_2"], ["dense_1"]]
    wrapped = keras.Sequential([keras.Input((5,)), keras.layers.Rescaling(2.0), dense(2)])
    assert names(_backbones.groups(wrapped, 2)) == [["dense_2"], ["dense_1"]]


@pytest.mark.parametrize(
    ("epochs", "expected"),
    [(1, [0, 1]), (2, [0, 1]), (6, [0, 1, 2, 3]), (12, [0, 2, 4, 6]), (100, [0, 16, 33, 50])],
)
def test_groups_join_in_the_first_half(epochs, expected):
    assert sorted(fine_tune(dense(), NEW).unfreezing(epochs).epochs) == expected


class Trained(keras.callbacks.Callback):
    """Which layers each epoch has changed."""

    def on_train_begin(self, logs=None):
        self.epochs = []

    def on_epoch_begin(self, epoch, logs=None):
        self.before = weights_of(self.model)

    def on_epoch_end(self, epoch, logs=None):
        paths = changed(self.before, weights_of(self.model))
        self.epochs.append(sorted({path.split("/")[-2] for path in paths}))


@pytest.mark.slow
def test_groups_train_when_they_have_joined():
    model = fine_tune(dense(3), NEW, groups=3, optimizer="sgd", seed=0)
    log = Trained()
    model.fit(VECTORS, CLASSES, epochs=6, verbose=0, callbacks=[log])
    assert log.epochs == [
        HEAD,
        ["dense_3", *HEAD],
        ["dense_2", "dense_3", *HEAD],
        *[["dense_1", "dense_2", "dense_3", *HEAD]] * 3,
    ]
    own = kr.callbacks.GradualUnfreeze({0: "^head$", 1: "all"})
    model.fit(VECTORS, CLASSES, epochs=2, verbose=0, callbacks=[log, own])
    assert log.epochs == [["head"], ["dense_1", "dense_2", "dense_3", *HEAD]]


def test_all_or_nothing_may_train_from_the_start():
    for unfreeze, expected in (("all", ["dense_1", "dense_2", *HEAD]), ("head", HEAD)):
        model = fine_tune(dense(2), NEW, unfreeze=unfreeze, optimizer="sgd")
        log = Trained()
        model.fit(VECTORS, CLASSES, epochs=1, verbose=0, callbacks=[log])
        assert log.epochs == [expected]


def test_rates_shrink_from_group_to_group():
    """One step of plain gradient descent moves group g by factor^g of what it would else."""
    plain = {"name": "sgd", "momentum": 0.0}
    options = {"unfreeze": "all", "schedule": None, "learning_rate": 0.5, "clip_norm": None}
    start = dense(3).get_weights()
    moved = []
    for factor in (1.0, 0.25):
        backbone = dense(3)
        backbone.set_weights(start)
        model = fine_tune(
            backbone, NEW, rate_factor=factor, optimizer=plain, dropout=0.0, seed=0, **options
        )
        before = weights_of(model)
        model.fit(VECTORS, CLASSES, batch_size=64, verbose=0)
        moved.append({path: after - before[path] for path, after in weights_of(model).items()})
    for path, full in moved[0].items():
        group = {"head": 0, "dense_3": 1, "dense_2": 2, "dense_1": 3}.get(path.split("/")[-2])
        if group is not None:
            np.testing.assert_allclose(moved[1][path], 0.25**group * full, atol=2e-6)


@pytest.mark.parametrize("freeze", [True, False])
def test_batch_normalisation_stays_as_it_was(freeze):
    model = fine_tune(dense(2, normalized=True), NEW, unfreeze="all", freeze_normalization=freeze)
    before = weights_of(model)
    model.fit(VECTORS, CLASSES, epochs=2, verbose=0)
    paths = changed(before, weights_of(model))
    assert any("dense_1" in path for path in paths)
    assert any("norm_" in path for path in paths) != freeze


def test_saves_and_goes_on(tmp_path):
    """Blocks with batch normalisation inside come back frozen, and the optimizer as it was."""
    model = fine_tune(convolutional(), NEW, seed=0)
    model.fit(X, LABELS, epochs=4, batch_size=50, verbose=0)
    loaded = check_save_round_trip(model, XV, tmp_path)
    assert isinstance(loaded, kr.recipes.FineTuneModel)
    assert loaded.recipe.arguments["backbone"] == "cnn"
    for a, b in zip(model.optimizer.variables, loaded.optimizer.variables, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    before = weights_of(loaded, "moving")
    assert len(before) == 8
    loaded.fit(X, LABELS, epochs=1, batch_size=50, verbose=0)
    moved = changed(before, weights_of(loaded, "moving"))
    assert {path.split("/")[-2] for path in moved} == {"head_norm"}


def test_a_trained_backbone_learns_from_a_few_rows():
    """Better than the same network whose backbone has seen nothing."""
    trained = convolutional(filters=(8, 16), augmentation=None)
    trained.fit(X, Y, epochs=12, batch_size=16, verbose=0)
    found = []
    for backbone in (trained, convolutional(filters=(8, 16), augmentation=None)):
        model = fine_tune(backbone, NEW, dropout=0.0, unfreeze="head", seed=0)
        model.fit(X[:24], LABELS[:24], epochs=20, batch_size=8, verbose=0)
        found.append(model.evaluate(XV, YV == 2, verbose=0, return_dict=True)["accuracy"])
    assert found[0] > 0.85, found
    assert found[0] > found[1], found


def test_backbones_come_from_files_and_functions(tmp_path):
    trained = dense(2)
    path = str(tmp_path / "trained.keras")
    trained.save(path)
    trained.save_weights(tmp_path / "trained.weights.h5")
    for model in (
        fine_tune(path, NEW),
        fine_tune(lambda: keras.models.clone_model(trained), NEW, weights=path[:-5] + "weights.h5"),
        fine_tune(lambda: trained, NEW),
    ):
        found = weights_of(model, "dense_2")
        for a, b in zip(found.values(), weights_of(trained, "dense_2").values(), strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("mode", ["tf", "torch", "caffe"])
def test_preprocessing_equals_that_of_keras(mode):
    x = RNG.uniform(0, 255, size=(4, 6, 6, 3)).astype("float32")
    inputs = keras.Input((6, 6, 3))
    model = keras.Model(inputs, _backbones.PREPROCESSING[mode](inputs))
    expected = keras.applications.imagenet_utils.preprocess_input(x.copy(), mode=mode)
    np.testing.assert_allclose(model.predict(x, verbose=0), expected, atol=2e-4)


def test_the_modes_are_those_of_the_models():
    x = np.array([[[[10.0, 100.0, 250.0]]]], "float32")
    names = set(_backbones.applications())
    seen = set()
    for module in vars(keras.applications).values():
        if not inspect.ismodule(module) or not hasattr(module, "preprocess_input"):
            continue
        expected = np.asarray(module.preprocess_input(x.copy()))
        for name in names & set(vars(module)):
            found = _backbones.PREPROCESSING[_backbones.expected_by(name)](x)
            found = keras.ops.convert_to_numpy(found)
            np.testing.assert_allclose(found, expected, atol=2e-4, err_msg=name)
            seen.add(name)
    assert names - seen == {"MobileNetV3Large", "MobileNetV3Small"}  # their module names neither
    expected = np.asarray(keras.applications.mobilenet_v3.preprocess_input(x.copy()))
    np.testing.assert_array_equal(expected, x)
    assert {_backbones.expected_by(name) for name in names - seen} == {"nothing"}


@pytest.mark.slow
def test_models_of_keras_by_name_with_a_file_of_weights(tmp_path):
    shape = (32, 32, 3)
    trained = keras.applications.MobileNet(include_top=False, weights=None, input_shape=shape)
    path = tmp_path / "mobile.weights.h5"
    trained.save_weights(path)
    model = fine_tune("MobileNet", TARGET, input_shape=shape, weights=path, seed=0)
    x = RNG.uniform(0, 255, size=(8, *shape)).astype("float32")
    maps = trained.predict(keras.applications.mobilenet.preprocess_input(x.copy()), verbose=0)
    vectors = keras.Model(model.inputs, model.get_layer("mean").output).predict(x, verbose=0)
    np.testing.assert_allclose(vectors, maps.mean(axis=(1, 2)), atol=1e-4)
    assert not any(
        layer.trainable
        for layer in model.get_layer(trained.name.split("_")[0] + "_1.00_32").layers
        if isinstance(layer, keras.layers.BatchNormalization)
    )
    model.fit(x, np.arange(8) % 3, epochs=2, verbose=0)
    check_save_round_trip(model, x, tmp_path, atol=1e-4)
    vgg = fine_tune("VGG16", TARGET, input_shape=shape)
    check_save_round_trip(vgg, x, tmp_path, atol=1e-4)
    with pytest.raises(InputError, match="`weights` cannot be used"):
        fine_tune("MobileNetV2", TARGET, input_shape=shape, weights=path)


@pytest.mark.slow
def test_passes_its_own_checks():
    model = fine_tune(convolutional(), NEW, seed=0)
    report = kr.sanity.check(model, (X, LABELS), validation_data=(XV, YV == 2))
    assert not report.failures, report


def test_the_search_space_starts_at_the_defaults():
    check_space(fine_tune, lambda: dense(2), {})


ON_REPLICAS = """
from tests.recipes.images import X, Y, TARGET
def trained():
    return kr.recipes.cnn((10, 10, 1), TARGET, filters=(4, 6), seed=0, augmentation=None)
model = kr.recipes.fine_tune(
    trained, TARGET, dropout=0.0, seed=0, strategy=strategy, unfreeze="all"
)
x = X.astype("float32") / 255
model.fit(x[:48], Y[:48], batch_size=16, epochs=2, shuffle=False, verbose=0)
report(weights=[float(abs(w).sum()) for w in model.get_weights()],
       predictions=model.predict(x[:8], verbose=0).tolist())
"""


@pytest.mark.multi_device
def test_two_replicas_train_as_one_device_does():
    one, two = (run_on_replicas(ON_REPLICAS, replicas=n) for n in (1, 2))
    for name in one:
        np.testing.assert_allclose(two[name], one[name], rtol=2e-3, atol=2e-4, err_msg=name)


CLASSIFIER = keras.Sequential(
    [keras.Input((5,)), keras.layers.Dense(4, name="hidden"), keras.layers.Dense(3, "softmax")]
)
BAD = [
    ({"backbone": "MobilNetV2"}, "`backbone`.*Did you mean 'MobileNetV2'"),
    ({"backbone": 5}, "`backbone` must be a Keras model"),
    ({"backbone": "nowhere.keras"}, "`backbone` must be the path of a file that exists"),
    ({"backbone": keras.Sequential([keras.layers.Dense(3)])}, "`backbone` must be a built model"),
    ({"backbone": CLASSIFIER}, "`backbone` must give features.*layer='hidden'"),
    ({"layer": "dense_9"}, "`layer` must be one of.*Did you mean 'dense_"),
    ({"input_shape": (5,)}, "`input_shape` must be for a name"),
    ({"weights": "nowhere.h5"}, "`weights` must be a file that exists"),
    ({"weights": "imagenet"}, "`weights` must be a file, or None"),
    ({"target": "multiclas"}, "Did you mean"),
    ({"unfreeze": "slowly"}, "`unfreeze`"),
    ({"groups": 0}, "`groups`"),
    ({"rate_factor": 0.0}, "`rate_factor`"),
    ({"freeze_normalization": 1}, "`freeze_normalization` must be True or False"),
    ({"normalization": "batch"}, "`normalization` must be True or False"),
    ({"dropout": 1.0}, "`dropout`"),
    ({"preprocessing": "tf"}, "`preprocessing`"),
    ({"augmentation": "lihgt"}, "`augmentation`"),
    ({"learning_rate": -1.0}, "`learning_rate`"),
    ({"strategy": "fast"}, "`strategy`"),
    ({"seed": 1.5}, "`seed`"),
]


@pytest.mark.parametrize(("change", "message"), BAD, ids=names(BAD))
def test_bad_input(change, message):
    arguments = {"target": NEW, **change}
    backbone = arguments.pop("backbone", None) or dense(2)
    with pytest.raises(InputError, match=message):
        fine_tune(backbone, arguments.pop("target"), **arguments)
