"""C5 of the table of defects: in Keras a warm-up may silently not happen."""

import keras
import numpy as np
import pytest

import kerasrecipes as kr


def rates(schedule):
    """What a model is trained at in 12 updates: the gradient is 1, so the weight falls by it."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    optimizer = keras.optimizers.SGD(schedule)
    model.compile(optimizer, lambda y, prediction: prediction, jit_compile=False)
    seen = [float(model.get_weights()[0][0, 0])]
    note = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: seen.append(float(model.get_weights()[0][0, 0]))
    )
    data = {"x": np.ones((12, 1)), "y": np.ones((12, 1)), "batch_size": 1}
    model.fit(**data, verbose=0, callbacks=[note])
    return -np.diff(seen)


def test_c5_keras_warms_up_only_with_a_target():
    plain = keras.optimizers.schedules.CosineDecay(0.1, 100, warmup_steps=10)
    assert rates(plain)[0] == pytest.approx(0.1, rel=1e-4), "Keras mended C5"


@pytest.mark.parametrize(
    "ours",
    [
        kr.schedules.Cosine(0.1, total=100, warmup=10),
        kr.schedules.Cosine(0.1, total=90).warm_up(10),
        kr.schedules.WarmupStableDecay(0.1, total=100, warmup=10),
        kr.schedules.Constant(0.1).warm_up("10 updates"),
        kr.schedules.WarmUp(keras.optimizers.schedules.CosineDecay(0.1, 90), length=10),
        kr.schedules.get({"name": "cosine", "total": 100, "warmup": 0.1}, 0.1),
    ],
)
def test_c5_ours_always_warms_up(ours):
    np.testing.assert_allclose(rates(ours)[:11], 0.1 * np.arange(1, 12) / 11, rtol=1e-4)
