"""Lookahead, SAM and loss scaling."""

import jax
import keras
import numpy as np
import optax
import pytest

import kerasrecipes as kr
from kerasrecipes._checks import InputError
from tests.harness import check_config_round_trip, representative

GRADIENTS = np.random.default_rng(0).normal(size=(13, 3)).astype("float32")
W0 = np.array([0.8, -1.5, 0.3], "float32")
X = np.random.default_rng(1).normal(size=(64, 4)).astype("float32")
Y = (X @ np.array([[1.0], [-2.0], [0.5], [0.0]], "float32")).astype("float32")


def test_lookahead_agrees_with_optax():
    peer = optax.lookahead(optax.sgd(0.1, momentum=0.9), sync_period=5, slow_step_size=0.5)
    params = optax.LookaheadParams.init_synced(jax.numpy.asarray(W0))
    state = peer.init(params)
    inner = kr.optimizers.SGD(0.1, momentum=0.9)
    ours, variable = kr.optimizers.Lookahead(inner, sync_period=5), keras.Variable(W0)
    for gradient in GRADIENTS:
        updates, state = peer.update(jax.numpy.asarray(gradient), state, params)
        params = optax.apply_updates(params, updates)
        ours.apply([keras.ops.convert_to_tensor(gradient)], [variable])
        np.testing.assert_allclose(variable.numpy(), params.fast, rtol=1e-5)
        np.testing.assert_allclose(ours.slow[0].numpy(), params.slow, rtol=1e-5)


def linear(optimizer, **compile_arguments):
    inputs = keras.Input((4,))
    outputs = keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")(inputs)
    model = kr.recipes.RecipeModel(inputs, outputs)
    model.compile(optimizer, "mse", **compile_arguments)
    return model


@pytest.mark.parametrize("rho", representative([0.05, 0.5], 0.5))
def test_sam_takes_the_gradient_at_the_worst_nearby_weights(rho):
    model = linear(kr.optimizers.SAM(kr.optimizers.SGD(0.1, momentum=0.5), rho=rho))
    model.fit(X, Y, batch_size=16, epochs=2, shuffle=False, verbose=0)
    w, v = np.ones((4, 1)), 0.0
    for t in range(8):
        x, y = (a[16 * (t % 4) : 16 * (t % 4) + 16].astype("float64") for a in (X, Y))
        g = 2 * x.T @ (x @ w - y) / 16
        worst = w + rho * g / np.linalg.norm(g)
        v = 0.5 * v - 0.1 * 2 * x.T @ (x @ worst - y) / 16
        w = w + v
    np.testing.assert_allclose(model.get_weights()[0], w, rtol=2e-5)


def test_sam_reports_the_loss_of_the_weights_and_moves_statistics_once():
    def trained(optimizer):
        model = kr.recipes.mlp(
            (4,), kr.targets.Regression(), hidden=(8,), dropout=0.0, optimizer=optimizer, seed=0
        )
        history = model.fit(X, Y, batch_size=64, shuffle=False, verbose=0)
        return history.history["loss"], [w.numpy() for w in model.non_trainable_weights]

    plain = trained(kr.optimizers.SGD(0.1))
    sam = trained(kr.optimizers.SAM(kr.optimizers.SGD(0.1)))
    assert plain[0] == pytest.approx(sam[0], rel=1e-6)
    for a, b in zip(plain[1], sam[1], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)


def test_sam_leaves_the_losses_and_metrics_of_all_outputs_alone():
    def history(optimizer):
        keras.utils.set_random_seed(0)
        inputs = keras.Input((4,))
        outputs = [keras.layers.Dense(1, name=name)(inputs) for name in "ab"]
        model = kr.recipes.RecipeModel(inputs, outputs)
        model.compile(optimizer, ["mse", "mae"], metrics=[["mae"], ["mse"]])
        return model.fit(X, [Y, Y], batch_size=64, verbose=0).history

    plain, sam = history("sgd"), history(kr.optimizers.SAM("sgd", rho=5.0))
    assert len(plain) == 5
    for name, values in plain.items():
        assert sam[name] == pytest.approx(values, rel=1e-6), name


def test_sam_says_which_models_take_part():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile(kr.optimizers.SAM("sgd"), "mse")
    with pytest.raises(InputError, match="RecipeModel"):
        model.fit(X, Y, verbose=0)


