import json
import os
import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("jax")

FAST_COMPILATION = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
PROGRAM = """
import json, sys
import keras, numpy as np, pandas as pd
devices = keras.distribution.list_devices()
if len(devices) > 1:
    keras.distribution.set_distribution(keras.distribution.DataParallel(devices=devices))
import kerasrecipes as kr

target, recipes, rng = kr.targets.Multiclass(3), kr.recipes, np.random.default_rng(0)
frame = pd.DataFrame({"rows": rng.normal(size=64), "place": rng.choice(list("abc"), 64)})
y = rng.integers(0, 3, 64)
series = dict(layers=1, units=8, num_heads=2, kernel_size=3, strides=1, dropout=0.0)
cases = {
    "mlp": ((6,), recipes.mlp, dict(hidden=(8,), dropout=0.0)),
    "cnn": ((8, 8, 1), recipes.cnn, dict(filters=(4, 4), augmentation=None, dropout=0.0)),
    "resnet": ((8, 8, 1), recipes.resnet, dict(filters=(4, 4), blocks=1, augmentation=None)),
    "temporal": ((12, 2), recipes.temporal, dict(filters=(4, 4, 4))),
    "rnn": ((12, 2), recipes.rnn, dict(units=(4,), dropout=0.0)),
    "transformer": ((12, 2), recipes.transformer, series),
    "tabular, mlp": (frame, recipes.tabular, dict(form="mlp", hidden=(8,), dropout=0.0)),
    "tabular, tabm": (frame, recipes.tabular, dict(form="tabm", hidden=(8,), dropout=0.0)),
}
found = {}
for name, (shape, recipe, options) in cases.items():
    x = shape if shape is frame else rng.normal(size=(64, *shape)).astype("float32")
    model = recipe(shape, target, seed=0, **options)
    data = kr.data.batches(x, y, batch_size=16, seed=0)
    callbacks = kr.callbacks.standard(progress=False)
    history = model.fit(
        data, validation_data=(x, y), epochs=2, verbose=0, callbacks=callbacks
    ).history
    found[name] = [history["loss"], history["val_loss"], model.predict(x, verbose=0).tolist()]
said = []
model, x = recipes.mlp((6,), target, hidden=(8,)), np.zeros((75, 6), "float32")
for train in (
    lambda: model.fit(kr.data.batches(x, np.resize(y, 75), batch_size=20)),
    lambda: model.fit(x[:64], y, batch_size=15),
    lambda: model.fit(x[:64], y, validation_data=(x[:33], y[:33]), verbose=0),
    lambda: model.evaluate(x[:63], y[:63], verbose=0),
    lambda: model.predict(x, verbose=0),
    lambda: model.fit(
        kr.data.batches(x[:63], y[:63], batch_size=20, drop_remainder=True), verbose=0
    ),
):
    try:
        train()
        said.append("")
    except kr.InputError as error:
        said.append(str(error))
print(json.dumps([len(devices), found, said]))
"""


def run_on(devices):
    flags = [f"--xla_force_host_platform_device_count={devices}", FAST_COMPILATION]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM],
        env={**os.environ, "KERAS_BACKEND": "jax", "XLA_FLAGS": " ".join(flags)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.extra
@pytest.mark.multi_device
def test_recipes_under_data_parallel_on_jax_equal_one_device():
    count, alone, said = run_on(1)
    assert count == 1
    assert said == [""] * 6
    count, divided, said = run_on(2)
    assert count == 2
    assert list(divided) == list(alone)
    for name in alone:
        for one, other in zip(alone[name], divided[name], strict=True):
            np.testing.assert_allclose(other, one, rtol=1e-5, atol=1e-6, err_msg=name)
    assert [bool(each) for each in said] == [True] * 5 + [False]
    assert "`x` must make batches of a multiple of 2 rows" in said[0]
    assert "75 rows in batches of 20, one of them of 15" in said[0]
    assert "`validation_data`" in said[2]
