"""Search spaces: what the shipped ones hold, how they are edited, and what KerasTuner gets."""

import inspect
import json
import math

import keras_tuner
import numpy as np
import pandas as pd
import pytest

import kerasrecipes as kr
from kerasrecipes import optimizers, schedules
from kerasrecipes._checks import InputError
from kerasrecipes.activations.facts import facts
from kerasrecipes.recipes._tabular_settings import settings_of
from kerasrecipes.tuning._arguments import widths
from kerasrecipes.tuning.parameters import Choice, Fixed, Float, Int
from kerasrecipes.tuning.search_space import SearchSpace
from kerasrecipes.tuning.space import space

TARGET = kr.targets.Multiclass(3)


@pytest.fixture(scope="module")
def mlp():
    return space("mlp", TARGET)


def my_recipe(input_shape, target, *, hidden=(8,), rate=0.1, kernel="rbf", optimizer="sgd"):
    """A recipe that is nobody's."""


def sample(found, seed):
    """A random point, drawn by KerasTuner's own hyperparameters."""
    point = keras_tuner.HyperParameters()
    for index, each in enumerate(found.hyperparameters().space):
        point.merge([each])
        if point.is_active(each):
            point.values[each.name] = each.random_sample(seed * 1000 + index)
    return point.values


def settings(optimizer):
    config = optimizer.get_config()
    config.pop("name")
    return config


def test_space_takes_a_name_or_the_function():
    assert space("mlp") == space(kr.recipes.mlp)
    assert space("mlp").recipe is kr.recipes.mlp


def test_smoothing_is_for_classes_only():
    for target in (TARGET, kr.targets.Binary(), "binary", kr.targets.Multilabel(3)):
        assert "label_smoothing" in space("mlp", target).names
    for target in (None, "regression", kr.targets.Count(), kr.targets.BoundedRegression(0, 1)):
        assert "label_smoothing" not in space("mlp", target).names


def test_the_first_guess_is_the_recipe_as_it_is(mlp):
    model, fit = mlp.arguments({})
    assert mlp.arguments(mlp.hyperparameters().values) == (model, fit)
    assert fit == {"batch_size": 32}
    own = {name: p.default for name, p in inspect.signature(kr.recipes.mlp).parameters.items()}
    tuned = {"learning_rate", "weight_decay"}  # the recipe leaves these to the optimizer
    assert {k: v for k, v in model.items() if k not in tuned} == {
        k: own[k] for k in model if k not in tuned
    }
    untuned, first = (kr.recipes.mlp((4,), TARGET, **each) for each in ({}, model))
    assert settings(first.optimizer) == settings(untuned.optimizer)
    assert first.count_params() == untuned.count_params()


@pytest.fixture(scope="module")
def points(mlp):
    return [sample(mlp, seed) for seed in range(200)]


VALUES = np.linspace(0, 9, 40)
TABLE = pd.DataFrame({"a": VALUES**2, "b": np.arange(40) % 3, "c": list("xyzw") * 10})


@pytest.mark.parametrize("form", ["auto", "tabm", "realmlp", "mlp"])
@pytest.mark.parametrize("target", [TARGET, kr.targets.Regression().adapt(VALUES)])
def test_the_first_guess_of_each_form_of_table(form, target):
    found = space("tabular", target)
    first = found.fix(form=form).arguments({})
    assert first == found.arguments({"form": form})
    assert first[1].get("batch_size") is None
    models = [
        kr.recipes.tabular(TABLE, target, seed=0, **each) for each in ({"form": form}, first[0])
    ]
    untuned, guessed = (settings(model.optimizer) for model in models)
    assert guessed == untuned
    assert type(models[0].loss) is type(models[1].loss)
    assert models[0].loss.get_config() == models[1].loss.get_config()
    configs = [[layer.get_config() for layer in model.layers] for model in models]
    assert configs[0] == configs[1]


