"""From names, dicts and objects to initializers, and what a seed does."""

import keras
import numpy as np
import pytest

import kerasrecipes as kr
from kerasrecipes.initializers import child_seed, get


def values(initializer, shape=(6, 6)):
    return keras.ops.convert_to_numpy(initializer(shape))


@keras.saving.register_keras_serializable("mine")
def halves(shape, dtype=None):
    return keras.ops.full(shape, 0.5, dtype)


@keras.saving.register_keras_serializable("mine")
class Thirds(keras.initializers.Constant):
    def __init__(self, value=1 / 3):
        super().__init__(value)


@pytest.mark.parametrize(
    ("activation", "distribution", "expected"),
    [
        ("relu", "normal", "HeNormal"),
        ("relu", "uniform", "HeUniform"),
        ("selu", "normal", "LecunNormal"),
        ("elu", "uniform", "LecunUniform"),
        ("tanh", "normal", "GlorotNormal"),
        ("softmax", "uniform", "GlorotUniform"),
        (None, "normal", "GlorotNormal"),
        ("relu", "orthogonal", "Orthogonal"),
    ],
)
def test_auto(activation, distribution, expected):
    initializer = get("auto", activation=activation, distribution=distribution, seed=1)
    assert type(initializer).__name__ == expected
    assert initializer.seed == 1


@pytest.mark.parametrize(
    ("identifier", "expected"),
    [
        ("he", "HeNormal"),
        ("kaiming", "HeNormal"),
        ("xavier", "GlorotNormal"),
        ("glorot", "GlorotNormal"),
        ("lecun", "LecunNormal"),
        ("pytorch", "VarianceScaling"),
        ("output", "RandomNormal"),
        ("he_uniform", "HeUniform"),
        ("HeUniform", "HeUniform"),
        ("orthogonal", "Orthogonal"),
        ("zeros", "Zeros"),
        ("variance_scaling", "VarianceScaling"),
    ],
)
def test_names(identifier, expected):
    initializer = get(identifier, seed=5)
    assert type(initializer).__name__ == expected
    assert getattr(initializer, "seed", 5) == 5


def test_dicts_with_arguments():
    assert get({"name": "he", "slope": 1.0}).scale == 1.0
    assert type(get({"name": "he", "distribution": "uniform"})).__name__ == "HeUniform"
    assert get({"name": "constant", "value": 2.0}).value == 2.0
    assert get({"name": "orthogonal", "seed": 3}, seed=4).seed == 3


def test_custom_ones_by_registered_name():
    assert get("mine>halves") is halves
    assert values(get("mine>Thirds"))[0, 0] == pytest.approx(1 / 3)


def test_configs_functions_and_arrays():
    config = keras.saving.serialize_keras_object(keras.initializers.HeNormal(seed=4))
    np.testing.assert_array_equal(values(get(config)), values(keras.initializers.HeNormal(seed=4)))
    assert get(halves) is halves
    np.testing.assert_array_equal(values(get(np.eye(6))), np.eye(6))


def test_keras_gives_layers_that_share_an_initializer_equal_weights_and_ours_do_not():
    shared = keras.initializers.HeNormal()
    np.testing.assert_array_equal(values(shared), values(shared))
    first, second = get(shared), get(shared)
    assert np.abs(values(first) - values(second)).max() > 1e-3


def test_an_integer_seed_per_layer_gives_each_its_own_reproducible_weights():
    for identifier in ("auto", "he_normal", keras.initializers.HeNormal(seed=9)):
        seeds = [child_seed(0, "hidden", index) for index in range(3)]
        made = [values(get(identifier, seed=seed)) for seed in seeds]
        assert min(np.abs(made[i] - made[j]).max() for i, j in ((0, 1), (0, 2), (1, 2))) > 1e-3
        np.testing.assert_array_equal(made[0], values(get(identifier, seed=seeds[0])))


def test_an_own_seed_stays_without_another():
    own = keras.initializers.HeNormal(seed=9)
    np.testing.assert_array_equal(values(get(own)), values(own))


def test_seed_generators_are_kept():
    generator = keras.random.SeedGenerator(1)
    made = get("he", seed=generator)
    assert np.abs(values(made) - values(made)).max() > 1e-3
    assert get(made, seed=3) is made
    assert get(keras.initializers.HeNormal(seed=3), seed=generator).seed is generator


def test_the_global_seed_makes_unseeded_ones_reproducible():
    made = []
    for _ in range(2):
        keras.utils.set_random_seed(11)
        made.append(values(get("auto", activation="relu")))
    np.testing.assert_array_equal(*made)


@pytest.mark.parametrize("name", ["he", "orthogonal", "pytorch", "output", "zeros"])
def test_plain_keras_layers_take_them(name):
    layer = keras.layers.Dense(4, kernel_initializer=get(name, seed=1))
    clone = keras.layers.Dense.from_config(layer.get_config())
    layer.build((None, 3))
    clone.build((None, 3))
    np.testing.assert_array_equal(
        keras.ops.convert_to_numpy(layer.kernel), keras.ops.convert_to_numpy(clone.kernel)
    )


@pytest.mark.parametrize(
    ("identifier", "message"),
    [
        ("he_norml", "Did you mean 'he_normal'"),
        ("zzz", "There are: auto, glorot"),
        ({"name": "he", "slop": 1.0}, "Did you mean 'slope'"),
        ({"name": "identity", "gain": 1.0, "x": 1}, "`initializer.x`"),
        ({"name": "stft", "sidd": "real"}, "`initializer.sidd`"),
        ({"name": "mine>needs_side"}, "lacks an argument.*side"),
        ({"class_name": "Nothing", "config": {}}, "Keras says"),
        (7, "`initializer` must be"),
        (None, "`initializer` must be.*'auto'"),
    ],
)
def test_errors(identifier, message):
    @keras.saving.register_keras_serializable("mine", name="needs_side")
    class NeedsSide(keras.initializers.Zeros):
        def __init__(self, side):
            self.side = side

    with pytest.raises(kr.InputError, match=message):
        get(identifier)


def test_errors_of_auto_name_the_argument():
    with pytest.raises(kr.InputError, match="`activation`"):
        get("auto", activation="rellu")
    with pytest.raises(kr.InputError, match="`distribution`"):
        get("auto", distribution="gauss")
