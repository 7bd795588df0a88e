"""Weight decay that follows a schedule of the fit."""

import math

import keras
import numpy as np
import pytest

import kerasrecipes as kr
from kerasrecipes._checks import InputError
from tests.harness import check_config_round_trip


def flat_cos(t):
    return 1.0 if t < 0.5 else (1 + math.cos(math.pi * (2 * t - 1))) / 2


def test_decay_is_the_closed_form_update_by_update():
    weight = keras.Variable([1.0])
    optimizer = kr.optimizers.AdamW(0.1, weight_decay=0.5, decay_schedule="flat_cos")
    optimizer.build([weight])
    optimizer.bind_fit(epoch=0, steps=8, steps_per_epoch=4)
    expected = 1.0
    for step in range(8):
        optimizer.apply([keras.ops.zeros(1)], [weight])
        expected *= 1 - 0.1 * 0.5 * flat_cos(step / 8)
        assert float(weight.numpy()[0]) == pytest.approx(expected, rel=1e-6), step


def test_the_fit_binds_it_also_with_a_constant_rate():
    inputs = keras.Input((2,))
    model = kr.recipes.RecipeModel(inputs, keras.layers.Dense(1, use_bias=False)(inputs))
    # Inputs of zero: nothing but the decay moves the kernel.
    model.compile(kr.optimizers.AdamW(0.1, weight_decay=0.5, decay_schedule="flat_cos"), "mse")
    before = model.get_weights()[0].astype("float64")
    x = np.zeros((16, 2), "float32")
    model.fit(x, x[:, :1], batch_size=4, epochs=2, verbose=0)
    expected = before * np.prod([1 - 0.05 * flat_cos(t / 8) for t in range(8)])
    np.testing.assert_allclose(model.get_weights()[0], expected, rtol=1e-5)


def test_config_and_unknown_length():
    optimizer = kr.optimizers.AdamW(0.1, decay_schedule={"name": "cosine", "warmup": 3})
    clone = check_config_round_trip(optimizer)
    assert clone.decay_schedule.warmup == 3
    assert check_config_round_trip(kr.optimizers.AdamW(0.1)).decay_schedule is None
    weight = keras.Variable([1.0])
    with pytest.raises(InputError, match="The length of Cosine is not known"):
        optimizer.apply([keras.ops.zeros(1)], [weight])


def test_errors():
    with pytest.raises(InputError, match="Did you mean"):
        kr.optimizers.AdamW(0.1, decay_schedule="flat_coss")
    plain = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5)
    with pytest.raises(InputError, match="`decay_schedule` must be a name"):
        kr.optimizers.AdamW(0.1, decay_schedule=plain)
    with pytest.raises(InputError, match="`decay_schedule` must be None"):
        kr.optimizers.ScheduleFreeAdamW(0.1, decay_schedule="flat_cos")