def test_what_auto_chooses_is_in_its_ranges():
    found = space("tabular")
    for rows in (100, 5_000, 50_000):
        its = settings_of("auto", rows, TARGET)
        for name, value in {**its.network, **its.optimizer}.items():
            if name in found.names:
                assert found.parameters[name].accepts(value), (rows, name, value)


def test_points_of_tables_are_sound():
    found = space("tabular", TARGET)
    seen = {form: set() for form in found.parameters["form"].values}
    for seed in range(200):
        model, fit = found.arguments(sample(found, seed))
        inspect.signature(kr.recipes.tabular).bind(TABLE, TARGET, **model)
        settings_of_form = settings_of(model["form"], 40, TARGET)
        trained_by = {"form", "optimizer", "learning_rate", "schedule", "weight_decay"}
        network = model.keys() - trained_by - {"label_smoothing"}
        assert network <= settings_of_form.network.keys()
        if model["form"] == "mlp":
            check_optimizer({"clip_norm": 1.0, **model})
        elif model["form"] == "tabm":
            assert 1e-4 <= model["learning_rate"] <= 5e-3
            assert model["hidden"][0] % 16 == 0
            assert ("bins" in model) == (model["embedding_units"] > 0)
        seen[model["form"]] |= model.keys()
        assert set(fit) == ({"batch_size"} if model["form"] in ("auto", "mlp") else set())
    assert seen["realmlp"] == {
        *("form", "hidden", "activation", "frequency_scale", "dropout", "learning_rate"),
        *("weight_decay", "label_smoothing"),
    }
    assert "label_smoothing" not in {
        each.argument or name for name, each in space("tabular").parameters.items()
    }


def test_two_hundred_points_are_sound(mlp, points):
    accepted = inspect.signature(kr.recipes.mlp)
    target = kr.targets.Multiclass(3)
    seen = {name: set() for name in ("optimizer", "schedule", "activation", "normalization")}
    for values in points:
        model, fit = mlp.arguments(values)
        accepted.bind((4,), target, **model)
        assert set(fit) == {"batch_size"}
        assert fit["batch_size"] in (16, 32, 64, 128, 256)
        assert 1 <= len(model["hidden"]) <= 5
        assert all(8 <= units <= 512 for units in model["hidden"])
        assert 0 <= model["dropout"] <= 0.5
        assert 0 <= model["label_smoothing"] <= 0.2
        assert model["l2"] == 0 or 1e-6 <= model["l2"] <= 1e-2
        assert model["clip_norm"] is None or 0.1 <= model["clip_norm"] <= 10
        if model["activation"] == "selu":
            assert model["normalization"] is None
        if len(set(model["hidden"])) > 1:
            assert not model.get("residual")
        facts(model["activation"])
        check_optimizer(model)
        for name, found in seen.items():
            found.add(kind(model[name]))
    for name, found in seen.items():
        assert found == set(mlp.parameters[name].values)


def kind(optimizer):
    return optimizer["name"] if isinstance(optimizer, dict) else optimizer


def check_optimizer(model):
    """The optimizer and its schedule can be made, from rates that suit it."""
    low, high = {"sgd": (1e-3, 0.5), "lion": (1e-5, 3e-3)}.get(
        kind(model["optimizer"]), (1e-4, 3e-2)
    )
    assert low <= model["learning_rate"] <= high
    decays = kind(model["optimizer"]) in ("adamw", "lion")
    assert ("weight_decay" in model) == decays
    cycles = kind(model["schedule"]) == "one_cycle"
    moves = kind(model["optimizer"]) == "sgd" and not cycles
    assert isinstance(model["optimizer"], dict) == moves
    assert isinstance(model["schedule"], dict) == (
        kind(model["schedule"]) in ("cosine", "warmup_stable_decay")
    )
    made = optimizers.get(
        model["optimizer"],
        learning_rate=model["learning_rate"],
        weight_decay=model.get("weight_decay"),
        global_clipnorm=model["clip_norm"],
    )
    schedules.get(model["schedule"], model["learning_rate"])
    if moves:
        assert made.momentum == model["optimizer"]["momentum"]


