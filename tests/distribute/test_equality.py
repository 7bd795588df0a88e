"""With the same global batch, replicas give the weights and History of one device."""

import numpy as np
import pytest

from tests import equality_program
from tests.replicas import run_on_replicas
from tests.workers import run_workers

CODE = """
from tests import equality_program
report(**equality_program.run(strategy, names={names}))
"""


def assert_equal(found, one, atol):
    assert set(found) == set(one)
    for case, expected in one.items():
        assert found[case]["history"].keys() == expected["history"].keys(), case
        for name, values in expected["history"].items():
            np.testing.assert_allclose(
                found[case]["history"][name],
                values,
                rtol=2e-6,
                atol=atol,
                err_msg=f"{case}: {name}",
            )
        for part in ("weights", "predictions"):
            np.testing.assert_allclose(
                found[case][part], expected[part], rtol=1e-6, atol=atol, err_msg=f"{case}: {part}"
            )


SOME = [  # enough to show that the number does not matter
    "batch normalisation",
    "class weights",
    "masks",
]


@pytest.fixture(scope="module")
def one():
    return run_on_replicas(CODE.format(names=None), replicas=1)


@pytest.mark.multi_device
@pytest.mark.slow
@pytest.mark.parametrize("replicas", [2, 4])
def test_replicas_equal_one_device(one, replicas):
    assert set(one) == {*equality_program.CASES, "masks"}
    names = None if replicas == 2 else SOME
    found = run_on_replicas(CODE.format(names=names), replicas=replicas, timeout=500)
    assert_equal(found, {name: one[name] for name in names or one}, atol=1e-6)


WORKERS = """
from tests import equality_program
strategy = kr.distribute.strategy("multi_worker", verbose=False)
report(**equality_program.run(strategy, names={names}))
"""


@pytest.mark.multi_device
@pytest.mark.slow
def test_two_workers_equal_one_device(one):
    for found in run_workers(WORKERS.format(names=SOME), workers=2, timeout=500):
        assert_equal(found, {name: one[name] for name in SOME}, atol=1e-6)


SEEDS = """
strategy = kr.distribute.strategy("multi_worker", verbose=False)
keras.utils.set_random_seed(index)  # so each would draw another order
model = kr.recipes.mlp((1,), kr.targets.Regression(), hidden=(2,), strategy=strategy)
data = kr.data.batches(np.arange(8.0)[:, None], np.arange(8.0), batch_size=4)
drawn = data.seed
even = kr.distribute.EvenBatches(data, strategy)
first = lambda part: strategy.experimental_local_results(part)[0].numpy().ravel().tolist()
parts = [first(batch[0]) for batch in even]
options = tf.data.Options()
options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF
plain = tf.data.Dataset.range(8).batch(4).with_options(options)
plain = [first(batch) for batch in strategy.experimental_distribute_dataset(plain)]
report(drawn=drawn, seed=data.seed, parts=parts, plain=plain)
"""


@pytest.mark.multi_device
def test_d10_workers_take_the_chiefs_seed_and_each_row_once():
    chief, other = run_workers(SEEDS, workers=2, timeout=120)
    assert chief["drawn"] != other["drawn"]
    assert chief["seed"] == other["seed"] == chief["drawn"]
    assert all(len(part) == 2 for part in chief["parts"] + other["parts"])
    read = [row for each in (chief, other) for part in each["plain"] for row in part]
    assert sorted(read) != list(range(8)), "TensorFlow's policy OFF shares the rows out now"
    rows = [row for each in (chief, other) for part in each["parts"] for row in part]
    assert sorted(rows) == list(range(8))


RESUMED = """
import sys
strategy = kr.distribute.strategy("multi_worker", verbose=False)
folder = FOLDER if index == 0 else OTHER

class Crash(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 2:
            raise KeyboardInterrupt

def train(folder, *extra):
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 4)).astype("float32")
    y = (x[:, 0] > 0).astype("int32")
    model = kr.recipes.mlp((4,), kr.targets.Binary(), hidden=(6,), dropout=0.3, seed=0,
                           schedule="cosine", strategy=strategy)
    callbacks = kr.callbacks.standard(checkpoint=folder, averaging="ema", progress=False)
    history = model.fit(kr.data.batches(x, y, batch_size=16, seed=1), epochs=4, verbose=0,
                        validation_data=(x, y), callbacks=[*callbacks, *extra])
    weights = [v for w in model.get_weights() for v in w.ravel().tolist()]
    return callbacks[0].resumed, weights, history.history

whole = train(folder + "/whole")
try:
    train(folder + "/cut", Crash())
except KeyboardInterrupt:
    pass
import gc
gc.collect()
resumed, *again = train(folder + "/cut")
import pathlib
files = sorted(path.name for path in pathlib.Path(folder).glob("*/generation-*"))
report(resumed=resumed, same=again == list(whole[1:]), weights=again[0], files=len(files))
"""


@pytest.mark.multi_device
@pytest.mark.slow
def test_d9_the_chief_saves_and_all_go_on_from_its_save(tmp_path):
    code = RESUMED.replace("FOLDER", repr(str(tmp_path / "chief")))
    code = code.replace("OTHER", repr(str(tmp_path / "elsewhere")))
    chief, other = run_workers(code, workers=2, timeout=300)
    assert chief["resumed"] == other["resumed"] == [2, 0]
    assert chief["same"]
    assert other["same"]
    assert chief["weights"] == other["weights"]
    assert chief["files"] > 0
    assert other["files"] == 0