WRAPPERS = {
    "Lookahead": lambda: kr.optimizers.Lookahead("adamw", sync_period=3, slow_step_size=0.25),
    "SAM": lambda: kr.optimizers.SAM("sgd", rho=0.2),
    "LossScaleOptimizer": lambda: kr.optimizers.LossScaleOptimizer(kr.optimizers.Adam()),
}


@pytest.mark.parametrize("name", representative(WRAPPERS, "SAM", "LossScaleOptimizer"))
def test_round_trip_learning_and_resume(name, tmp_path):
    check_config_round_trip(WRAPPERS[name]())
    model = linear(WRAPPERS[name]())
    losses = model.fit(X, Y, epochs=4, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert type(loaded.optimizer) is type(model.optimizer)
    for each in (model, loaded):
        each.fit(X, Y, epochs=2, shuffle=False, verbose=0)
    np.testing.assert_allclose(model.get_weights()[0], loaded.get_weights()[0], rtol=1e-6)


def test_by_name_with_the_settings_of_a_recipe():
    model = kr.recipes.mlp(
        (4,), kr.targets.Regression(), hidden=(8,), learning_rate=0.25, schedule="cosine",
        optimizer={"name": "lookahead", "inner_optimizer": {"name": "sgd", "momentum": 0.5}},
        clip_norm=0.125,
    )  # fmt: skip
    inner = model.optimizer.inner_optimizer
    assert (inner.momentum, inner.clipping.global_clipnorm) == (0.5, 0.125)
    history = model.fit(
        X,
        Y,
        epochs=4,
        verbose=0,
        callbacks=[kr.callbacks.LearningRateLog(), kr.callbacks.GradientLog()],
    ).history
    np.testing.assert_allclose(
        history["learning_rate"], 0.125 * (1 + np.cos(np.pi * np.arange(1, 5) / 4)), atol=1e-7
    )
    assert set(history) >= {"gradient_norm", "clipped_fraction"}


def test_an_overflow_skips_the_update_and_halves_the_scale():
    optimizer = kr.optimizers.LossScaleOptimizer(kr.optimizers.SGD(0.1), initial_scale=8.0)
    variable = keras.Variable(W0)
    optimizer.apply([keras.ops.convert_to_tensor([1.0, np.inf, 0.0])], [variable])
    np.testing.assert_array_equal(variable.numpy(), W0)
    assert float(optimizer.dynamic_scale) == 4.0
    optimizer.apply([keras.ops.convert_to_tensor(4 * np.ones(3, "float32"))], [variable])
    np.testing.assert_allclose(variable.numpy(), W0 - 0.1, rtol=1e-6)


def test_recipes_bring_loss_scaling_along_in_float16(tmp_path):
    keras.config.set_dtype_policy("mixed_float16")
    model = kr.recipes.mlp((4,), kr.targets.Regression(), hidden=(8,), schedule="cosine", seed=0)
    assert type(model.optimizer) is kr.optimizers.LossScaleOptimizer
    log = [kr.callbacks.LearningRateLog(), kr.callbacks.GradientLog()]
    history = model.fit(X, Y, epochs=3, verbose=0, callbacks=log).history
    assert np.isfinite(history["loss"]).all()
    assert 0 <= history["learning_rate"][-1] < 0.1 * history["learning_rate"][0]
    assert 0 < history["gradient_norm"][0] < 100
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert type(loaded.optimizer) is kr.optimizers.LossScaleOptimizer
    with pytest.raises(InputError, match="mixed_bfloat16"):
        kr.recipes.mlp((4,), kr.targets.Regression(), optimizer=kr.optimizers.SAM("sgd"))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: kr.optimizers.Lookahead("adamw", sync_period=0), "`sync_period`"),
        (lambda: kr.optimizers.Lookahead("adamw", slow_step_size=2.0), "`slow_step_size`"),
        (lambda: kr.optimizers.Lookahead("adamx"), "Did you mean"),
        (lambda: kr.optimizers.SAM("sgd", rho=0), "`rho`"),
        (lambda: kr.optimizers.get("layerwise_decay"), "name of an optimizer"),
    ],
)
def test_bad_input(make, message):
    with pytest.raises(InputError, match=message):
        make()
