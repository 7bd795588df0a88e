"""Training trials in processes of other hosts, which come and go."""

import contextlib
import hashlib
import os
import time
from collections.abc import Sequence
from multiprocessing.connection import Client, Connection, Listener, wait
from threading import Event, Lock, Thread
from typing import Any

from kerasrecipes._checks import InputError
from kerasrecipes.distribute.cluster_error import ClusterError
from kerasrecipes.tuning._crew import Crew
from kerasrecipes.tuning._trainer import Task, Trainer
from kerasrecipes.tuning.trial_record import TrialRecord

_IP, _PORT, _ID = "KERASTUNER_ORACLE_IP", "KERASTUNER_ORACLE_PORT", "KERASTUNER_TUNER_ID"
_POLL = 0.2
_PATIENCE = 120.0  # seconds to wait for a chief, or for any worker
_ALIVE = 5.0  # seconds between two signs of life of a worker
_SILENT = 30.0  # seconds without one after which it counts as lost


def role() -> str | None:
    """Returns "chief" or "worker", or None outside of a search over hosts.

    KerasTuner's variables say it: KERASTUNER_ORACLE_IP, KERASTUNER_ORACLE_PORT, and
    KERASTUNER_TUNER_ID, which has "chief" in it on the chief.
    """
    if _IP not in os.environ:
        return None
    missing = [name for name in (_PORT, _ID) if name not in os.environ]
    port = os.environ.get(_PORT, "")
    if missing or not port.isdigit():
        wrong = f"{', '.join(missing)} missing" if missing else f"{_PORT}={port}"
        raise InputError(
            f"{_IP}, {_PORT} (a number) and {_ID} must all be set for a search over hosts. "
            f"Received: {wrong}."
        )
    return "chief" if "chief" in os.environ[_ID] else "worker"


def _address() -> tuple[str, int]:
    return os.environ[_IP], int(os.environ[_PORT])


def _patience() -> float:
    return float(os.environ.get("KERASRECIPES_PATIENCE", _PATIENCE))


class Hosts(Crew):
    """Workers that connect to this process, the chief of a search.

    New workers may come at any time. Without any worker for a while the search ends with an error.

    Args:
        key: What workers of this search, and no others, know.
    """

    def __init__(self, key: bytes) -> None:
        super().__init__()
        address, self._patience = _address(), _patience()
        try:
            self._listener = Listener(address, backlog=128, authkey=key)
        except OSError as error:
            where = f"{address[0]}:{address[1]}"
            raise ClusterError(f"The chief cannot listen at {where}: {error}.") from error
        self._alone_since = time.monotonic()
        self._count = 0
        self._workers: dict[str, Connection] = {}
        self._seen: dict[str, float] = {}
        self._is_open = True
        Thread(target=self._welcome, daemon=True).start()

    def _welcome(self) -> None:
        """Takes in the workers that come, those with the key."""
        while self._is_open:
            try:
                connection = self._listener.accept()
            except Exception:  # noqa: S112  (somebody else came to the port, or it was closed)
                continue
            name = f"host-{self._count}"
            self._seen[name] = time.monotonic()
            self._workers[name] = connection
            self._count += 1

    def names(self) -> list[str]:
        """Returns the workers that are there now."""
        return list(self._workers)

    def train(self, worker: str, tasks: Sequence[Task], deadline: float) -> None:
        """Has a worker train trials."""
        self.tasks[worker] = tasks
        try:
            self._workers[worker].send((list(tasks), deadline - time.monotonic()))
        except OSError:
            self._leave(worker)

    def look(self) -> None:
        """Takes what has come from the workers; waits a moment for it."""
        connections = {connection: name for name, connection in list(self._workers.items())}
        if connections:
            self._alone_since = time.monotonic()
        elif time.monotonic() - self._alone_since > self._patience:
            raise ClusterError(
                f"No worker has been there for {self._patience:.0f} s. Start workers, each with a "
                f"{_ID} of its own, then start this again: the search goes on."
            )
        else:
            time.sleep(_POLL)
        for connection in wait(list(connections), timeout=_POLL) if connections else ():
            self._receive(connections[connection])  # type: ignore[index]
        for name in connections.values():
            if name in self._workers and time.monotonic() - self._seen[name] > _SILENT:
                self._leave(name)

    def _receive(self, name: str) -> None:
        try:
            outcomes = self._workers[name].recv()
        except (EOFError, OSError):
            self._leave(name)
            return
        self._seen[name] = time.monotonic()
        if outcomes is not None:  # else it is a sign of life
            self.took(name, outcomes)

    def _leave(self, name: str) -> None:
        self._workers.pop(name).close()
        self.has_gone(name, "was lost")

    def tell(self, records: Sequence[TrialRecord]) -> None:
        """Tells the workers that the search has ended, and what came of it."""
        for connection in list(self._workers.values()):
            with contextlib.suppress(OSError):
                connection.send((None, list(records)))

    def close(self) -> None:
        """Listens no more."""
        self._is_open = False
        self._listener.close()
        for connection in list(self._workers.values()):
            connection.close()


def key_of(fingerprint: Any) -> bytes:
    """Returns what the processes of one search know, so that no others can take part by mistake."""
    secret = os.environ.get("KERASRECIPES_SEARCH_KEY", "")
    return hashlib.sha256(f"{secret}{fingerprint}".encode()).digest()


def work(trainer: Trainer, key: bytes) -> list[TrialRecord]:
    """Trains what the chief sends until the search has ended; returns its records.

    Raises: ClusterError if the chief cannot be reached for a while.
    """
    runner = trainer.runner()
    while True:
        connection = _reach(_address(), key, _patience())
        lock, done = Lock(), Event()
        Thread(target=_live, args=(connection, lock, done), daemon=True).start()
        try:
            while True:
                tasks, told = connection.recv()
                if tasks is None:
                    return told
                outcomes = trainer.train(runner, tasks, time.monotonic() + told)
                with lock:
                    connection.send(outcomes)
        except (EOFError, OSError):  # the chief is gone; it may be started again
            continue
        finally:
            done.set()
            connection.close()


def _live(connection: Connection, lock: Any, done: Event) -> None:
    """Gives signs of life."""
    while not done.wait(_ALIVE):
        with lock, contextlib.suppress(OSError):
            connection.send(None)


def _reach(address: tuple[str, int], key: bytes, patience: float) -> Connection:
    end = time.monotonic() + patience
    while True:
        try:
            return Client(address, authkey=key)
        except (OSError, EOFError) as error:
            if time.monotonic() > end:
                raise ClusterError(
                    f"The chief of the search at {address[0]}:{address[1]} cannot be reached for "
                    f"{patience:.0f} s: {error}. Start it, with {_ID}=chief."
                ) from error
            time.sleep(_POLL)
