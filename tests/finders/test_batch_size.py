import os
import subprocess
import sys
import time

import keras
import numpy as np
import pytest

import kerasrecipes as kr
from kerasrecipes import finders
from kerasrecipes._checks import InputError
from kerasrecipes.finders import _prober
from kerasrecipes.finders._prober import Prober, Trial, available, resident
from kerasrecipes.finders.batch_size import _limit, tried

X = np.random.default_rng(0).normal(size=(40, 4)).astype("float32")
Y = X.sum(1, keepdims=True)

# Ends its own process above a size, as the system does when memory runs out; or lacks memory.
HUNGRY = """
import os, signal
import keras
import tensorflow as tf

@keras.saving.register_keras_serializable("hungry")
class Hungry(keras.layers.Layer):
    def __init__(self, ends=10**9, lacks=10**9, holds=0, breaks=10**9, **kwargs):
        super().__init__(**kwargs)
        self.ends, self.lacks, self.holds, self.breaks = ends, lacks, holds, breaks

    def call(self, x):
        if isinstance(x, keras.KerasTensor):
            return x
        result = tf.py_function(self.eat, [x], x.dtype)
        result.set_shape(x.shape)
        return tf.stop_gradient(result - x) + x

    def eat(self, x):
        rows = int(x.shape[0])
        if rows > self.ends:
            os.kill(os.getpid(), signal.SIGKILL)
        if rows > self.lacks:
            raise MemoryError("nothing is left")
        if rows > self.breaks:
            raise ValueError("what is this")
        self.held = None
        self.held = bytearray(rows * self.holds)
        for page in range(0, len(self.held), 4096):
            self.held[page] = 1
        return x

    def get_config(self):
        own = {name: getattr(self, name) for name in ("ends", "lacks", "holds", "breaks")}
        return {**super().get_config(), **own}
"""


def plain():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile(kr.optimizers.AdamW(0.01), "mse")
    return model


@pytest.fixture
def hungry(tmp_path, monkeypatch):
    """Returns a function from the layer's arguments to a model with it."""
    (tmp_path / "hungry_layers.py").write_text(HUNGRY)
    monkeypatch.syspath_prepend(tmp_path)
    import hungry_layers

    def make(**arguments):
        layers = [keras.Input((4,)), hungry_layers.Hungry(**arguments), keras.layers.Dense(1)]
        model = keras.Sequential(layers)
        model.compile("sgd", "mse")
        return model

    yield make
    del sys.modules["hungry_layers"]


FIND = {"imports": ["hungry_layers"], "seconds": 0.01}


@pytest.mark.parametrize("limit", [1, 2, 15, 16, 17, 100, 1000, 1023, 1024, 5000])
@pytest.mark.parametrize("smallest", [1, 16, 48])
@pytest.mark.parametrize("precision", [0.0, 1 / 16, 0.5])
def test_the_search_finds_the_largest_that_fits(limit, smallest, precision):
    asked = []

    def probe(size):
        asked.append(size)
        return Trial(size, 1.0, 0, "" if size <= limit else "too large")

    trials = tried(probe, smallest, 4096, precision)
    found = max(trial.batch_size for trial in trials if not trial.why_not)
    assert found <= limit
    if limit >= 4096:
        assert found == 4096
        assert all(not trial.why_not for trial in trials)
    else:
        assert found + max(1, int(precision * found)) >= min(s for s in asked if s > limit)
        assert precision > 0 or found == limit
    assert len(asked) == len(set(asked)) <= 26
    powers = [smallest * 2**k for k in range(13) if smallest * 2**k <= min(limit, 4096)]
    assert asked[: len(powers)] == powers


def test_nothing_fits_is_a_search_that_ends():
    assert len(tried(lambda size: Trial(size, why_not="no"), 16, 4096, 0.0)) <= 6


@pytest.mark.slow
def test_a_process_that_the_system_ends_does_no_harm(hungry):
    """The killer of Linux sends SIGKILL; here the layer does it to its own process."""
    model = hungry(ends=50)
    before = model.get_weights(), model.optimizer.get_config()
    result = finders.batch_size(model, (X, Y), largest=200, precision=0.2, **FIND)
    assert result.sizes.tolist() == [16, 32, 48]
    assert set(result.failed) == {64, 56}
    assert all("the system ended the process" in why for why in result.failed.values())
    assert result.ended == "48 fits, 56 does not"
    for a, b in zip(model.get_weights(), before[0], strict=True):
        np.testing.assert_array_equal(a, b)
    assert model.optimizer.get_config() == before[1]
    model.fit(X, Y, batch_size=4, verbose=0)


@pytest.mark.slow
def test_memory_that_runs_out_within_the_process_is_told_from_a_mistake(hungry):
    result = finders.batch_size(hungry(lacks=20), (X, Y), precision=0.5, **FIND)
    assert result.largest == 16
    assert "nothing is left" in " ".join(result.failed.values())
    with pytest.raises(RuntimeError, match="what is this"):
        finders.batch_size(hungry(breaks=20), (X, Y), **FIND)


@pytest.mark.slow
def test_a_given_memory_is_kept_to(hungry):
    """Each row holds a megabyte: how many fit follows from the limit."""
    small = finders.batch_size(hungry(), (X, Y), largest=16, **FIND)
    base, room = int(small.memory[-1]), 300
    model = hungry(holds=2**20)
    limit = base + room * 2**20
    result = finders.batch_size(model, (X, Y), largest=4096, memory=limit, **FIND)
    assert result.limit == limit
    assert 0.6 * room < result.largest <= room
    assert (result.memory <= limit).all()
    assert (np.diff(result.memory) > 0).any()
    assert all("MiB, more than" in why for why in result.failed.values())
    with pytest.raises(InputError, match="`memory` must be enough to load the model"):
        finders.batch_size(model, (X, Y), memory="50 MB", **FIND)


