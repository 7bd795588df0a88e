"""What is written on keras.ops alone runs on every Keras backend."""

import importlib.util
import os
import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[1]
# Without the doctests: what they print is in TensorFlow's words.
PARTS = "activations initializers layers regularizers schedules targets".split()
PARTS += ["optimizers/test_every_backend.py"]
AT_LEAST = 1000


@pytest.mark.extra
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_parts_pass(backend):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"needs {backend}")
    command = [sys.executable, "-m", "pytest", "-q", "--tb=short", "-n0", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, *(f"tests/{part}" for part in PARTS)],
        cwd=ROOT,
        env={**os.environ, "KERAS_BACKEND": backend},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=1800,
    )
    tail = done.stdout[-4000:]
    assert done.returncode == 0, tail
    passed = re.search(r"(\d+) passed", tail)
    assert passed is not None, tail
    assert int(passed[1]) >= AT_LEAST, tail
