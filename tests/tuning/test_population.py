"""Models that train side by side equal the same models trained alone by `fit`."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import kerasrecipes as kr
from kerasrecipes.tuning._plain_loss import with_plain_loss
from kerasrecipes.tuning._population import Population, member

ROWS, BATCH, EPOCHS = 150, 32, 3
RNG = np.random.default_rng(0)
X = RNG.normal(size=(ROWS, 6)).astype("float32")
Y = (X[:, :3].argmax(axis=1) + (RNG.random(ROWS) < 0.2)) % 3
WEIGHT = RNG.uniform(0.5, 2.0, ROWS).astype("float32")
TRAIN, VALIDATION = slice(0, 100), slice(100, None)
STEPS = -(-100 // BATCH)

# What the members of a population have in common, and in what they differ.
CASES = {
    "AdamW": ({}, [{"learning_rate": 1e-2}, {"weight_decay": 0.3, "dropout": 0.4}]),
    "schedules and clipping": (
        {},
        [{"schedule": "cosine"}, {"clip_norm": 0.05}, {"clip_norm": None}],
    ),
    "one cycle moves beta_1": ({"schedule": "one_cycle"}, [{}, {"learning_rate": 3e-2}]),
    "momentum": (
        {"optimizer": {"name": "sgd", "nesterov": True}},
        [{"learning_rate": 0.1}, {"dropout": 0.5}],
    ),
    "one cycle moves the momentum": (
        {"optimizer": "sgd", "schedule": "one_cycle"},
        [{}, {"learning_rate": 0.1}],
    ),
    "L2 and smoothing": (
        {"l2": 1e-3, "label_smoothing": 0.1},
        [{"l2": 1e-1}, {"label_smoothing": 0.3}],
    ),
    "SELU": ({"activation": "selu", "normalization": None}, [{"dropout": 0.1}, {"dropout": 0.3}]),
    "residual": (
        {"residual": True, "normalization": "layer", "hidden": (8, 8)},
        [{"dropout": [0.1, 0.5]}, {}],
    ),
    "rmsprop": ({"optimizer": "rmsprop"}, [{}, {"learning_rate": 1e-2}]),
    "adagrad": ({"optimizer": "adagrad"}, [{}, {"learning_rate": 1e-1}]),
    "adamax": ({"optimizer": "adamax"}, [{}, {"learning_rate": 1e-1}]),
    "adadelta": ({"optimizer": "adadelta"}, [{}, {"learning_rate": 1.0}]),
    "lion": ({"optimizer": "lion"}, [{}, {"weight_decay": 0.0}]),
}
FAST = ("AdamW",)


def build(index, arguments):
    target = kr.targets.Multiclass(3)
    model = kr.recipes.mlp((6,), target, **{"hidden": (8, 5), "seed": index, **arguments})
    return with_plain_loss(model, target)


def data(part, weights=False):
    arrays = (X[part], Y[part], *([WEIGHT[part]] if weights else []))
    return tuple(map(tf.constant, arrays))


def orders(epoch, seeds):
    return {p: kr.data.permutation(100, seed=s, epoch=epoch) for p, s in enumerate(seeds)}


def as_member(model):
    return member(model, updates=EPOCHS * STEPS, updates_per_epoch=STEPS)


def populated(arguments):
    members = [as_member(build(index, each)) for index, each in enumerate(arguments)]
    has_momenta = members[0].momenta is not None
    population = Population(build(0, arguments[0]), places=len(members), momenta=has_momenta)
    for place, each in enumerate(members):
        population.load(place, each)
    return population


def trained(population, epochs, seeds, weights=False):
    """Returns the History of each place."""
    names = ("loss", "val_loss", "val_plain_loss", "val_accuracy")
    found = [{name: [] for name in names} for _ in seeds]
    for epoch in epochs:
        losses = population.train_epoch(data(TRAIN, weights), orders(epoch, seeds), BATCH)
        logs = population.evaluate(data(VALIDATION), range(len(seeds)))
        population.keep_best([True] * len(seeds))
        for place, history in enumerate(found):
            history["loss"].append(losses[place])
            for name, values in logs.items():
                history[f"val_{name}"].append(values[place])
    return found


def alone(index, arguments, weights=False):
    model = build(index, arguments)
    weight = WEIGHT[TRAIN] if weights else None
    history = model.fit(
        kr.data.batches(X[TRAIN], Y[TRAIN], batch_size=BATCH, seed=index, sample_weight=weight),
        validation_data=(X[VALIDATION], Y[VALIDATION]),
        epochs=EPOCHS,
        verbose=0,
    )
    return model, history.history


def assert_equal(population, place, history, index, arguments, weights=False):
    expected, alone_history = alone(index, arguments, weights)
    for name, values in history.items():
        np.testing.assert_allclose(values, alone_history[name], rtol=1e-5, atol=1e-6, err_msg=name)
    model = build(index + 7, arguments)
    population.restore(model, place)
    for variable, other in zip(model.variables, expected.variables, strict=True):
        if "optimizer" not in variable.path and "iteration" not in variable.path:
            np.testing.assert_allclose(
                keras.ops.convert_to_numpy(variable),
                keras.ops.convert_to_numpy(other),
                rtol=1e-5,
                atol=2e-6,
                err_msg=variable.path,
            )


@pytest.mark.parametrize(
    "case", [name if name in FAST else pytest.param(name, marks=pytest.mark.slow) for name in CASES]
)
def test_members_equal_the_models_trained_alone(case):
    common, differences = CASES[case]
    arguments = [{**common, **each} for each in differences]
    population = populated(arguments)
    histories = trained(population, range(EPOCHS), range(len(arguments)))
    for place, history in enumerate(histories):
        assert_equal(population, place, history, place, arguments[place])


@pytest.mark.slow
def test_row_weights_count():
    population = populated([{}])
    (history,) = trained(population, range(EPOCHS), [0], weights=True)
    assert_equal(population, 0, history, 0, {}, weights=True)


@pytest.mark.slow
def test_a_place_that_gets_free_takes_another_model_and_a_model_goes_on_elsewhere():
    arguments = [{"learning_rate": 1e-2}, {"dropout": 0.4}, {"clip_norm": 0.1}]
    population = populated(arguments[:2])
    first = trained(population, [0], [0, 1])
    kept = population.state(1)
    population.load(1, as_member(build(2, arguments[2])))
    second = []
    for epoch in range(EPOCHS):
        (_, history) = trained(population, [epoch], [0, 2])
        second.append(history)
    joined = {name: [h[name][0] for h in second] for name in second[0]}
    assert_equal(population, 1, joined, 2, arguments[2])
    population.load(0, as_member(build(1, arguments[1])), kept)
    rest, _ = trained(population, range(1, EPOCHS), [1, 2])
    whole = {name: first[1][name] + rest[name] for name in rest}
    assert_equal(population, 0, whole, 1, arguments[1])


def test_only_the_best_weights_are_kept():
    population = populated([{}, {"learning_rate": 1e-2}])
    trained(population, [0], [0, 1])
    before = [population.state(place) for place in (0, 1)]
    population.train_epoch(data(TRAIN), orders(1, [0, 1]), BATCH)
    population.keep_best([False, True])
    count = len(build(0, {}).trainable_variables)
    for place, kept in enumerate([before[0][:count], population.state(1)[:count]]):
        model = build(9, {})
        population.restore(model, place)
        for variable, value in zip(model.trainable_variables, kept, strict=True):
            np.testing.assert_array_equal(keras.ops.convert_to_numpy(variable), value)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("target", "labels", "metric"),
    [
        (kr.targets.Regression(), X[:, :1] * 2.0, "rmse"),
        (kr.targets.Binary(), (X[:, 0] > 0).astype("int64"), "accuracy"),
    ],
)
def test_other_targets(target, labels, metric):
    def new():
        return with_plain_loss(kr.recipes.mlp((6,), target, hidden=(8,), seed=0), target)

    y = target.encode(labels)
    population = Population(new(), places=1)
    population.load(0, as_member(new()))
    parts = [(tf.constant(X[part]), tf.constant(y[part])) for part in (TRAIN, VALIDATION)]
    population.train_epoch(parts[0], orders(0, [0]), BATCH)
    found = population.evaluate(parts[1], [0])
    batches = kr.data.batches(X[TRAIN], labels[TRAIN], batch_size=BATCH, seed=0)
    expected = new().fit(
        batches, validation_data=(X[VALIDATION], labels[VALIDATION]), epochs=1, verbose=0
    )
    assert metric in found
    for name, value in found.items():
        assert value[0] == pytest.approx(expected.history[f"val_{name}"][0], rel=1e-5), name


def test_one_graph_does_for_any_number_of_models_and_of_rows():
    population = populated([{}, {"dropout": 0.1}, {"dropout": 0.4}])
    for places, rows in (([0, 1, 2], 100), ([1], 100), ([0, 2], 99), ([2], 40)):
        parts = tuple(part[:rows] for part in data(TRAIN))
        population.train_epoch(parts, {place: np.arange(rows) for place in places}, BATCH)
        assert len(population.evaluate(parts, places)["loss"]) == len(places)
    assert population._train.experimental_get_tracing_count() == 1
    assert population._evaluate.experimental_get_tracing_count() == 1
