"""Runs jobs by a coordinator, a process of its own, so that nothing happens to this one."""

import contextlib
import dataclasses
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

_PROGRAM = "from kerasrecipes.doctor._coordinator import main; main()"
_ROOT = pathlib.Path(__file__).resolve().parents[2]
_GRACE = 5.0  # seconds that the coordinator gets to end what it has started


@dataclasses.dataclass(frozen=True)
class Job:
    """Probes that share a process.

    Attributes:
        probes: Their names, "module.function", in the order in which they are called.
        workers: How many processes call them, as one cluster.
        limit: Seconds that they get.
        sees_gpus: Whether TensorFlow may use the GPUs.
    """

    probes: tuple[str, ...]
    workers: int = 1
    limit: float = 60.0
    sees_gpus: bool = False


def answers(
    jobs: Sequence[Job], *, seconds: float, done: Callable[[int, int], None]
) -> dict[str, list[dict[str, Any]]]:
    """Returns what each probe answered, in each of its processes: "found" or "error".

    Args:
        jobs: What to run; the first begin first.
        seconds: When to end all of them.
        done: Is told how many jobs are done, of how many, after each.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    with _coordinator(jobs, seconds) as lines:
        for number, line in enumerate(lines, start=1):
            for name, answer in json.loads(line):
                found.setdefault(name, []).append(answer)
            done(number, len(jobs))
    nothing = [{"error": "the process that runs the probes ended early"}]
    return {name: found.get(name, nothing) for job in jobs for name in job.probes}


@contextlib.contextmanager
def _coordinator(jobs: Sequence[Job], seconds: float) -> Iterator[Iterator[str]]:
    """Yields the lines that the coordinator writes, one for each job; leaves nothing running."""
    env = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "TF_FORCE_GPU_ALLOW_GROWTH": "true"}
    env["PYTHONPATH"] = os.pathsep.join([str(_ROOT), env.get("PYTHONPATH", "")]).strip(os.pathsep)
    env.pop("TF_CONFIG", None)
    task = json.dumps({"seconds": seconds, "jobs": [dataclasses.asdict(job) for job in jobs]})
    command = [sys.executable, "-c", _PROGRAM, task]
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env=env, cwd=folder, text=True, start_new_session=True,
        ) as process,
    ):  # fmt: skip
        timer = threading.Timer(seconds + _GRACE, _kill, [process])
        timer.start()
        try:
            yield process.stdout or iter(())
        finally:
            timer.cancel()
            _kill(process)


def _kill(process: subprocess.Popen[str]) -> None:
    """Ends the coordinator, and on systems with process groups all that it has started."""
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