def test_points_build(mlp, points):
    for values in points[:5]:
        model, _ = mlp.arguments(values)
        built = kr.recipes.mlp((4,), TARGET, **model)
        assert built.recipe.arguments["hidden"] == model["hidden"]


def test_table_is_complete(mlp):
    lines = str(mlp).splitlines()
    assert lines[0] == "Search space of mlp: 19 hyperparameters, infinitely many points"
    assert lines[1].split("  ")[0] == "name"
    rows = {line.split()[0]: line for line in lines[2:-1]}
    assert set(rows) == set(mlp.names)
    assert "0.001 to 0.5" in rows["sgd_learning_rate"]
    assert "log" in rows["sgd_learning_rate"]
    assert rows["sgd_learning_rate"].endswith("optimizer: sgd")
    assert "16 to 256" in rows["batch_size"]
    assert lines[-1] == "fixed: selu_normalization = none (activation: selu)"
    assert repr(mlp).startswith("<SearchSpace of mlp: layers, ")


def test_unknown_recipes_and_those_without_a_space_are_refused():
    with pytest.raises(InputError, match="`recipe` must name one of the recipes.*mlp"):
        space("mpl")
    with pytest.raises(
        InputError, match=r"search space,.* mlp,.*my_recipe.*SearchSpace\(my_recipe"
    ):
        space(my_recipe)
    with pytest.raises(InputError, match="`recipe` must be a recipe function"):
        space(3)


# Editing


def test_fix_takes_out_of_the_search_and_settles_conditions(mlp):
    fixed = mlp.fix(optimizer="sgd", activation="selu")
    assert not {"optimizer", "activation", "normalization", "learning_rate"} & set(fixed.names)
    assert fixed.conditions("sgd_learning_rate") == {}
    assert fixed.conditions("momentum") == {"schedule": (None, "cosine", "warmup_stable_decay")}
    model, _ = fixed.arguments({})
    assert model["normalization"] is None
    assert model["optimizer"] == {"name": "sgd", "momentum": 0.9}
    assert "optimizer" in mlp.names, "the space itself never changes"
    assert "learning_rate" in fixed.choices(optimizer=("sgd", "adamw")).names


def test_fix_of_an_argument_reaches_all_that_go_to_it(mlp):
    fixed = mlp.fix(learning_rate=0.02, hidden=(16, 8))
    assert not {"learning_rate", "sgd_learning_rate", "layers", "units", "shape"} & set(fixed.names)
    for optimizer in ("sgd", "lion", "adamw"):
        model, _ = fixed.arguments({"optimizer": optimizer})
        assert (model["learning_rate"], model["hidden"]) == (0.02, (16, 8))


def test_fix_of_a_key_keeps_its_condition(mlp):
    fixed = mlp.fix(momentum=0.95)
    assert fixed.arguments({"optimizer": "sgd"})[0]["optimizer"]["momentum"] == 0.95
    assert fixed.arguments({"optimizer": "adamw"})[0]["optimizer"] == "adamw"


def test_fix_by_a_name_of_its_own_keeps_the_condition(mlp):
    fixed = mlp.fix(sgd_learning_rate=0.1)
    assert fixed.arguments({"optimizer": "sgd"})[0]["learning_rate"] == 0.1
    assert fixed.arguments({"optimizer": "adamw"})[0]["learning_rate"] == 0.001
    tables = space("tabular").fix(realmlp_dropout=0.0)
    assert tables.arguments({})[0]["dropout"] is None
    assert tables.arguments({"form": "realmlp"})[0]["dropout"] == 0.0


def test_widths_that_some_forms_have_as_a_whole_and_some_in_parts():
    tables = space("tabular")
    for changed in (tables.fix(hidden=(8,)), tables.choices(hidden=((8,), (4, 4)))):
        for form in ("auto", "tabm", "realmlp", "mlp"):
            assert changed.arguments({"form": form})[0]["hidden"] == (8,)
    assert tables.only("hidden").names == ("layers", "units")
    with pytest.raises(InputError, match="`hidden` must be given by its parts layers, units"):
        tables.range(hidden=(1, 2))


