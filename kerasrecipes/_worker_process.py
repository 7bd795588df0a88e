"""One of the worker processes of this machine, and what each of them is given."""

import collections
import contextlib
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import IO

_LAST_LINES = 20
_GPUS = "CUDA_VISIBLE_DEVICES"

# Replaces itself by the worker, which the kernel ends with the process that started it.
_UNTIL_PARENT_ENDS = """
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGKILL)
if os.getppid() == int(sys.argv[1]):
    os.execv(sys.argv[2], sys.argv[2:])
"""


class WorkerProcess:
    """A worker, in a session of its own, whose output is shown with its name before it.

    The chief's standard output is that of this process, so that its progress line stays one line.

    Args:
        index: Number of the worker; 0 is the chief.
        program: What it runs.
        env: Its environment.
        cores: The cores that it may use; empty for all.
        verbose: Whether to show what workers other than the chief write.
    """

    def __init__(
        self,
        index: int,
        program: Sequence[str],
        env: Mapping[str, str],
        cores: Sequence[int],
        verbose: bool,
    ) -> None:
        self.index = index
        self.name = f"Worker {index}" + (" (the chief)" if index == 0 else "")
        self._last: collections.deque[str] = collections.deque(maxlen=_LAST_LINES)
        self._code: int | None = None
        if sys.platform == "linux":
            guard = [sys.executable, "-I", "-c", _UNTIL_PARENT_ENDS, str(os.getpid())]
            program = [*guard, *program]
        hidden = subprocess.PIPE if verbose else subprocess.DEVNULL
        with _on_cores(cores):
            self._process = subprocess.Popen(
                program,
                stdin=subprocess.DEVNULL,
                stdout=None if index == 0 else hidden,
                stderr=subprocess.PIPE,
                env=dict(env),
                start_new_session=True,
            )
        self.is_shown = verbose or index == 0
        shown = sys.stderr if self.is_shown else None
        self._readers = [self._read(self._process.stderr, shown, True)]
        if self._process.stdout is not None:
            self._readers.append(self._read(self._process.stdout, sys.stdout, False))

    def _read(self, pipe: IO[bytes] | None, to: IO[str] | None, keep: bool) -> threading.Thread:
        """Starts a thread that shows what comes from the worker, and keeps the last lines."""
        prefix = f"[worker {self.index}] " if self.index else ""

        def read() -> None:
            assert pipe is not None  # noqa: S101  (for the type checker)
            with io.TextIOWrapper(pipe, "utf-8", errors="replace", newline="") as lines:
                for line in lines:
                    if keep and line.strip():
                        self._last.append(line.rstrip())
                    if to is not None:
                        with contextlib.suppress(OSError, ValueError):  # closed: read on
                            to.write(prefix + line)
                            to.flush()

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        return reader

    def code(self) -> int | None:
        """Returns the exit code, minus the signal that killed the worker, or None if it runs.

        Its number stays taken until `close`, so that no signal reaches another process.
        """
        if self._code is None:
            found = os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if found is not None:
                is_exit = found.si_code == os.CLD_EXITED
                self._code = found.si_status if is_exit else -found.si_status
        return self._code

    def is_frozen(self) -> bool:
        """Returns whether the worker is stopped, where the system tells."""
        try:
            with open(f"/proc/{self._process.pid}/stat") as file:
                return file.read().rpartition(")")[2].split()[0] in "Tt"
        except OSError:
            return False

    def last_lines(self) -> str:
        """Returns the last lines of standard error."""
        for reader in self._readers:
            reader.join(1.0)
        return "\n".join(f"  {line}" for line in self._last)

    def tell(self, number: int) -> None:
        """Sends a signal to the worker, unless it has ended."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._process.pid, number)

    def kill(self) -> None:
        """Ends the worker and all that it has started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS: only a zombie
            os.killpg(self._process.pid, signal.SIGKILL)

    def close(self) -> None:
        """Leaves nothing of the worker."""
        self.kill()
        self._process.wait()
        for reader in self._readers:
            reader.join(1.0)


@contextlib.contextmanager
def _on_cores(cores: Sequence[int]) -> Iterator[None]:
    """Lets what this thread starts run on these cores only."""
    if not cores:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def environments(
    workers: int, more: Mapping[str, str], say: Callable[[str], None]
) -> list[tuple[dict[str, str], list[int]]]:
    """Returns the environment of each worker, with free ports, and its share of the cores.

    Args:
        workers: Number of workers.
        more: What all of them have besides the environment of this process.
        say: Is told what a user should know.
    """
    addresses = [f"127.0.0.1:{port}" for port in free_ports(workers)]
    given = []
    for index, (env, cores) in enumerate(shares(workers, more, say)):
        task = {"type": "worker", "index": index}
        config = json.dumps({"cluster": {"worker": addresses}, "task": task})
        given.append(({**env, "TF_CONFIG": config}, cores))
    return given


def shares(
    workers: int, more: Mapping[str, str], say: Callable[[str], None]
) -> list[tuple[dict[str, str], list[int]]]:
    """As `environments`, for workers that need not know of one another."""
    gpus = _gpus()
    if 0 < len(gpus) < workers:
        say(f"{workers} workers need as many GPUs, and there are {len(gpus)}: all use the CPU.")
    share = len(gpus) // workers
    given = []
    for index in range(workers):
        env = {**os.environ, **more, "PYTHONUNBUFFERED": "1"}
        if gpus:
            env[_GPUS] = ",".join(gpus[index * share : (index + 1) * share]) or "-1"
        given.append((env, share_of_cores(index, workers)))
    return given


def free_ports(count: int) -> list[int]:
    """Returns ports of this machine that nobody uses."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def share_of_cores(index: int, workers: int) -> list[int]:
    """Returns as many cores as the others get; none, for all, if there are not enough."""
    if workers == 1 or not hasattr(os, "sched_getaffinity"):
        return []
    cores = sorted(os.sched_getaffinity(0))
    share = len(cores) // workers
    return cores[index * share : (index + 1) * share]


def _gpus() -> list[str]:
    """Returns what TensorFlow would find as GPUs, without starting it."""
    if _GPUS in os.environ:
        named = [part.strip() for part in os.environ[_GPUS].split(",")]
        return [part for part in named if part and part != "-1"]
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return []
    try:
        told = subprocess.run([tool, "-L"], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return []
    count = sum(line.startswith("GPU ") for line in told.stdout.splitlines())
    return [str(index) for index in range(count)]
