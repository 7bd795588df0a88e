"""Starts the workers of a training on this machine, and ends them together.

It imports neither Keras nor TensorFlow, which the workers do.
"""

import contextlib
import dataclasses
import math
import os
import pathlib
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

from kerasrecipes import _launched
from kerasrecipes._checks import InputError, check_int, check_number, fail
from kerasrecipes._worker_process import WorkerProcess, environments

POLL = 0.05
_MAY_BE_ALIKE = 0.7  # seconds in which all workers fail alike, as with wrong input
_GRACE = 5.0  # seconds for the others when one has failed: without it they cannot go on
WRONG_USAGE = 2
_SAVED = (128 + signal.SIGINT, 128 + signal.SIGTERM, 129)  # ended by a signal, after a save
_FOR_ALL = ("SIGINT", "SIGTERM", "SIGHUP")


@dataclasses.dataclass(frozen=True)
class Failure:
    """How the workers came to fail.

    Attributes:
        exit_code: For the process that started them, 1 to 255.
        what: What happened, one or two sentences.
        last_lines: What the worker wrote last to standard error.
        is_shown: Whether these have been shown when they came.
    """

    exit_code: int
    what: str
    last_lines: str
    is_shown: bool

    def __str__(self) -> str:
        return f"{self.what} Its last lines:\n{self.last_lines}" if self.last_lines else self.what

    def news(self) -> str:
        """Returns what has not been shown yet."""
        return self.what if self.is_shown else str(self)


class Signals:
    """The signals that this process got in order to end.

    Attributes:
        numbers: All of them, oldest first.
    """

    def __init__(self) -> None:
        self.numbers: list[int] = []

    @contextlib.contextmanager
    def taken(self) -> Iterator[None]:
        """Collects signals for the workers; afterwards this process ends as the last one says."""
        previous = {}
        if threading.current_thread() is threading.main_thread():
            for name in _FOR_ALL:
                number = getattr(signal, name)
                if signal.getsignal(number) != signal.SIG_IGN:  # as under nohup
                    previous[number] = signal.signal(number, self._note)
        try:
            yield
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)
        if signal.SIGINT in self.numbers:
            raise KeyboardInterrupt
        if self.numbers:
            raise SystemExit(128 + self.numbers[-1])

    def _note(self, number: int, frame: Any) -> None:
        self.numbers.append(number)


def run(
    command: Sequence[str], *, workers: int, restarts: int, timeout: float, verbose: bool
) -> Failure | None:
    """Runs a command as so many workers; returns how they failed, or None if they did not.

    The arguments are those of `kerasrecipes.distribute.launch`.
    """
    check_numbers(workers, restarts, timeout)
    program = program_of(command)
    signals = Signals()
    failure = None
    with signals.taken(), tempfile.TemporaryDirectory() as notes:
        note = pathlib.Path(notes) / "run"
        for start in range(restarts + 1):
            given = environments(workers, _launched.environment(note), say)
            failure = _run_once(program, given, signals, timeout, verbose)
            if failure is None or failure.exit_code == WRONG_USAGE:
                break
            if start == restarts or signals.numbers:
                break
            say(f"{failure.news()}\nAll workers start again: restart {start + 1} of {restarts}.")
    return failure


def check_numbers(workers: Any, restarts: Any, timeout: Any) -> None:
    """Refuses numbers that `launch` cannot work with."""
    check_int("workers", workers, low=1)
    check_int("restarts", restarts, low=0)
    check_number("timeout", timeout, low=0.0, open_low=True)


def program_of(command: Sequence[str]) -> list[str]:
    """Returns what a worker runs: Python with the command line of this package, or a program."""
    if os.name != "posix":
        raise InputError("`launch` needs a system with POSIX signals, such as Linux.")
    is_list = isinstance(command, Sequence) and not isinstance(command, str)
    if not is_list or not command or not all(isinstance(part, str) for part in command):
        expected = 'a list such as ["train", "digits-mlp"] or ["train.py"]'
        fail("command", expected, command)
    first, *rest = command
    if first == "python":
        return [sys.executable, *rest]
    if not first.endswith(".py"):
        return [sys.executable, "-m", "kerasrecipes.cli", *command]
    if not pathlib.Path(first).is_file():
        fail("command", "a Python file that exists, or a command of kerasrecipes", first)
    return [sys.executable, *command]


