"""The dense recipe: parameters, structure, saving, learning, and what it refuses."""

import keras
import numpy as np
import pytest

import kerasrecipes as kr
from kerasrecipes._checks import InputError
from tests.harness import check_save_round_trip, representative

RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 6)).astype("float32")
Y = np.digitize(X[:, 0] * X[:, 1], [-0.3, 0.3])
TARGET = kr.targets.Multiclass(3)


def small(**arguments):
    return kr.recipes.mlp((6,), TARGET, **{"hidden": (16,), **arguments})


def blocks(model):
    return [layer for layer in model.layers if isinstance(layer, kr.layers.DenseBlock)]


def test_parameter_counts_are_the_documents():
    """S1.4: 50 inputs, hidden 100 and 100, 10 classes, no batch normalisation."""
    model = kr.recipes.mlp((50,), kr.targets.Multiclass(10), hidden=(100, 100), normalization=None)
    assert model.count_params() == 16210
    normalized = kr.recipes.mlp((50,), kr.targets.Multiclass(10), hidden=(100, 100))
    assert normalized.count_params() == 16210 - 200 + 2 * 4 * 100


def test_images_are_flattened():
    """S1.1: 28 * 28 = 784 inputs."""
    model = kr.recipes.mlp((28, 28), kr.targets.Multiclass(10), hidden=())
    assert model.count_params() == 784 * 10 + 10


def test_head_follows_from_the_target():
    for target, units, activation in (
        (kr.targets.Regression(2), 2, "linear"),
        (kr.targets.Binary(), 1, "sigmoid"),
        (kr.targets.Multiclass(4), 4, "softmax"),
        (kr.targets.Multilabel(5), 5, "sigmoid"),
        ("count", 1, "softplus"),
    ):
        model = kr.recipes.mlp((6,), target, hidden=(4,))
        assert model.output_shape == (None, units)
        assert model.get_layer("predictions").activation.__name__ == activation


def test_no_dropout_on_the_output_and_no_bias_before_batch_norm():
    model = small(hidden=(16, 8), dropout=(0.1, 0.4))
    assert [block.drop.rate for block in blocks(model)] == [0.1, 0.4]
    assert [block.linear.use_bias for block in blocks(model)] == [False, False]
    assert [type(layer).__name__ for layer in model.layers[-2:]] == ["Dense", "Activation"]


def test_activation_chooses_initializer_and_dropout():
    selu = blocks(small(activation="selu", normalization=None, dropout=0.1))[0]
    assert isinstance(selu.drop, keras.layers.AlphaDropout)
    for activation, variance in (("relu", 2 / 300), ("selu", 1 / 300), ("tanh", 2 / 1300)):
        model = kr.recipes.mlp((300,), TARGET, hidden=(1000,), activation=activation, seed=0)
        kernel = blocks(model)[0].linear.kernel.numpy()
        assert kernel.var() == pytest.approx(variance, rel=0.03), activation


def test_penalty_is_on_kernels_only():
    model = small(l2=0.1, hidden=(16, 8))
    kernels = [w.numpy() for w in model.trainable_weights if w.path.endswith("kernel")]
    assert len(model.losses) == len(kernels) == 3
    expected = 0.1 * sum((kernel.astype("float64") ** 2).sum() for kernel in kernels)
    assert float(sum(model.losses)) == pytest.approx(expected, rel=1e-5)


def test_seed_decides_weights_and_training():
    runs = []
    for seed in (1, 1, 2):
        keras.utils.set_random_seed(seed)
        model = small(hidden=(16, 16), seed=seed)
        model.fit(X, Y, epochs=2, verbose=0, shuffle=False)
        runs.append(model.get_weights())
    np.testing.assert_array_equal(runs[0][0], runs[1][0])
    np.testing.assert_array_equal(runs[0][-2], runs[1][-2])
    assert not np.allclose(runs[0][0], runs[2][0])


def test_layers_of_one_seed_differ():
    first, second = blocks(small(hidden=(6, 6), seed=3))
    assert not np.allclose(first.linear.kernel.numpy(), second.linear.kernel.numpy())
    assert first.drop.seed != second.drop.seed


LEARN = [
    {},
    {"activation": "gelu", "normalization": "layer", "residual": True},
    {"activation": "selu", "normalization": None, "dropout": 0.1},
    {"optimizer": "sgd", "schedule": "one_cycle", "learning_rate": 0.1, "l2": 1e-4},
    {"optimizer": keras.optimizers.RMSprop, "label_smoothing": 0.1},
    {"preprocessing": keras.layers.Normalization(mean=[0.0] * 6, variance=[1.0] * 6)},
    {"output_initializer": keras.initializers.RandomNormal(stddev=0.1), "hidden": (8, 4)},
]