@pytest.mark.slow
def test_rows_of_a_table_are_encoded_and_the_speed_is_that_of_fit():
    import pandas as pd

    table = pd.DataFrame({"size": X[:, 0].astype("float64"), "kind": ["a", "b"] * 20})
    model = kr.recipes.tabular(table, kr.targets.Regression().adapt(Y[:, 0]), form="mlp", seed=0)
    rows = kr.data.batches(table, Y[:, 0], batch_size=10, seed=0)
    rows.epoch = 3
    result = finders.batch_size(model, rows, largest=64, seconds=0.3)
    assert rows.epoch == 3
    assert result.sizes.tolist() == [16, 32, 64]
    assert result.memory.min() > 2**27
    big = kr.data.batches(
        table.iloc[np.arange(6400) % 40], Y[np.arange(6400) % 40, 0], batch_size=64
    )
    model.fit(big, verbose=0)
    began = time.perf_counter()
    model.fit(big, verbose=0, epochs=3)
    seconds = (time.perf_counter() - began) / 300
    measured = 64 / result.examples_per_second[-1]
    assert 0.2 < measured / seconds < 5.0  # wide, since others use the machine too


@pytest.mark.slow
def test_nothing_is_left_of_the_process_and_its_files():
    how = {"limit": 2**20, "on_gpu": True, "seconds": 0.0, "imports": ()}
    with Prober(plain(), (X, Y), **how) as prober:  # as on a GPU, whose memory is not that here
        prober._limit = None
        trial = prober(8)
        assert trial.batch_size == 8
        assert not trial.why_not
        assert trial.seconds_per_step > 0
        folder, process = prober._folder, prober._process.pid
        assert resident(process) > 2**27
    assert not folder.exists()
    assert resident(process) == 0


def test_it_reads_the_memory_of_a_process_and_of_the_machine():
    sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(20)"])
    try:
        time.sleep(0.3)
        assert 2**20 < resident(sleeper.pid) < 2**28
    finally:
        sleeper.kill()
        sleeper.wait()
    assert resident(sleeper.pid) == 0
    assert (available() or 0) > 2**20
    assert resident(os.getpid()) > 2**27


@pytest.mark.parametrize(
    ("memory", "expected"),
    [(1e9, 10**9), ("2 GiB", 2**31), ("500MB", 5 * 10**8), ("1.5 ki", 1536), ("123", 123)],
)
def test_memory_is_a_number_or_a_text(memory, expected):
    assert _limit(memory, on_gpu=False) == expected


def test_memory_defaults_to_most_of_what_is_left():
    assert 0.8 < _limit(None, on_gpu=False) / available() < 1.0
    assert _limit(None, on_gpu=True) is None
    assert _limit("1 GB", on_gpu=True) == 10**9


@pytest.mark.parametrize("version", [1, 2])
def test_what_a_control_group_holds_is_not_left(tmp_path, monkeypatch, version):
    monkeypatch.setattr(_prober, "_GROUP", tmp_path)
    paths = _prober._GROUPS[2 - version]
    texts = "1000000\n", "900000\n", "total_inactive_file 5000\ninactive_file 5000\n"
    assert available() > 10**7
    for path, text in zip(paths, texts, strict=True):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
    assert available() == 105_000
    (tmp_path / paths[0]).write_text("max\n")
    assert available() > 10**7


class Unknown(keras.layers.Layer):
    """A layer that no other process knows."""


@pytest.mark.slow
def test_a_model_that_a_new_process_cannot_load_is_told():
    model = keras.Sequential([keras.Input((4,)), Unknown(), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(InputError, match="(?s)can load. Received: .*'Unknown'.*`imports`") as told:
        finders.batch_size(model, (X, Y))
    assert len(str(told.value)) < 700
    with pytest.raises(InputError, match="No module named 'no_such_module'"):
        finders.batch_size(plain(), (X, Y), imports=["no_such_module"])


WRONG = {
    "memory": ({"memory": "much"}, '`memory` must be bytes, or a string such as "2 GiB"'),
    "no memory": ({"memory": 0}, "`memory` must be a number > 0"),
    "smallest": ({"smallest": 0}, "`smallest` must be an integer >= 1"),
    "largest": ({"largest": 8}, "`largest` must be an integer >= 16"),
    "precision": ({"precision": 2.0}, r"`precision` must be a number in \[0, 1\]"),
    "seconds": ({"seconds": -1}, "`seconds` must be a number >= 0"),
    "no number": ({"memory": "1.2.3 GB"}, "`memory` must be bytes, or a string"),
    "imports": ({"imports": "keras"}, "`imports` must be a list of names of modules"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_said(case):
    arguments, message = WRONG[case]
    with pytest.raises(InputError, match=message):
        finders.batch_size(plain(), (X, Y), **arguments)


def test_a_model_that_is_not_compiled_and_an_iterator_are_refused():
    with pytest.raises(InputError, match="`model` must be compiled"):
        finders.batch_size(keras.Sequential([keras.Input((2,))]), (X, Y))
    with pytest.raises(InputError, match="`data` must be data whose position"):
        finders.batch_size(plain(), iter([(X, Y)]))
