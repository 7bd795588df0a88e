"""A small problem for the tests of the search."""

import contextlib
import os
import pathlib
import signal
import subprocess
import sys

import keras
import numpy as np

import kerasrecipes as kr
from kerasrecipes.tuning.search import search

RNG = np.random.default_rng(0)
X = RNG.normal(size=(160, 5)).astype("float32")
Y = (X[:, 0] + X[:, 1] * X[:, 2] > 0).astype("int64")
SPACE = {
    "layers": 1,
    "units": [4, 8],
    "activation": "relu",
    "normalization": {"fix": "none"},
    "optimizer": "adamw",
    "schedule": {"fix": "none"},
    "clip_norm": 1.0,
    "l2": 0.0,
    "weight_decay": 0.01,
    "batch_size": 32,
    "label_smoothing": 0.0,
}


def run(folder, **arguments):
    """Searches with small defaults."""
    given = {"trials": 4, "epochs": 3, "space": SPACE, "quiet": True, "refit": False, "seed": 0}
    given |= arguments
    return search("mlp", (5,), kr.targets.Binary(), (X, Y), directory=folder, **given)


def facts(result):
    """Returns what does not depend on time."""
    return [
        (r.number, dict(r.values), r.status, r.epochs, [list(map(float, c)) for c in r.curves])
        for r in result.records
    ]


@contextlib.contextmanager
def held_by_another(folder):
    """Has another process hold the lock of a search, until it is killed."""
    code = (
        "import filelock, time\n"
        f"lock = filelock.FileLock({str(folder / 'lock')!r}); lock.acquire()\n"
        "print('held', flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as other:
        try:
            assert other.stdout.readline() == b"held\n"
            yield
        finally:
            os.kill(other.pid, signal.SIGKILL)


class TellsTheEnvironment(keras.callbacks.Callback):
    """Writes what a variable of the environment is where it trains."""

    def on_train_begin(self, logs=None):
        pathlib.Path(os.environ["TOLD"]).write_text(os.environ.get("SAID", "nothing"))


def tells_the_environment():
    """Returns callbacks, as a function that another process can import."""
    return [TellsTheEnvironment()]
