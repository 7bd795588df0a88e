"""Training trials in other processes of this machine."""

import multiprocessing
import os
import sys
import time
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection, wait
from typing import Any

from kerasrecipes._checks import InputError
from kerasrecipes._worker_process import share_of_cores
from kerasrecipes.tuning._crew import Crew
from kerasrecipes.tuning._trainer import Task, Trainer

_POLL = 0.2


class Processes(Crew):
    """Workers that are processes, each replaced when it dies, or after every task.

    Args:
        trainer: Trains trials; it is sent to every process.
        workers: Number of processes.
        isolate: Whether each task gets a process of its own, so that no memory is lost.
    """

    def __init__(self, trainer: Trainer, *, workers: int, isolate: bool) -> None:
        super().__init__()
        self._trainer = trainer
        self._isolate = isolate
        self._names = [f"worker-{index}" for index in range(workers)]
        self._cores = [share_of_cores(index, workers) for index in range(workers)]
        self._processes: dict[str, tuple[Any, Connection]] = {}
        self._context = _context()

    def names(self) -> list[str]:
        """Returns the workers that there are."""
        return self._names

    def train(self, worker: str, tasks: Sequence[Task], deadline: float) -> None:
        """Has a worker train trials."""
        if worker not in self._processes:
            self._processes[worker] = self._start(self._names.index(worker))
        self.tasks[worker] = tasks
        try:
            self._processes[worker][1].send((list(tasks), deadline - time.monotonic()))
        except OSError:  # it has died; `look` finds out
            return

    def _start(self, index: int) -> tuple[Any, Connection]:
        here, there = self._context.Pipe()
        process = self._context.Process(
            target=_serve,
            args=(there, self._trainer, self._cores[index], dict(os.environ)),
            daemon=True,
        )
        try:
            process.start()
        except (AttributeError, TypeError) as error:
            raise InputError(
                "`workers` and `isolate` need a recipe, target and callbacks that another process "
                f"can import: not lambdas or functions within functions. {error}"
            ) from error
        there.close()
        return process, here

    def look(self) -> None:
        """Takes what has come from the workers; waits a moment for it."""
        at_work = {self._processes[name][1]: name for name in self.tasks}
        for connection in wait(list(at_work), timeout=_POLL) if at_work else ():
            name = at_work[connection]  # type: ignore[index]
            try:
                outcomes = connection.recv()  # type: ignore[union-attr]
            except (EOFError, OSError):
                process, _ = self._processes[name]
                process.join(5.0)
                self._end(name)
                self.has_gone(name, f"ended with exit code {process.exitcode}")
                continue
            self.took(name, outcomes)
            if self._isolate:
                self._end(name)

    def _end(self, name: str) -> None:
        process, connection = self._processes.pop(name)
        connection.close()
        process.join(1.0)
        if process.exitcode is None:
            process.kill()
            process.join()

    def tell(self, records: Any) -> None:
        """Does nothing: who asked for the search has the records."""

    def close(self) -> None:
        """Ends all processes."""
        for name in list(self._processes):
            self._processes[name][0].kill()
            self._end(name)
        self.tasks = {}


def _context() -> Any:
    """Returns how processes start: on Linux as forks of one that has TensorFlow imported.

    That one never uses TensorFlow, and so has nothing that a fork would break.
    """
    if sys.platform != "linux":
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, "kerasrecipes.recipes.mlp"])
    return context


def _serve(
    connection: Connection, trainer: Trainer, cores: Sequence[int], environment: Mapping[str, str]
) -> None:
    """What a worker does: trains what it is sent, until nobody sends any more."""
    os.environ.clear()  # it has that of the moment when the first worker started
    os.environ.update(environment)
    if cores:
        os.sched_setaffinity(0, cores)
    runner = trainer.runner()
    while True:
        try:
            tasks, seconds = connection.recv()
        except (EOFError, OSError, KeyboardInterrupt):
            return
        try:
            connection.send(trainer.train(runner, tasks, time.monotonic() + seconds))
        except KeyboardInterrupt:
            return
