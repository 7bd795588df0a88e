"""Runs a piece of code in several processes of this machine that are one TensorFlow cluster."""

import contextlib
import json
import os
import pathlib
import signal
import tempfile
import textwrap
import time

from kerasrecipes._worker_process import free_ports
from tests.forked import start

_HEADER = """
import json, os, sys
import tensorflow as tf
import keras
import numpy as np
import kerasrecipes as kr
index = int(os.environ["WORKER_INDEX"])
def report(**values):
    print("REPORT " + json.dumps(values), flush=True)
def say(line):
    print("SAY " + line, flush=True)
keras.utils.set_random_seed(0)
"""


def tf_config(addresses, index):
    """Returns the environment variable by which TensorFlow finds the workers."""
    task = {"type": "worker", "index": index}
    return json.dumps({"cluster": {"worker": list(addresses)}, "task": task})


class Workers:
    """The processes of a cluster; a context manager that leaves none of them running.

    The code finds `tf`, `keras`, `np`, `kr` and `index`, and calls `report(**values)`; `say(line)`
    writes a line that `wait_for` waits for. One worker runs without TF_CONFIG.

    Args:
        code: Python code of every worker.
        workers: Their number.
        start: Which of them to start at once; None for all.
        env: More environment variables.
    """

    def __init__(self, code, *, workers=2, start=None, env=None):
        self.script = _HEADER + textwrap.dedent(code)
        self.addresses = [f"127.0.0.1:{port}" for port in free_ports(workers)]
        self.env = env or {}
        self.folder = tempfile.TemporaryDirectory()
        self.processes = {}
        try:
            for index in range(workers) if start is None else start:
                self.start(index)
        except BaseException:
            self.__exit__()
            raise

    def start(self, index):
        """Starts the worker of that index."""
        env = {"WORKER_INDEX": str(index), **self.env}
        if len(self.addresses) > 1:
            env.setdefault("TF_CONFIG", tf_config(self.addresses, index))
        files = self._file(index, "out"), self._file(index, "err")
        self.processes[index] = start(self.script, *files, env)

    def _file(self, index, kind):
        return pathlib.Path(self.folder.name) / f"{index}.{kind}"

    def output(self, index, kind="out"):
        """Returns what a worker has written so far, to "out" or "err"."""
        return self._file(index, kind).read_text(errors="replace")

    def signal(self, index, number):
        """Sends a signal to a worker and its children."""
        os.killpg(self.processes[index].pid, number)

    def wait_for(self, index, line, *, timeout=120):
        """Waits until a worker has called `say(line)`."""
        end = time.monotonic() + timeout
        while f"SAY {line}\n" not in self.output(index):
            assert self.processes[index].exitcode is None, self.output(index, "err")[-4000:]
            assert time.monotonic() < end, f"worker {index} did not say {line!r} in {timeout} s"
            time.sleep(0.05)

    def codes(self, *, timeout=120):
        """Waits for the workers that run; returns the exit codes, None for those that hang."""
        end = time.monotonic() + timeout
        for process in self.processes.values():
            process.join(max(0.0, end - time.monotonic()))
        return [self.processes[index].exitcode for index in sorted(self.processes)]

    def reports(self, *, timeout=120):
        """Waits for all workers, which have to end well; returns what each has reported."""
        codes = self.codes(timeout=timeout)
        errors = "\n".join(f"worker {i}:\n{self.output(i, 'err')[-4000:]}" for i in self.processes)
        assert codes == [0] * len(codes), f"exit codes {codes}\n{errors}"
        found = []
        for index in sorted(self.processes):
            lines = self.output(index).splitlines()
            line = next(line for line in lines if line.startswith("REPORT "))
            found.append(json.loads(line.removeprefix("REPORT ")))
        return found

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.processes.values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.kill()
            process.join()
        self.folder.cleanup()


def run_workers(code, *, workers=2, timeout=180, env=None):
    """Runs `code` on that many workers; returns what each of them has reported."""
    with Workers(code, workers=workers, env=env) as cluster:
        return cluster.reports(timeout=timeout)