def test_fix_takes_arguments_that_were_not_in_the_space(mlp):
    fixed = mlp.fix(seed=3, epochs=7, initializer="glorot_uniform", optimizer="muon")
    model, fit = fixed.arguments({})
    assert (model["seed"], model["initializer"], fit["epochs"]) == (3, "glorot_uniform", 7)
    assert {"learning_rate", "weight_decay"} <= set(fixed.names), "Muon has them too"


def test_range_keeps_the_scale(mlp):
    ranged = mlp.range(learning_rate=(1e-4, 1e-1), units=(16, 64), dropout=(0.3, 0.4))
    for name in ("learning_rate", "sgd_learning_rate", "lion_learning_rate"):
        assert ranged.parameters[name].log
        assert (ranged.parameters[name].low, ranged.parameters[name].high) == (1e-4, 1e-1)
    assert ranged.parameters["units"].points == (16, 32, 64)
    assert ranged.parameters["units"].default == 64, "the nearest to 256"
    assert ranged.parameters["dropout"].default == 0.3
    only_sgd = mlp.range(sgd_learning_rate=(0.1, 0.2))
    assert only_sgd.parameters["learning_rate"] == mlp.parameters["learning_rate"]


def test_range_drops_what_was_allowed_beside(mlp):
    ranged = mlp.range(l2=(1e-5, 1e-3), clip_norm=(1, 2), epochs=(5, 20))
    assert "l2/kind" not in ranged.hyperparameters().values
    assert 1e-5 <= ranged.arguments({})[0]["l2"] <= 1e-3
    assert isinstance(ranged.parameters["epochs"], Int)
    assert ranged.arguments({"epochs": 6})[1]["epochs"] == 6


def test_choices(mlp):
    chosen = mlp.choices(
        activation=("relu", "gelu"), dropout=(0.0, 0.25), normalization=("layer", None)
    )
    assert chosen.parameters["activation"].values == ("relu", "gelu")
    assert chosen.conditions("normalization") == {}
    assert chosen.arguments({"normalization": "none", "dropout": 0.25})[0]["dropout"] == 0.25
    assert chosen.parameters["selu_normalization"] == mlp.parameters["selu_normalization"]
    nets = mlp.choices(hidden=((64,), (64, 32)))
    assert nets.hyperparameters().get("hidden") == "(64,)"
    assert nets.arguments({"hidden": "(64, 32)"})[0]["hidden"] == (64, 32)
    assert mlp.choices(activation=("gelu",)) == mlp.set(activation=Fixed("gelu"))


def test_set_adds_and_replaces(mlp):
    new = mlp.set(
        beta=Float(0.8, 0.99, when={"optimizer": ("adamw",)}, argument="optimizer.beta_1"),
        dropout=Choice((0.1, 0.2)),
    )
    assert new.arguments({"beta": 0.85})[0]["optimizer"] == {"name": "adamw", "beta_1": 0.85}
    assert new.parameters["dropout"].default == 0.2
    assert mlp.fix(optimizer="sgd").set(l2=Float(1e-3, 1e-2)).names


def test_only(mlp):
    few = mlp.only("learning_rate", "dropout")
    assert few.names == ("dropout", "learning_rate")
    assert few.arguments({}) == mlp.arguments({})
    assert mlp.only("hidden").names == ("layers", "units", "shape")
    with pytest.raises(InputError, match="`momentum` would not matter: it needs optimizer: sgd"):
        mlp.only("momentum")
    assert mlp.fix(optimizer="sgd").only("momentum").names == ("momentum",)
    with pytest.raises(InputError, match="`names` must be in the search space.*'seed'"):
        mlp.only("seed")


