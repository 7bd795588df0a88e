"""Runs a piece of code in a process of its own with several logical CPU devices."""

import json
import os
import pathlib
import subprocess
import sys
import textwrap

ROOT = pathlib.Path(__file__).resolve().parents[1]
_HEADER = """
import json, sys
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(
    cpu, [tf.config.LogicalDeviceConfiguration()] * {replicas}
)
devices = [device.name for device in tf.config.list_logical_devices("CPU")]
import keras
import numpy as np
import kerasrecipes as kr
strategy = tf.distribute.MirroredStrategy(devices) if {replicas} > 1 else None
keras.utils.set_random_seed(0)
def report(**values):
    print("REPORT " + json.dumps(values))
"""


def run_on_replicas(code, *, replicas, timeout=240):
    """Runs `code`, which calls `report(**values)` at its end; returns those values.

    The code finds `tf`, `keras`, `np`, `kr` and `strategy`, None for one replica.
    """
    script = _HEADER.format(replicas=replicas) + textwrap.dedent(code)
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        timeout=timeout,
        cwd=ROOT,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    assert done.returncode == 0, done.stderr[-4000:]
    line = next(line for line in done.stdout.splitlines() if line.startswith("REPORT "))
    return json.loads(line.removeprefix("REPORT "))
