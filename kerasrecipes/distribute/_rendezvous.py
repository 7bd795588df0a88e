"""Lets the workers of a cluster meet before TensorFlow starts, so that none waits for ever.

TensorFlow's own start waits without a time limit for a worker that never comes, holds Python's
lock and takes no signal meanwhile. And it notices no differences between the workers.

The chief listens at its own address, which TensorFlow takes over afterwards. Each worker says
who it is and what it was told; when all have come and still answer, the chief tells them to go.
"""

import contextlib
import json
import socket
import time
from collections.abc import Mapping
from typing import Any

from kerasrecipes.distribute.cluster import Cluster
from kerasrecipes.distribute.cluster_error import ClusterError

_ANSWER = 5.0  # seconds for an answer that needs no waiting for others
_PAUSE = 0.1
_ALL_HERE = {"all": "here"}  # a question, whether the worker still is


def meet(cluster: Cluster, facts: Mapping[str, Any], *, timeout: float) -> None:
    """Returns when all workers have come; raises ClusterError after `timeout` seconds.

    Args:
        cluster: The workers, and which this is.
        facts: What has to be the same on all of them, JSON values.
        timeout: How long to wait for the others, seconds.
    """
    hello = {"index": cluster.index, "workers": list(cluster.workers), **facts}
    with _own_port(cluster) as own:
        if cluster.is_chief:
            _lead(own, hello, timeout)
        else:
            _join(cluster, hello, timeout)


def _own_port(cluster: Cluster) -> socket.socket:
    """Returns a socket at this worker's port, which shows that TensorFlow will find it free."""
    port = int(cluster.workers[cluster.index].rpartition(":")[2])
    for family, host in ((socket.AF_INET6, "::"), (socket.AF_INET, "0.0.0.0")):  # noqa: S104
        own = None
        try:
            own = socket.socket(family)
            own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                own.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            own.bind((host, port))
            if cluster.is_chief:
                own.listen(max(16, len(cluster.workers)))
            return own
        except OSError as error:
            reason = error
            if own is not None:
                own.close()
    raise ClusterError(
        f"Worker {cluster.index} cannot use port {port} of its address "
        f"{cluster.workers[cluster.index]}: {reason.strerror}. End the program that uses it, or "
        "choose another port."
    ) from reason


def _lead(own: socket.socket, hello: dict[str, Any], timeout: float) -> None:
    """Waits as the chief until all workers have come and answer, and tells them to go."""
    here: dict[int, _Line] = {}
    try:
        _gather(own, hello, here, time.monotonic() + timeout, timeout)
    except ClusterError as error:
        for line in here.values():
            line.tell({"error": str(error)})
        raise
    finally:
        for line in here.values():
            line.close()


def _gather(
    own: socket.socket, hello: dict[str, Any], here: dict[int, "_Line"], end: float, timeout: float
) -> None:
    count = len(hello["workers"])
    while True:
        while len(here) < count - 1:
            line = _next_line(own, end)
            if line is None:
                missing = [i for i in range(1, count) if i not in here]
                raise ClusterError(_missing(missing, hello["workers"], timeout))
            _admit(line, hello, here)
        for index, line in list(here.items()):
            if line.ask(_ALL_HERE) is None:  # it died while it waited
                here.pop(index).close()
        if len(here) == count - 1:
            break
    for line in here.values():
        line.tell({"go": True})
    for line in here.values():
        line.hear(_ANSWER)  # the end of the line: the worker closes first


def _next_line(own: socket.socket, end: float) -> "_Line | None":
    own.settimeout(max(0.01, end - time.monotonic()))
    try:
        return _Line(own.accept()[0])
    except TimeoutError:
        return None


def _admit(line: "_Line", hello: dict[str, Any], here: dict[int, "_Line"]) -> None:
    """Adds a worker that has come; one that was told something else ends the start for all."""
    other = line.hear(_ANSWER)
    if other is None or "workers" not in other or other.get("index") in (None, 0):
        line.close()  # something else that happens to look at this port
        return
    problem = _difference(hello, other)
    former = here.get(other["index"])
    if former is not None and former.ask(_ALL_HERE) is not None:
        problem = (
            f"Two workers say that they are worker {other['index']}. Give each its own index in "
            "TF_CONFIG."
        )
    if problem:
        line.tell({"error": problem})
        line.close()
        raise ClusterError(problem)
    if former is not None:
        former.close()
    here[other["index"]] = line


def _difference(hello: dict[str, Any], other: dict[str, Any]) -> str:
    """Returns what has to be the same and is not, or ""."""
    for name, value in hello.items():
        if name != "index" and other.get(name) != value:
            return (
                f"`{name}` must be the same on all workers. The chief has {value!r}, worker "
                f"{other['index']} has {other.get(name)!r}."
            )
    return ""


def _missing(missing: list[int], workers: list[str], timeout: float) -> str:
    names = ", ".join(f"{index} ({workers[index]})" for index in missing)
    return (
        f"Worker {names} did not come within {timeout:g} s. See whether it was started, whether "
        "its TF_CONFIG is that of the others, and whether it reaches the chief at "
        f"{workers[0]}; or give a longer `timeout`."
    )


def _join(cluster: Cluster, hello: dict[str, Any], timeout: float) -> None:
    """Waits as a worker until the chief says go."""
    end = time.monotonic() + timeout
    reason = "nothing answers there"
    while time.monotonic() < end:
        line = _call(cluster.workers[0])
        if line is not None:
            with contextlib.closing(line):
                line.tell(hello)
                if _told_to_go(line, timeout + _ANSWER):
                    return
                reason = "what answers there does not start a cluster, or ended"
        time.sleep(_PAUSE)
    raise ClusterError(
        f"Worker {cluster.index} did not find the chief at {cluster.workers[0]} within "
        f"{timeout:g} s: {reason}. See whether it was started, and whether its TF_CONFIG is that "
        "of the others; or give a longer `timeout`."
    )


def _told_to_go(line: "_Line", patience: float) -> bool:
    """Returns whether the chief said go, False if it went away, and raises what it refused."""
    while True:
        said = line.hear(patience)
        if said is None:
            return False
        if "error" in said:
            raise ClusterError(str(said["error"]))
        if "go" in said:
            return True
        line.tell({"here": True})


def _call(address: str) -> "_Line | None":
    host, _, port = address.rpartition(":")
    try:
        return _Line(socket.create_connection((host.strip("[]"), int(port)), timeout=_ANSWER))
    except OSError:
        return None


class _Line:
    """Lines of JSON over a connection; a broken one says nothing, None."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._rest = b""

    def tell(self, what: Mapping[str, Any]) -> None:
        with contextlib.suppress(OSError):
            self._connection.settimeout(_ANSWER)
            self._connection.sendall(json.dumps(what).encode() + b"\n")

    def hear(self, patience: float) -> dict[str, Any] | None:
        end = time.monotonic() + patience
        try:
            while b"\n" not in self._rest and len(self._rest) < 1 << 20:
                self._connection.settimeout(max(0.01, end - time.monotonic()))
                more = self._connection.recv(65536)
                if not more:
                    return None
                self._rest += more
            first, _, self._rest = self._rest.partition(b"\n")
            said = json.loads(first)
        except (OSError, ValueError):
            return None
        return said if isinstance(said, dict) else None

    def ask(self, what: Mapping[str, Any]) -> dict[str, Any] | None:
        self.tell(what)
        return self.hear(_ANSWER)

    def close(self) -> None:
        self._connection.close()
