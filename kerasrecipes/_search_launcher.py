"""Starts the chief and the workers of a search on this machine, and replaces those that are lost.

It imports neither Keras nor TensorFlow, which the processes do.
"""

import pathlib
import signal
import tempfile
import time
from collections.abc import Callable, Sequence

from kerasrecipes import _launched
from kerasrecipes._launcher import (
    POLL,
    WRONG_USAGE,
    Failure,
    Signals,
    check_numbers,
    failure_of,
    program_of,
    say,
)
from kerasrecipes._worker_process import WorkerProcess, free_ports, shares

_GRACE = 5.0  # seconds for the chief when there is nobody left to train


class _Search:
    """The processes of a search: the chief, which hands out trials, and workers that train them.

    Args:
        program: What each of them runs.
        workers: How many train.
        restarts: How often each may be started again.
        note: File in which the chief notes the folder of the search.
        verbose: Whether to show what the workers write.
    """

    def __init__(
        self,
        program: Sequence[str],
        workers: int,
        restarts: int,
        note: pathlib.Path,
        verbose: bool,
    ) -> None:
        self._program, self._note, self._verbose = program, note, verbose
        more = {
            "KERASTUNER_ORACLE_IP": "127.0.0.1",
            "KERASTUNER_ORACLE_PORT": str(free_ports(1)[0]),
            "TF_FORCE_GPU_ALLOW_GROWTH": "true",  # the chief has the GPUs of the workers too
        }
        self._given = [*shares(1, more, say), *shares(workers, more, say)]
        self._left = [restarts] * (workers + 1)
        self.group: list[WorkerProcess] = []
        self.lost: WorkerProcess | None = None

    @property
    def chief(self) -> WorkerProcess:
        """The process that hands out the trials."""
        return self.group[0]

    @property
    def running(self) -> list[WorkerProcess]:
        """Those that have not ended."""
        return [each for each in self.group if each.code() is None]

    def start(self) -> None:
        """Starts all of them."""
        for index in range(len(self._given)):
            self.group.append(self._process(index))

    def _process(self, index: int) -> WorkerProcess:
        env, cores = self._given[index]
        name = "chief" if index == 0 else f"worker-{index}"
        more = _launched.environment(self._note) if index == 0 else {}
        env = {**env, **more, "KERASTUNER_TUNER_ID": name}
        return WorkerProcess(index, self._program, env, cores, self._verbose)

    def replace_lost(self) -> None:
        """Starts those that have failed again, as often as they may be."""
        for index, each in enumerate(self.group):
            code = each.code()
            if code and code != WRONG_USAGE and self._left[index]:
                self._left[index] -= 1
                say(f"{failure_of(each, [], [each]).news()} It starts again.")
                each.close()
                self.group[index] = self._process(index)
            elif code and index and each is not self.lost:
                self.lost = each

    def has_nobody_left(self) -> bool:
        """Returns whether all that trained have failed."""
        return all(each.code() for each in self.group[1:])


def run(
    command: Sequence[str], *, workers: int, restarts: int, timeout: float, verbose: bool
) -> Failure | None:
    """Runs a search with a chief and so many workers; returns how it failed, or None.

    The arguments are those of `kerasrecipes.distribute.launch`.
    """
    check_numbers(workers, restarts, timeout)
    program, signals = program_of(command), Signals()
    with signals.taken(), tempfile.TemporaryDirectory() as notes:
        search = _Search(program, workers, restarts, pathlib.Path(notes) / "run", verbose)
        try:
            search.start()
            return _watch(search, signals, timeout)
        finally:
            for each in search.group:
                each.close()


def _watch(search: _Search, signals: Signals, timeout: float) -> Failure | None:
    """Returns when the chief has ended, and its workers have had time to."""
    told = 0
    while True:
        if not told:
            search.replace_lost()
        if search.chief.code() is not None:
            break
        for number in signals.numbers[told:]:
            told += 1
            for each in [search.chief] if number == signal.SIGINT else search.running:
                each.tell(number)
        if not told and search.has_nobody_left():
            search.chief.tell(signal.SIGTERM)
            _wait(lambda: search.chief.code() is None, _GRACE)
            return failure_of(search.lost or search.group[1], [], search.group)
        time.sleep(POLL)
    if search.chief.code():
        return failure_of(search.chief, [], [search.chief])
    _wait(lambda: bool(search.running), timeout)
    return None


def _wait(goes_on: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while goes_on() and time.monotonic() < end:
        time.sleep(POLL)