def test_staged(mlp):
    assert mlp.staged(9).names == ("learning_rate",)
    assert mlp.staged(29).names == ("dropout", "l2", "learning_rate", "weight_decay", "batch_size")
    assert mlp.staged(30) is mlp
    assert mlp.fix(optimizer="sgd").staged(5).names == ("sgd_learning_rate",)
    own = SearchSpace(my_recipe, {"kernel": Choice(("rbf", "poly"))})
    assert own.staged(1) is own
    with pytest.raises(InputError, match="`trials` must be an integer >= 1"):
        mlp.staged(0)
    tables = space("tabular")
    assert tables.staged(9).names == ("learning_rate",)
    assert tables.staged(29).names == ("dropout", "learning_rate", "weight_decay", "batch_size")
    assert tables.fix(form="realmlp").staged(9).names == ("realmlp_learning_rate",)


def test_edited_is_what_the_methods_do(mlp):
    toml = {
        "learning_rate": {"low": 1e-4, "high": 1e-1},
        "activation": ["relu", "gelu"],
        "dropout": 0.2,
        "optimizer": {"fix": "adamw"},
        "normalization": "none",
        "clip_norm": {"choices": [1.0, "none"]},
        "units": {"low": 32, "high": 128, "log": False, "step": 32},
        "schedule": ["none", "cosine"],
        "residual": False,
    }
    wanted = (
        mlp.range(learning_rate=(1e-4, 1e-1))
        .choices(activation=("relu", "gelu"), clip_norm=(1.0, None), schedule=(None, "cosine"))
        .fix(dropout=0.2, optimizer="adamw", normalization=None, residual=False)
        .set(units=Int(*(32, 128), step=32, default=128, argument="hidden.units"))
    )
    assert mlp.edited(toml) == wanted
    assert mlp.edited({}) == mlp


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"lerning_rate": 0.1}, "`lerning_rate` is neither.*Did you mean 'learning_rate'"),
        ({"dropout": {"lo": 0.1, "high": 0.2}}, "`dropout.lo`.*Did you mean 'low'"),
        ({"dropout": {"low": 0.1}}, "`dropout` must be a table of low and high"),
        ({"dropout": {"low": 0.4, "high": 0.2}}, "`dropout`: `high` must be a number > low=0.4"),
        ({"dropout": {"low": "a", "high": 0.2}}, "`dropout`: `low` must be a finite number"),
        ({"dropout": {"low": 0.1, "high": 0.2, "fix": 3}}, "`dropout` must be a table"),
        ({"learning_rate": {"low": 0, "high": 1}}, "`learning_rate`: `low` must be a number > 0"),
        ({"layers": {"low": 1.5, "high": 3}}, "`layers`: `low` must be an integer"),
        ({"hidden": {"low": 1, "high": 3}}, "`hidden` must be given by its parts layers, units"),
        ({"activation": []}, "`activation`: `values` must be a tuple of at least one"),
        ({"activation": ["relu", "relu"]}, "`activation`: `values` must be different"),
        ({"dropout": {"choices": "0.1"}}, "`dropout`: `choices` must be a tuple"),
        ({"target": "binary"}, "`target` is neither in the search space nor an argument of mlp"),
        ({"strategy": "auto"}, "`strategy` is neither"),
        ("dropout", "`tune` must be a table"),
    ],
)
def test_wrong_entries_are_named(mlp, entry, message):
    with pytest.raises(InputError, match=message):
        mlp.edited(entry)


# KerasTuner's side, and files


def test_conditions_hold_in_keras_tuner(mlp):
    hp = mlp.hyperparameters()
    names = [each.name for each in hp.space]
    assert len(set(names)) == len(names), "GridSearch takes names for unique"
    for optimizer, schedule, momentum in (
        ("sgd", "none", True),
        ("sgd", "one_cycle", False),
        ("adamw", "none", False),
    ):
        hp.values = {**hp.values, "optimizer": optimizer, "schedule": schedule}
        hp.ensure_active_values()
        assert ("momentum" in hp.values) == momentum
        assert ("sgd_learning_rate" in hp.values) == (optimizer == "sgd")
    hp.values["weight_decay/kind"] = "0"
    hp.ensure_active_values()
    assert "weight_decay" not in hp.values
    assert mlp.arguments(hp.values)[0]["weight_decay"] == 0.0


