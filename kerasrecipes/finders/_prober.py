"""Starts the process that tries batch sizes, watches its memory, and replaces it when it ends."""

import dataclasses
import json
import os
import pathlib
import pickle
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from typing import Any, Self

import keras

from kerasrecipes._checks import InputError
from kerasrecipes.finders._probe import BATCH, IMPORTS, MODEL

_POLL = 0.01
_LAST_LINES = 20
_GROUP = pathlib.Path("/sys/fs/cgroup")
_GROUPS = (
    ("memory.max", "memory.current", "memory.stat"),
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "memory/memory.stat"),
)


@dataclasses.dataclass(frozen=True)
class Trial:
    """How training with one batch size went.

    Attributes:
        batch_size: Rows in a batch.
        seconds_per_step: Mean time of a step; 0 if it did not fit.
        memory: Most memory of the device, in bytes; 0 if unknown.
        why_not: Why it did not fit, "" if it did.
    """

    batch_size: int
    seconds_per_step: float = 0.0
    memory: int = 0
    why_not: str = ""


class Prober:
    """Trains a copy of a model on batches of a given size, in a process of its own.

    Args:
        model: A compiled model on one device.
        batch: A batch of rows, of which all others are made.
        limit: Memory that the process may take, in bytes, or None for no limit.
        on_gpu: Whether that is memory of a GPU, and what the process itself takes is free.
        seconds: How long each size is timed.
        imports: Modules to import before the model is loaded.
    """

    def __init__(
        self,
        model: keras.Model,
        batch: Any,
        *,
        limit: int | None,
        on_gpu: bool,
        seconds: float,
        imports: Sequence[str],
    ) -> None:
        self._limit = limit
        self._on_gpu = on_gpu
        self._seconds = seconds
        self._process: subprocess.Popen[str] | None = None
        self._temporary = tempfile.TemporaryDirectory()
        self._folder = pathlib.Path(self._temporary.name)
        model.save(self._folder / MODEL)
        (self._folder / BATCH).write_bytes(pickle.dumps(batch))
        (self._folder / IMPORTS).write_text(json.dumps(list(imports)))

    def __enter__(self) -> Self:
        """Returns itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Ends the process, and leaves no file."""
        self._end()
        self._temporary.cleanup()

    def __call__(self, batch_size: int) -> Trial:
        """Returns how training with a batch size went."""
        if self._process is None:
            why_not = self._start()
            if why_not:
                raise InputError(
                    f"`memory` must be enough to load the model and TensorFlow. Here {why_not}."
                )
        answer = self._ask({"batch_size": batch_size, "seconds": self._seconds})
        if isinstance(answer, str):
            self._end()
            return Trial(batch_size, why_not=answer)
        if self._limit is not None and answer["memory"] > self._limit:
            self._end()  # what it holds would count against the next size
            return Trial(batch_size, memory=answer["memory"], why_not=self._over(answer["memory"]))
        return Trial(batch_size, answer["seconds_per_step"], answer["memory"])

    def _start(self) -> str:
        """Starts the process; returns why it has no place, or ""."""
        self._errors = tempfile.TemporaryFile("w+")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "kerasrecipes.finders._probe", str(self._folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        answer = self._answer()
        return answer if isinstance(answer, str) else ""

    def _ask(self, question: dict[str, Any]) -> dict[str, Any] | str:
        assert self._process is not None  # noqa: S101  (for the type checker)
        assert self._process.stdin is not None  # noqa: S101
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any] | str:
        """Returns what the process answers, or why memory did not allow it to.

        Raises: RuntimeError for what it failed of otherwise.
        """
        process = self._process
        assert process is not None  # noqa: S101  (for the type checker)
        assert process.stdout is not None  # noqa: S101
        while not select.select([process.stdout], [], [], _POLL)[0]:
            used = 0 if self._limit is None or self._on_gpu else resident(process.pid)
            if used > (self._limit or 0):
                process.kill()
                return self._over(used)
        line = process.stdout.readline()
        if not line:
            return self._died(process.wait())
        answer = json.loads(line)
        if "not_loaded" in answer:
            raise InputError(
                "`model` must be one that a new process can load. Received: "
                f"{answer['not_loaded']}\nRegister its classes with "
                "`keras.saving.register_keras_serializable`, and name their modules in `imports`."
            )
        if "error" in answer:
            raise RuntimeError(f"The process that tries batch sizes failed:\n{answer['error']}")
        return answer.get("no_memory") or answer

    def _died(self, code: int) -> str:
        if code == -signal.SIGKILL:
            return "the system ended the process, as it does when memory runs out"
        self._errors.seek(0)
        last = "".join(self._errors.readlines()[-_LAST_LINES:])
        if code == -signal.SIGABRT and "bad_alloc" in last:
            return "memory ran out"
        raise RuntimeError(f"The process that tries batch sizes ended with code {code}:\n{last}")

    def _over(self, used: int) -> str:
        return f"it took {used / 2**20:,.0f} MiB, more than {(self._limit or 0) / 2**20:,.0f} MiB"

    def _end(self) -> None:
        if self._process is None:
            return
        self._process.kill()
        self._process.communicate()
        self._errors.close()
        self._process = None


def resident(process: int) -> int:
    """Returns the memory that a process holds now, in bytes, 0 where the system does not tell."""
    try:
        pages = int(pathlib.Path(f"/proc/{process}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def available() -> int | None:
    """Returns the memory that is left on this machine and in its control group, in bytes.

    Of the group's limit, what its processes hold is taken; files that are cached count as free.
    """
    found = [left for paths in _GROUPS if (left := _left_in_group(*paths)) is not None]
    try:
        lines = pathlib.Path("/proc/meminfo").read_text().splitlines()
        found += [int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable")]
    except OSError:
        pass
    return min(found, default=None)


def _left_in_group(limit: str, used: str, statistics: str) -> int | None:
    """Returns what a control group has left; None where there is no group, or no limit."""
    try:
        most, held = (int((_GROUP / name).read_text()) for name in (limit, used))
        lines = (_GROUP / statistics).read_text().splitlines()
    except (OSError, ValueError):
        return None
    cached = {name: int(value) for name, value in (line.split() for line in lines)}
    return max(0, most - held + cached.get("total_inactive_file", cached.get("inactive_file", 0)))