def _run_once(
    program: list[str],
    given: Sequence[tuple[dict[str, str], list[int]]],
    signals: Signals,
    timeout: float,
    verbose: bool,
) -> Failure | None:
    group: list[WorkerProcess] = []
    try:
        for index, (env, cores) in enumerate(given):
            group.append(WorkerProcess(index, program, env, cores, verbose))
        return _watch(group, signals, timeout)
    finally:
        for worker in group:
            worker.close()


def _watch(group: list[WorkerProcess], signals: Signals, timeout: float) -> Failure | None:
    """Returns when all have ended; sees to it that they do when one has failed."""
    failed: WorkerProcess | None = None
    frozen: list[WorkerProcess] = []
    told, end = 0, math.inf
    while running := [worker for worker in group if worker.code() is None]:
        if len(signals.numbers) > told:
            told = len(signals.numbers)
            end = _pass_on(running, signals, timeout)
        elif told and end == math.inf and len(running) < len(group):
            end = time.monotonic() + timeout
        elif not told and failed is None:
            failed = _first_failed(group)
            if failed is not None:
                frozen = [worker for worker in running if worker.is_frozen()]
                end = time.monotonic() + (timeout if failed.code() in _SAVED else _GRACE)
                time.sleep(_MAY_BE_ALIKE)
                for worker in running:
                    worker.tell(signal.SIGTERM)
        if time.monotonic() > end:
            for worker in running:
                worker.kill()
        time.sleep(POLL)
    failed = failed or _first_failed(group)
    return None if failed is None else failure_of(failed, frozen, group)


def _pass_on(running: list[WorkerProcess], signals: Signals, timeout: float) -> float:
    """Tells the workers of the newest signal; returns until when they may go on.

    After the first Ctrl-C a model may still be validated and saved, which takes its time.
    """
    number = signals.numbers[-1]
    for worker in running:
        worker.tell(number)
    if number != signal.SIGINT:
        return time.monotonic() + timeout
    is_first = signals.numbers.count(signal.SIGINT) == 1
    return math.inf if is_first else time.monotonic() + _GRACE


def _first_failed(group: list[WorkerProcess]) -> WorkerProcess | None:
    """Returns a worker that has failed: one that was killed if there is, else the lowest."""
    failed = [worker for worker in group if worker.code()]
    return min(failed, key=lambda worker: ((worker.code() or 0) > 0, worker.index), default=None)


def failure_of(
    failed: WorkerProcess, frozen: Sequence[WorkerProcess], group: Sequence[WorkerProcess]
) -> Failure:
    """Returns what became of a group of which one has failed, and those in `frozen` stood still."""
    code = failed.code() or 0
    alike = [worker for worker in group if worker.code() == code]
    if len(alike) == len(group) > 1 and code > 0:
        failed, what = group[0], f"All workers ended with exit code {code}."
    else:
        what = f"{failed.name} {_ended(code)}."
    for worker in frozen:
        what += f" {worker.name} was frozen (SIGSTOP), and was killed."
    return Failure(code if code > 0 else 1, what, failed.last_lines(), failed.is_shown)


def _ended(code: int) -> str:
    if code > 128 and code in _SAVED:
        return f"ended with exit code {code}, after {signal.Signals(code - 128).name}"
    if code > 0:
        return f"ended with exit code {code}"
    known = {number.value: number.name for number in signal.Signals}
    name = known.get(-code, f"signal {-code}")
    hint = ", which the system also sends when memory runs out" if name == "SIGKILL" else ""
    return f"was killed by {name}{hint}"


def say(line: str) -> None:
    """Tells the user something on standard error."""
    print(f"launch: {line}", file=sys.stderr, flush=True)
