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
WITH_A_FILE = "callbacks optimizers recipes runs sanity".split()
PARTS += [f"{part}/test_every_backend.py" for part in WITH_A_FILE]
PARTS.append("data/test_normalization.py")
AT_LEAST = 1000
# These tests compile far more than they compute.
FAST_COMPILATION = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
MARKERS = "not gpu and not multi_device and not network and not extra"  # the slow ones too


@pytest.mark.extra
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_parts_pass(backend):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"needs {backend}")
    command = [sys.executable, "-m", "pytest", "-q", "--tb=short", "-n0", "-p", "no:cacheprovider"]
    command += ["-m", MARKERS]
    done = subprocess.run(
        [*command, *(f"tests/{part}" for part in PARTS)],
        cwd=ROOT,
        env={**os.environ, "KERAS_BACKEND": backend, "XLA_FLAGS": FAST_COMPILATION},
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
