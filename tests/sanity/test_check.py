"""What `check` takes, what it leaves alone, and that it is silent on what is sound."""

import pathlib
import random

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.datasets import load_breast_cancer

import kerasrecipes as kr
from kerasrecipes._checks import InputError
from kerasrecipes._find import find
from kerasrecipes.runs.load import inspect
from kerasrecipes.runs.prepare import prepare
from kerasrecipes.sanity.check import CHECKS
from tests.harness import representative
from tests.replicas import run_on_replicas
from tests.sanity.cases import VALUES, XV, YV, X, Y, fired, network

ISSUE = """first_loss overfit regularization numeric_gradients trained_weights symmetry dead_units
gradient_flow initializer bias_before_norm output_dropout loss_activation feature_scale
constant_features duplicate_features finite_features label_range missing_classes class_balance
shared_rows validation_set leaked_target saving""".split()

RECIPES = ["digits", "iris", "wine", "breast-cancer", "diabetes"]


def test_every_check_that_the_issue_names_is_there():
    assert set(ISSUE) <= set(CHECKS)
    assert set(CHECKS) - set(ISSUE) == {"forward"}
    for name, function in CHECKS.items():
        assert function.__module__ == f"kerasrecipes.sanity.checks.{name}"
        assert function.__doc__


@pytest.mark.parametrize("name", representative(RECIPES, "digits", "diabetes"))
def test_silent_on_the_recipes_with_good_data(name):
    recipe, problems = inspect(f"{name}-mlp")
    prepared = prepare(recipe, problems)
    parts = prepared.rows.parts
    report = kr.sanity.check(
        prepared.model, tuple(parts["train"]), validation_data=tuple(parts["validation"])
    )
    assert fired(report) == {}, str(report)
    skipped = {"numeric_gradients"}
    if name == "diabetes":
        skipped |= {"missing_classes", "class_balance", "bias_before_norm"}
    else:
        skipped |= {"initializer"}  # of no account before a batch normalisation
    assert {each.name for each in report.skipped} == skipped


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 6))
def test_silent_whatever_the_seed(seed):
    for name in ("iris", "wine", "breast-cancer", "diabetes"):
        prepared = prepare(*inspect(f"{name}-mlp", seed=seed))
        parts = prepared.rows.parts
        report = kr.sanity.check(
            prepared.model, tuple(parts["train"]), validation_data=tuple(parts["validation"])
        )
        assert fired(report) == {}, f"{name}: {report}"


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [
        {"activation": "selu", "normalization": None},
        {"activation": "tanh", "normalization": None, "dropout": 0.0},
        {"activation": "gelu", "normalization": "layer", "residual": True},
        {"activation": "prelu", "hidden": (64,) * 5, "l2": 1e-4},
        {"hidden": ()},
        {"optimizer": {"name": "sgd", "momentum": 0.9}, "schedule": "one_cycle"},
    ],
    ids=str,
)
def test_silent_on_other_forms_of_the_recipe(arguments):
    x, y = load_breast_cancer(return_X_y=True)
    rows = kr.data.split(x, y, validation=0.2, test=0.2, seed=0)
    model = kr.recipes.mlp(
        (30,),
        kr.targets.Binary().adapt(rows.train.y),
        preprocessing=kr.data.normalization(rows.train.x),
        seed=0,
        **{"hidden": (64, 64), **arguments},
    )
    report = kr.sanity.check(model, tuple(rows.train), validation_data=tuple(rows.validation))
    assert fired(report) == {}, str(report)


@pytest.mark.parametrize("form", ["mlp", pytest.param("auto", marks=pytest.mark.slow),
                                  pytest.param("tabm", marks=pytest.mark.slow),
                                  pytest.param("realmlp", marks=pytest.mark.slow)])  # fmt: skip
def test_silent_on_the_recipe_of_tables(form):
    import pandas as pd

    table = pd.DataFrame(X, columns=list("abcdef")).assign(kind=np.array(["u", "v"])[Y % 2])
    table.loc[::11, "b"] = np.nan
    target = kr.targets.Regression().adapt(VALUES)
    model = kr.recipes.tabular(table, target, form=form, seed=0)
    report = kr.sanity.check(model, (table, VALUES))
    assert fired(report) == {"validation_set": "warn"}
    assert "gaps, which the model takes" in report["finite_features"].note


def everything(model):
    """All that a model holds, as bytes."""
    found = [*model.variables, *model.optimizer.variables]
    found += [variable for metric in model.metrics for variable in metric.variables]
    arrays = {id(v): keras.ops.convert_to_numpy(v) for v in found}
    return [(v.path, arrays[id(v)].tobytes()) for v in found]


def shape_of(model):
    """What is not in variables: settings of layers, and what is set on them."""
    layers = find(model, keras.layers.Layer)
    return [
        (
            layer.name,
            sorted(vars(layer)),
            layer.trainable,
            layer.activity_regularizer,
            getattr(layer, "activation", None),
            [weight.regularizer for weight in layer.weights],
            [len(layer.weights), layer.built],
        )
        for layer in layers
    ]