def test_every_oracle_of_keras_tuner_takes_the_space(mlp, tmp_path):
    few = mlp.range(learning_rate=(1e-3, 1e-2)).only("optimizer", "l2", "learning_rate")
    for kind in (keras_tuner.oracles.RandomSearchOracle, keras_tuner.oracles.GridSearchOracle):
        oracle = kind(
            objective=keras_tuner.Objective("val_loss", "min"),
            hyperparameters=few.hyperparameters(),
            allow_new_entries=False,
            tune_new_entries=False,
        )
        values = oracle.populate_space("0")["values"]
        few.arguments(values)


def test_arguments_ignore_what_does_not_matter_and_refuse_what_is_unknown(mlp):
    model, _ = mlp.arguments({"optimizer": "adamw", "momentum": 0.5, "tuner/epochs": 3})
    assert model["optimizer"] == "adamw"
    with pytest.raises(InputError, match="`values` must be of.*momentumm.*Did you mean 'momentum'"):
        mlp.arguments({"momentumm": 0.5})
    with pytest.raises(InputError, match="`optimizer` must be one of 'adamw'.*'adam'"):
        mlp.arguments({"optimizer": "adam"})


def test_a_number_alone_is_of_the_range(mlp):
    assert mlp.arguments({"l2": 1e-4})[0]["l2"] == 1e-4
    assert mlp.arguments({"l2": 1e-4, "l2/kind": "0"})[0]["l2"] == 0.0


def test_json_round_trip(mlp):
    for found in (mlp, mlp.fix(hidden=(8, 4), optimizer="sgd"), mlp.staged(5)):
        again = SearchSpace.from_dict(json.loads(json.dumps(found.to_dict())))
        assert again == found
        assert str(again) == str(found)
        assert again.arguments({}) == found.arguments({})
    own = SearchSpace(my_recipe, {"rate": Float(0.0, 1.0)})
    assert SearchSpace.from_dict(own.to_dict(), recipe=my_recipe) == own
    with pytest.raises(InputError, match="`recipe` must name one of the recipes.*my_recipe"):
        SearchSpace.from_dict(own.to_dict())
    damaged = own.to_dict()
    del damaged["parameters"]["rate"]["low"]
    with pytest.raises(InputError, match="damaged at 'rate'"):
        SearchSpace.from_dict(damaged, recipe=my_recipe)


# Spaces of one's own


def test_size_counts_points_by_conditions():
    own = SearchSpace(
        my_recipe,
        {
            "kernel": Choice(("rbf", "poly", "linear")),
            "hidden": Choice(((4,), (8,))),
            "rate": Float(0.0, 0.2, step=0.1, also=(None,), when={"kernel": ("poly", "linear")}),
            "degree": Int(2, 5, when={"kernel": ("poly",)}, argument="optimizer.degree"),
        },
    )
    assert own.size == 2 * (1 + 4 * 4 + 4)
    assert own.fix(kernel="poly").size == 2 * 4 * 4
    assert own.only("hidden").size == 2
    assert math.isinf(own.set(rate=Float(0.0, 1.0)).size)
    assert own.fix(kernel="rbf", hidden=(4,)).size == 1


def test_size_is_what_enumeration_finds():
    own = SearchSpace(
        my_recipe,
        {
            "hidden": Int(1, 3),
            "kernel": Choice(("a", "b"), when={"hidden": (2, 3)}),
            "rate": Choice((0.1, 0.2), when={"kernel": ("b",)}),
            "optimizer": Choice(("sgd", "adam"), when={"kernel": ("a",), "hidden": (3,)}),
        },
    )
    found = set()
    for seed in range(400):
        values = sample(own, seed)
        found.add(tuple(sorted(values.items())))
    # hidden 1; hidden 2: a, b x 2; hidden 3: a x 2, b x 2
    assert own.size == len(found) == 1 + 3 + 4


