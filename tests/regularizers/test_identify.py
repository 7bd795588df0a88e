"""From factors, names and objects to regularizers."""

import keras
import numpy as np
import pytest

import kerasrecipes as kr
from kerasrecipes.regularizers import get
from tests.harness import check_config_round_trip, numeric_gradient

W = np.random.default_rng(0).normal(size=(7, 5))


def documents(w, l1, l2, n):
    """lambda / n times the sums of |W| and W^2, in float64 (MISSION S5)."""
    return l1 / n * np.abs(w).sum() + l2 / n * np.square(w).sum()


@pytest.mark.parametrize("examples", [None, 1, 1797])
@pytest.mark.parametrize(("l1", "l2", "kind"), [(0.3, 0, "L1"), (0, 0.2, "L2"), (0.3, 0.2, "L1L2")])
def test_penalty_equals_the_formula(l1, l2, kind, examples):
    regularizer = get(l1=l1, l2=l2, examples=examples)
    assert type(regularizer) is getattr(keras.regularizers, kind)
    value = float(regularizer(keras.ops.convert_to_tensor(W, "float32")))
    assert value == pytest.approx(documents(W, l1, l2, examples or 1), rel=1e-6)
    check_config_round_trip(regularizer)


@pytest.mark.parametrize(("l1", "l2"), [(0.3, 0.0), (0.0, 0.2), (0.3, 0.2)])
def test_one_step_of_sgd_follows_the_numeric_gradient(l1, l2):
    dense = keras.layers.Dense(5, use_bias=True, kernel_regularizer=get(l1=l1, l2=l2, examples=9))
    inputs = keras.Input((7,))
    model = keras.Model(inputs, dense(inputs))
    dense.set_weights([W, np.ones(5)])
    model.compile(keras.optimizers.SGD(1.0), lambda y, p: 0 * keras.ops.mean(p, axis=-1))
    model.fit(np.ones((4, 7)), np.ones((4, 5)), verbose=0)
    expected = W - numeric_gradient(lambda w: documents(w, l1, l2, 9), W)
    kernel, bias = dense.get_weights()
    np.testing.assert_allclose(kernel, expected, atol=1e-6)
    np.testing.assert_array_equal(bias, 1)


def test_nothing_to_penalise_is_none():
    assert get() is None
    assert get(l1=0, l2=0.0, examples=5) is None


@pytest.mark.parametrize(
    ("identifier", "kind", "config"),
    [
        ("l2", "L2", {"l2": 0.01}),
        ("L1", "L1", {"l1": 0.01}),
        ({"name": "l1_l2", "l1": 0.5, "l2": 0.25}, "L1L2", {"l1": 0.5, "l2": 0.25}),
        ({"name": "orthogonal", "factor": 0.5}, "OrthogonalRegularizer", {"factor": 0.5}),
        (keras.regularizers.serialize(keras.regularizers.L2(0.5)), "L2", {"l2": 0.5}),
    ],
)
def test_names_dicts_and_configs(identifier, kind, config):
    found = get(identifier)
    assert type(found).__name__ == kind
    assert config.items() <= {k: pytest.approx(v) for k, v in found.get_config().items()}.items()


def test_objects_and_registered_functions():
    @keras.saving.register_keras_serializable("mine")
    def cubes(w):
        return keras.ops.sum(w**3)

    mine = keras.regularizers.L2(0.5)
    assert get(mine) is mine
    assert get(cubes) is get("mine>cubes") is cubes


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"l1": -1}, "`l1` must be a number >= 0"),
        ({"l2": float("inf")}, "`l2`"),
        ({"l2": 1.0, "examples": 0}, "`examples`"),
        ({"identifier": "l2", "l2": 0.1}, "`identifier` must be None"),
        ({"identifier": "l2", "examples": 5}, "`identifier` must be None"),
        ({"identifier": "l3"}, "`regularizer`.*'l3'.*There are: l1, l2"),
        ({"identifier": {"name": "l2", "l1": 0.1}}, "`regularizer.l1` must be one of 'l2'"),
        ({"identifier": "ortogonal"}, "Did you mean 'orthogonal'"),
        ({"identifier": "l1_l2"}, "`regularizer` must be.*with 'l1', 'l2' or both"),
        ({"identifier": 0.1}, "`regularizer`.*Keras says"),
    ],
)
def test_errors(arguments, message):
    with pytest.raises(kr.InputError, match=message):
        get(**arguments)