def test_the_model_is_exactly_as_it_was():
    block = kr.layers.DenseBlock(16, dropout=0.3, kernel_regularizer="l2", seed=1)
    penalised = keras.layers.Dense(8, "relu", activity_regularizer="l1", kernel_regularizer="l1")
    model = network(block, keras.layers.GaussianNoise(0.1), penalised)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(X, Y, epochs=1, verbose=0)
    before, settings = everything(model), shape_of(model)
    generators = random.getstate(), np.random.get_state()[1].tobytes()
    penalties = kr.regularizers.penalty(model)
    report = kr.sanity.check(model, (X, Y), validation_data=(XV, YV))
    assert {each.status for each in report.findings} >= {"pass", "skipped"}
    assert everything(model) == before
    assert shape_of(model) == settings
    assert (random.getstate(), np.random.get_state()[1].tobytes()) == generators
    assert kr.regularizers.penalty(model) == penalties


def test_a_fit_after_the_check_is_the_fit_without_it():
    def losses(*, checked):
        keras.utils.set_random_seed(3)
        target = kr.targets.Multiclass(3)
        model = kr.recipes.mlp((6,), target, hidden=(8,), dropout=0.4, schedule="cosine", seed=1)
        data = kr.data.batches(X, Y, batch_size=32, seed=5)
        if checked:
            names = ["overfit", "first_loss", "saving", "dead_units"]
            assert kr.sanity.check(model, data, only=names).passed
            assert data.epoch == 0
        history = model.fit(data, validation_data=(XV, YV), epochs=1, verbose=0).history
        return history, [weight.tobytes() for weight in model.get_weights()]

    assert losses(checked=True) == losses(checked=False)


class Failing(keras.layers.Layer):
    def call(self, x, training=False):
        if training:
            raise RuntimeError("no training today")
        return x


def test_the_model_is_as_it_was_after_an_error():
    model = network(16, keras.layers.BatchNormalization(), Failing())
    before, settings = everything(model), shape_of(model)
    report = kr.sanity.check(model, (X, Y))
    assert "no training today" in report["forward"].note
    assert everything(model) == before
    assert shape_of(model) == settings


def test_an_interrupt_leaves_the_model_as_it_was(monkeypatch):
    model = network(16, keras.layers.Dropout(0.2))
    before, settings = everything(model), shape_of(model)

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("kerasrecipes.sanity._gradients.Adam.apply", interrupted)
    with pytest.raises(KeyboardInterrupt):
        kr.sanity.check(model, (X, Y), only=["overfit"])
    assert everything(model) == before
    assert shape_of(model) == settings


class Pairs(keras.utils.PyDataset):
    def __len__(self):
        return 6

    def __getitem__(self, index):
        return X[index * 30 : index * 30 + 30], Y[index * 30 : index * 30 + 30]


QUICK = ("forward", "first_loss", "feature_scale", "class_balance", "leaked_target")


@pytest.mark.parametrize(
    "data",
    [
        lambda: (X, Y),
        lambda: (X.tolist(), Y.tolist()),
        lambda: kr.data.split(X, Y, validation=0, test=3, seed=0).train,
        lambda: kr.data.batches(X, Y, batch_size=30, seed=0),
        lambda: kr.data.batches(tf.data.Dataset.from_tensor_slices((X, Y)), batch_size=30),
        lambda: tf.data.Dataset.from_tensor_slices((X, Y)).batch(30),
        lambda: Pairs(),
    ],
    ids=["arrays", "lists", "pair", "batches", "dataset in batches", "dataset", "PyDataset"],
)
def test_data_of_every_kind(data):
    data = data()
    report = kr.sanity.check(network(), data, only=QUICK)
    assert report.rows in (177, 180)
    assert fired(report) == {}
    assert not report.skipped
    assert getattr(data, "epoch", 0) == 0


def test_only_so_many_rows_are_looked_at():
    assert kr.sanity.check(network(), (X, Y), only=["forward"], max_rows=50).rows == 50
    dataset = tf.data.Dataset.from_tensor_slices((X, Y)).repeat().batch(30)
    assert kr.sanity.check(network(), dataset, only=["forward"], max_rows=50).rows == 50


@pytest.mark.slow
def test_models_of_several_inputs_and_outputs():
    first, second = keras.Input((3,), name="first"), keras.Input((3,), name="second")
    both = keras.layers.Concatenate()([first, second])
    hidden = keras.layers.Dense(16, "relu", kernel_initializer="he_normal")(both)
    outputs = {
        "class": keras.layers.Dense(3, "softmax", name="class")(hidden),
        "value": keras.layers.Dense(1, name="value")(hidden),
    }
    model = keras.Model([first, second], outputs)
    model.compile("adam", {"class": "sparse_categorical_crossentropy", "value": "mse"})
    x, y = {"first": X[:, :3], "second": X[:, 3:]}, {"class": Y, "value": VALUES}
    before = everything(model)
    report = kr.sanity.check(model, (x, y))
    assert fired(report) == {"validation_set": "warn"}, str(report)
    assert report["loss_activation"].note == "the model has several losses"
    assert report["overfit"].status == "pass"
    assert [entry for entry in everything(model) if entry in before] == before
    unscaled = {"first": X[:, :3] * 1000, "second": X[:, 3:]}
    assert "feature_scale" in fired(kr.sanity.check(model, (unscaled, y)))


