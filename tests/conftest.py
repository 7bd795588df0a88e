"""Settings that hold for every test."""

import gc
import os
import signal

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
os.environ.setdefault("MPLBACKEND", "Agg")

import keras
import pytest

signal.signal(signal.SIGINT, signal.default_int_handler)  # some shells ignore it in the background
if hasattr(signal, "SIGHUP"):
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # as does nohup

collect_ignore = ["benchmarks"]


@pytest.fixture(autouse=True)
def _seed_and_policy():
    """Seeds every generator, and leaves no dtype policy behind."""
    keras.utils.set_random_seed(1)
    yield
    keras.config.set_dtype_policy("float32")


@pytest.fixture
def plain_pictures(monkeypatch):
    """Leaves the pictures of report pages empty, which take a third of the time of a small run."""
    monkeypatch.setattr("kerasrecipes.reporting.html._data_url", lambda figure: "data:,")


def pytest_collection_finish():
    """Lets the garbage collector pass over what stays for ever: modules and tests."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True, scope="module")
def _clear_session():
    """Drops what a file's models leave behind; too slow to do after each test.

    What TensorFlow keeps even so is frozen: seconds for each collection after some thousand fits.
    """
    yield
    keras.backend.clear_session()
    gc.freeze()
