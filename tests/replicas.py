"""Runs a piece of code in a process of its own with several logical CPU devices.

The processes are forks of one that has imported Keras and the package, and has not begun to use
TensorFlow: the imports take longer than most of the code.
"""

import atexit
import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
import traceback

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
    with tempfile.TemporaryDirectory() as folder:
        exit_code, out, error = _Server.get().run(script, pathlib.Path(folder), timeout)
    assert exit_code == 0, f"exit code {exit_code}: {error[-4000:]}"
    line = next(line for line in out.splitlines() if line.startswith("REPORT "))
    return json.loads(line.removeprefix("REPORT "))


class _Server:
    """The process that has imported all, and is forked for each piece of code."""

    _running = None

    @classmethod
    def get(cls):
        if cls._running is None or cls._running._process.poll() is not None:
            cls._running = cls()
        return cls._running

    def __init__(self):
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.replicas"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        )
        atexit.register(self._process.kill)

    def run(self, script, folder, timeout):
        """Returns the exit code, which is that of a signal at the timeout, and what was printed."""
        (folder / "script").write_text(script)
        print(json.dumps([str(folder), timeout]), file=self._process.stdin, flush=True)
        code = json.loads(self._process.stdout.readline())
        return code, (folder / "out").read_text(), (folder / "error").read_text()


def _serve():
    import keras  # noqa: F401
    import numpy as np  # noqa: F401
    import tensorflow as tf  # noqa: F401

    import kerasrecipes  # noqa: F401

    for line in sys.stdin:
        folder, timeout = json.loads(line)
        process = os.fork()
        if not process:
            _run(pathlib.Path(folder))
        print(json.dumps(_wait(process, timeout)), flush=True)


def _run(folder):
    """Runs the script of the folder, and ends this process."""
    code = 1
    for number, name in enumerate(("out", "error"), 1):
        os.dup2(os.open(folder / name, os.O_WRONLY | os.O_CREAT), number)
    try:
        exec(compile((folder / "script").read_text(), "script", "exec"), {"__name__": "__main__"})
        code = 0
    except BaseException:
        traceback.print_exc()
    with contextlib.suppress(BaseException):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


def _wait(process, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found, status = os.waitpid(process, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.kill(process, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


if __name__ == "__main__":
    _serve()
