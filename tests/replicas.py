"""Runs a piece of code in a process of its own with several logical CPU devices."""

import json
import pathlib
import tempfile
import textwrap

from tests.forked import start

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
    with tempfile.TemporaryDirectory() as folder:
        out, error = pathlib.Path(folder, "out"), pathlib.Path(folder, "error")
        process = start(script, out, error)
        process.join(timeout)
        if process.exitcode is None:
            process.kill()
            process.join()
        assert process.exitcode == 0, f"exit code {process.exitcode}: {error.read_text()[-4000:]}"
        lines = out.read_text().splitlines()
    line = next(line for line in lines if line.startswith("REPORT "))
    return json.loads(line.removeprefix("REPORT "))
