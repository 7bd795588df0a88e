"""Loss scaling of recipe models, however they are compiled."""

import keras
import numpy as np
import pytest

import kerasrecipes as kr
from kerasrecipes._checks import InputError

X = np.random.default_rng(0).normal(size=(32, 3)).astype("float32")
Y = X[:, :1]
O = kr.optimizers  # noqa: E741


def recipe_model():
    inputs = keras.Input((3,))
    return kr.recipes.RecipeModel(inputs, keras.layers.Dense(1, dtype="float32")(inputs))


@pytest.fixture
def half():
    keras.config.set_dtype_policy("mixed_float16")


@pytest.mark.usefixtures("half")
def test_recipe_models_scale_with_ours_however_they_are_compiled(tmp_path):
    made = kr.recipes.mlp((3,), kr.targets.Regression(), hidden=(4,), dropout=0.0)
    made.compile(O.Adam(), "mse")
    plain = recipe_model()
    plain.compile("adam", "mse", metrics=["mae"])
    for model in (made, plain):
        assert type(model.optimizer) is O.LossScaleOptimizer
        model.fit(X, Y, batch_size=8, verbose=0)
        model.save(tmp_path / "model.keras")
        loaded = keras.saving.load_model(tmp_path / "model.keras")
        assert type(loaded.optimizer) is O.LossScaleOptimizer
        for each in (model, loaded):
            each.fit(X, Y, batch_size=8, shuffle=False, verbose=0)
        for a, b in zip(model.get_weights(), loaded.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.usefixtures("half")
def test_sam_cannot_slip_into_half_precision():
    with pytest.raises(InputError, match="mixed_bfloat16"):
        recipe_model().compile(O.SAM("sgd"), "mse")


@pytest.mark.usefixtures("half")
def test_scaling_can_be_left_out():
    model = recipe_model()
    model.compile(O.Adam(), "mse", auto_scale_loss=False)
    assert type(model.optimizer) is O.Adam


def test_compile_is_keras_own_otherwise(tmp_path):
    model = recipe_model()
    model.compile("sgd", loss="mse", metrics=["mae"], loss_weights=2.0, jit_compile=False)
    assert type(model.optimizer) is keras.optimizers.SGD
    model.fit(X, Y, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.evaluate(X, Y, verbose=0) == model.evaluate(X, Y, verbose=0)
    assert len(loaded.optimizer.variables) == len(model.optimizer.variables)
    assert type(keras.models.clone_model(model)) is kr.recipes.RecipeModel
    uncompiled = recipe_model()
    uncompiled.save(tmp_path / "model.keras")
    assert not keras.saving.load_model(tmp_path / "model.keras").compiled


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: O.SAM(O.LossScaleOptimizer(O.SGD())), "must not scale the loss"),
        (lambda: O.Lookahead(keras.optimizers.LossScaleOptimizer(O.SGD())), "outside of all"),
        (lambda: O.LossScaleOptimizer(O.LossScaleOptimizer(O.SGD())), "must not scale the loss"),
        (lambda: O.SAM(O.Lookahead(O.SAM("sgd"))), "must not be SAM again"),
        (lambda: O.LossScaleOptimizer("adamm"), "`inner_optimizer`.*Did you mean 'Adam"),
        (lambda: O.LossScaleOptimizer("adam", initial_scale=-1), "`initial_scale`"),
        (lambda: O.LossScaleOptimizer("adam", dynamic_growth_steps=0), "`dynamic_growth_steps`"),
        (lambda: O.Lookahead(3), "`inner_optimizer`"),
    ],
)
def test_bad_input(make, message):
    with pytest.raises(InputError, match=message):
        make()


def test_by_name():
    assert type(O.LossScaleOptimizer("adam").inner_optimizer) is O.Adam
