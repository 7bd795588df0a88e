import types

import kerasrecipes as kr
from kerasrecipes.tuning._refused import check_values


def built(space, target):
    """Returns the arguments of the models that are built to check a space."""
    found = []
    trainer = types.SimpleNamespace(
        space=space,
        target=target,
        plan=types.SimpleNamespace(seed=0),
        build=lambda arguments, seed, fold: found.append(arguments),
    )
    check_values(trainer)
    return found


def test_a_new_value_is_tried_where_it_matters():
    target = kr.targets.Binary()
    space = kr.tuning.space("mlp", target)
    assert built(space, target) == []
    assert built(space.staged(5), target) == []
    found = built(space.range(momentum=(0.0, 0.9), dropout=(0.1, 0.9)), target)
    assert sorted(each["dropout"] for each in found) == [0.2, 0.9]
    (sgd,) = (each["optimizer"] for each in found if each["optimizer"] != "adamw")
    assert sgd == {"name": "sgd", "momentum": 0.0}
    (fixed,) = built(space.fix(hidden=(4,), initializer="orthogonal"), target)
    assert (fixed["hidden"], fixed["initializer"]) == ((4,), "orthogonal")


def test_of_ones_own_recipe_no_model_is_built():
    def own(input_shape, target, *, units=4):
        raise AssertionError

    assert built(kr.tuning.SearchSpace(own, {"units": kr.tuning.Int(1, 9)}), "binary") == []