@pytest.mark.parametrize(
    "arguments",
    representative(LEARN, LEARN[1], LEARN[3], LEARN[5]),
    ids=lambda arguments: "-".join(arguments) or "defaults",
)
def test_learns_saves_and_goes_on(arguments, tmp_path):
    if isinstance(arguments.get("optimizer"), type):
        arguments = {**arguments, "optimizer": arguments["optimizer"](0.01)}
    model = small(hidden=(32,), **{k: v for k, v in arguments.items() if k != "hidden"}, seed=0)
    history = model.fit(X, Y, epochs=8, batch_size=16, verbose=0).history["loss"]
    assert history[-1] < history[0]
    loaded = check_save_round_trip(model, X, tmp_path)
    assert isinstance(loaded, kr.recipes.RecipeModel)
    assert loaded.recipe.name == "mlp"
    assert loaded.target == TARGET
    expected = model.evaluate(X, Y, verbose=0, return_dict=True)
    assert loaded.evaluate(X, Y, verbose=0, return_dict=True) == pytest.approx(expected, rel=1e-5)
    for a, b in zip(model.optimizer.variables, loaded.optimizer.variables, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    loaded.fit(X, Y, epochs=1, batch_size=16, verbose=0)


def test_an_untrained_model_survives_saving(tmp_path):
    check_save_round_trip(small(), X, tmp_path)


def test_a_regression_is_indifferent_to_the_unit():
    y = 1e5 + 1e4 * X[:, 0]
    model = kr.recipes.mlp((6,), kr.targets.Regression().adapt(y), hidden=(32,), dropout=0.0)
    model.fit(X, y, epochs=40, batch_size=16, verbose=0)
    assert model.evaluate(X, y, verbose=0, return_dict=True)["r2"] > 0.7


def test_cloning_the_configuration_gives_the_same_graph():
    model = small(seed=0)
    clone = kr.recipes.RecipeModel.from_config(model.get_config())
    assert clone.count_params() == model.count_params()
    assert clone.recipe.arguments["seed"] == 0


def test_fit_takes_what_keras_takes():
    model = small()
    model.fit(X, Y, 32, 1, 0, None, 0.2)
    model.fit(X, Y, verbose=0, callbacks=keras.callbacks.TerminateOnNaN())
    stopping = [kr.callbacks.EarlyStopping()]
    model.fit(X, Y, validation_split=0.2, verbose=0, callbacks=stopping)
    with pytest.raises(InputError, match="`validation_data` is missing"):
        model.fit(X, Y, verbose=0, callbacks=stopping)
    with pytest.raises(InputError, match="`validation_data` is missing"):
        model.fit(X, Y, verbose=0, callbacks=[keras.callbacks.EarlyStopping("val_loss")])


BAD = [
    ({"input_shape": (0,)}, "`input_shape`"),
    ({"input_shape": (None, 3)}, "`input_shape`"),
    ({"input_shape": "64"}, "`input_shape`"),
    ({"input_shape": ()}, "Text needs"),
    ({"target": "multiclas"}, "Did you mean"),
    ({"target": 10}, "`target`"),
    ({"hidden": 64}, "`hidden`"),
    ({"hidden": (64, 0)}, "`hidden`"),
    ({"hidden": (64.5,)}, "`hidden`"),
    ({"activation": "rellu"}, "rellu"),
    ({"initializer": "hee"}, "hee"),
    ({"normalization": "bach"}, "`normalization`"),
    ({"dropout": 1.0}, "`dropout`"),
    ({"dropout": (0.1, 0.2)}, "`dropout`"),
    ({"l2": -1}, "`l2`"),
    ({"optimizer": "adamm"}, "Did you mean"),
    ({"optimizer": {"name": "sgd", "momentun": 1}}, "Did you mean 'momentum'"),
    ({"optimizer": keras.optimizers.SGD(), "learning_rate": 1.0}, "finished SGD"),
    ({"optimizer": keras.optimizers.SGD(), "clip_norm": 0.5}, "Leave `clip_norm` out"),
    ({"optimizer": keras.optimizers.SGD(), "weight_decay": 1.0}, "Leave `weight_decay` out"),
    ({"optimizer": {"name": "sgd", "clipnorm": 1.0}, "clip_norm": 2.0}, "`clip_norm`"),
    ({"schedule": kr.schedules.Constant(0.1), "learning_rate": 0.2}, "finished Constant"),
    ({"learning_rate": -1.0}, "`learning_rate`"),
    ({"learning_rate": "fast"}, "`learning_rate`"),
    ({"schedule": "cosin"}, "Did you mean 'Cosine"),
    ({"clip_norm": 0}, "`clip_norm`"),
    ({"weight_decay": -0.1}, "`weight_decay`"),
    ({"label_smoothing": 1.5}, "`label_smoothing`"),
    ({"target": kr.targets.Regression(), "label_smoothing": 0.1}, "`label_smoothing`"),
    ({"preprocessing": "standard"}, "`preprocessing`"),
    ({"preprocessing": keras.layers.Normalization()}, "Call its `adapt` first"),
    ({"residual": "no"}, "`residual` must be True or False"),
    ({"strategy": "fast"}, "`strategy`"),
    ({"seed": 1.5}, "`seed`"),
]


@pytest.mark.parametrize(("change", "message"), BAD, ids=[str(sorted(c)) + m for c, m in BAD])
def test_bad_input(change, message):
    arguments = {"input_shape": (6,), "target": TARGET, "hidden": (8,), **change}
    with pytest.raises(ValueError, match=message) as caught:
        kr.recipes.mlp(arguments.pop("input_shape"), arguments.pop("target"), **arguments)
    assert isinstance(caught.value, InputError), type(caught.value)


def test_batches_go_on_where_an_interrupted_fit_was():
    def losses(model, data, **arguments):
        return model.fit(data, verbose=0, **arguments).history["loss"]

    def fresh():
        keras.utils.set_random_seed(0)
        return small(dropout=0.0, seed=0), kr.data.batches(X, Y, batch_size=16, seed=5)

    model, data = fresh()
    whole = losses(model, data, epochs=4)
    model, data = fresh()
    parts = losses(model, data, epochs=2) + losses(model, data, epochs=4, initial_epoch=2)
    assert parts == whole
    model, data = fresh()
    next(iter(data))
    assert losses(model, data, epochs=4) == whole


def test_callbacks_that_do_not_need_validation_are_let_through(tmp_path):
    checkpoint = keras.callbacks.ModelCheckpoint(tmp_path / "model.keras")
    small().fit(X, Y, verbose=0, callbacks=[checkpoint])
    assert (tmp_path / "model.keras").exists()


def test_an_optimizer_may_bring_its_own_clipping():
    model = small(optimizer={"name": "sgd", "clipnorm": 5.0})
    assert model.optimizer.clipping == kr.optimizers.Clipping(clipnorm=5.0)
    assert small().optimizer.clipping == kr.optimizers.Clipping(global_clipnorm=1.0)


def test_shapes_and_rates_of_numpy():
    model = kr.recipes.mlp((np.int64(6),), TARGET, hidden=(4,), learning_rate=1)
    assert model.input_shape == (None, 6)


def test_labels_are_checked_and_encoded_before_training():
    named = kr.targets.Multiclass(["low", "middle", "high"])
    model = kr.recipes.mlp((6,), named, hidden=(16,), dropout=0.0, seed=0)
    names = np.array(["low", "middle", "high"])[Y]
    one_hot = np.eye(3)[Y]
    for labels in (names, names.tolist(), one_hot, Y[:, None], Y.astype("float64")):
        history = model.fit(X, labels, validation_data=(X, labels), verbose=0, epochs=2)
        assert np.isfinite(history.history["val_loss"]).all()
        seen = model.evaluate(X, labels, verbose=0)
        assert seen == pytest.approx(model.evaluate(X, Y, verbose=0), rel=1e-6)
    for labels, message in (
        (np.where(names == "low", "lwo", names), "Did you mean 'low'"),
        (Y + 1, "class numbers from 0 to 2"),
        (np.where(Y == 0, np.nan, Y), "must be finite"),
    ):
        with pytest.raises(InputError, match=message):
            model.fit(X, labels, verbose=0)
        with pytest.raises(InputError, match=message):
            model.fit(X, Y, validation_data=(X, labels), verbose=0)


def test_another_loss_takes_its_own_labels():
    model = small()
    model.compile("sgd", "categorical_crossentropy", metrics=["categorical_accuracy"])
    soft = np.full((len(X), 3), 1 / 3)
    model.fit(X, soft, verbose=0)