def test_order_does_not_matter_and_plain_values_are_fixed():
    own = SearchSpace(
        my_recipe,
        {
            "rate": Float(0.0, 1.0, when={"kernel": ("rbf",)}),
            "kernel": Choice(("rbf", "poly")),
            "hidden": (3, 3),
        },
    )
    assert own.names == ("kernel", "rate")
    assert own.fixed == {"hidden": (3, 3)}
    assert own.parameters["rate"].default == 0.1, "the recipe's own"


def test_steps_reach_the_last_value():
    """KerasTuner's Float(0, 1, step=0.2) never gives 1, though its documentation says so."""
    theirs = keras_tuner.engine.hyperparameters.Float("x", 0.0, 1.0, step=0.2)
    assert max(theirs.values) < 0.9
    own = SearchSpace(my_recipe, {"rate": Float(0.0, 1.0, step=0.2)})
    assert own.parameters["rate"].points == (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
    assert {sample(own, seed)["rate"] for seed in range(80)} == {0.0, 0.2, 0.4, 0.6, 0.8, 1.0}


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"raet": Float(0.0, 1.0)}, "`raet` must be one of.*Did you mean 'rate'"),
        ({"x": Float(0.0, 1.0, argument="epoch")}, "`x` must be one of.*Did you mean 'epochs'"),
        ({"rate": Float(0.0, 1.0, when={"kernl": (1,)})}, "`rate.when`.*'kernl'"),
        (
            {"kernel": Choice(("rbf", "poly")), "rate": Float(0.0, 1.0, when={"kernel": ("rfb",)})},
            "`rate.when.*Did you mean 'rbf'",
        ),
        (
            {"kernel": Float(0.0, 1.0), "rate": Float(0.0, 1.0, when={"kernel": (0.5,)})},
            "`rate.when` must be of hyperparameters that are a Choice",
        ),
        (
            {
                "kernel": Choice(("a", "b"), when={"rate": (1.0,)}),
                "rate": Choice((1.0, 2.0), when={"kernel": ("a",)}),
            },
            "`when` goes in a circle among kernel, rate",
        ),
        ([], "`parameters` must be a dict"),
    ],
)
def test_wrong_spaces_are_refused(parameters, message):
    with pytest.raises(InputError, match=message):
        SearchSpace(my_recipe, parameters)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Float(1.0, 1.0), "`high` must be a number > low=1"),
        (lambda: Float(0.0, 1.0, log=True), "`low` must be a number > 0 where log=True"),
        (lambda: Float(0.1, 1.0, log=True, step=1), "`step` must be a number > 1"),
        (lambda: Float(0.0, 1.0, step=0), "`step` must be a number > 0"),
        (lambda: Float(0.0, 1.0, default=2.0), "`default` must be a value of 0 to 1"),
        (lambda: Int(16, 64, log=True, step=2, default=48), "`default` must be"),
        (lambda: Int(0.5, 3), "`low` must be an integer"),
        (lambda: Float(0.0, 1.0, log="yes"), "`log` must be True or False"),
        (lambda: Choice(()), "`values` must be a tuple of at least one"),
        (lambda: Choice("relu"), "`values` must be a tuple"),
        (lambda: Choice((None, "none")), "`values` must be different"),
        (lambda: Choice((len, max)), "`values` must hold values that a file can hold"),
        (lambda: Choice((1, 2), default=3), "`default` must be one of"),
        (lambda: Choice((1, 2), when=("a",)), "`when` must be a dict"),
        (lambda: Choice((1, 2), when={"a": "b"}), "`when.a` must be a tuple"),
    ],
)
def test_wrong_hyperparameters_are_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()


def test_widths():
    assert widths(layers=2, units=64) == (64, 64)
    assert widths(layers=5, units=32, shape="pyramid") == (32, 16, 8, 8, 8)
    assert widths(layers=2, units=4, shape="pyramid") == (4, 4)
    with pytest.raises(InputError, match=r"`hidden.shape` must be one of"):
        widths(shape="cone")