def test_a_model_with_a_loss_of_its_own_making():
    class Added(keras.layers.Layer):
        def call(self, x):
            self.add_loss(keras.ops.mean(keras.ops.square(x)))
            return x

    model = network(output=[keras.layers.Dense(1), Added()], loss=None)
    model.compile("adam")
    report = kr.sanity.check(model, (X,), skip=["saving"])
    assert report["forward"].status == "skipped"
    assert report.passed


@pytest.mark.slow
def test_under_a_strategy_of_one_device():
    strategy = tf.distribute.OneDeviceStrategy("CPU:0")
    target = kr.targets.Multiclass(3)
    model = kr.recipes.mlp((6,), target, hidden=(16,), strategy=strategy, seed=0)
    before = everything(model)
    assert fired(kr.sanity.check(model, (X, Y), validation_data=(XV, YV))) == {}
    assert everything(model) == before


@pytest.mark.slow
def test_mixed_precision():
    keras.config.set_dtype_policy("mixed_float16")
    model = kr.recipes.mlp((6,), kr.targets.Multiclass(3), hidden=(16,), seed=0)
    keras.config.set_dtype_policy("float32")
    assert fired(kr.sanity.check(model, (X, Y), validation_data=(XV, YV))) == {}


BAD = [
    ({"model": "mlp"}, "`model` must be a Keras model"),
    ({"model": keras.Sequential([keras.layers.Dense(2)])}, "`model` must be built"),
    ({"model": keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])}, "must be compiled"),
    ({"data": X}, "`data` must be a tuple"),
    ({"data": (X, Y[:5])}, "one row per example"),
    ({"data": (X[:0], Y[:0])}, "at least one row"),
    ({"validation_data": XV}, "`validation_data` must be a tuple"),
    ({"only": ["first_los"]}, "Did you mean 'first_loss'"),
    ({"skip": "saving"}, "`skip` must be a sequence"),
    ({"rows": 1}, "`rows`"),
    ({"steps": 0}, "`steps`"),
    ({"max_rows": 0.5}, "`max_rows`"),
    ({"seed": -1}, "`seed`"),
]


@pytest.mark.parametrize(("change", "message"), BAD, ids=[m for _, m in BAD])
def test_bad_input(change, message):
    arguments = {"model": network(), "data": (X, Y), **change}
    with pytest.raises(InputError, match=message):
        kr.sanity.check(arguments.pop("model"), arguments.pop("data"), **arguments)


def test_only_and_skip():
    report = kr.sanity.check(network(), (X, Y), only=["saving", "forward"], skip=["saving"])
    assert [each.name for each in report.findings] == ["forward"]


def test_a_check_that_breaks_does_not_end_the_others(monkeypatch):
    def broken(subject):
        raise TypeError("\x1b[1mstrange\x1b[0m model")

    monkeypatch.setitem(CHECKS, "symmetry", broken)
    report = kr.sanity.check(network(), (X, Y), only=["symmetry", "forward"])
    assert report["symmetry"].note == "TypeError: strange model"
    assert report["forward"].status == "pass"


@pytest.mark.multi_device
def test_several_replicas():
    found = run_on_replicas(
        """
        from tests.sanity.cases import XV, YV, X, Y, fired
        target = kr.targets.Multiclass(3)
        model = kr.recipes.mlp((6,), target, hidden=(16,), strategy=strategy, seed=0)
        model.fit(X, Y, epochs=1, verbose=0)
        def held():
            parts = [p for v in [*model.variables, *model.optimizer.variables]
                     for p in getattr(v.value, "values", [v.value])]
            return [part.numpy().tobytes() for part in parts]
        before = held()
        first = kr.sanity.check(model, (X, Y), validation_data=(XV, YV))
        same = held() == before
        model.fit(X, Y, epochs=1, verbose=0)
        report(fired=fired(first), same=same, skipped=[f.name for f in first.skipped])
        """,
        replicas=2,
    )
    assert found == {
        "fired": {},
        "same": True,
        "skipped": ["initializer", "symmetry", "first_loss", "numeric_gradients"],
    }


def test_the_guide_has_a_row_for_every_check():
    text = (pathlib.Path(__file__).parents[2] / "docs" / "checks.md").read_text()
    rows = [line.split("|")[1].strip() for line in text.splitlines() if line.startswith("| `")]
    assert [row.strip("`") for row in rows if row.strip("`") in CHECKS] == list(CHECKS)
