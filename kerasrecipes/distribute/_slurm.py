"""Reads the environment of a process that SLURM's `srun` started."""

import itertools
import re
from collections.abc import Iterator, Mapping

from kerasrecipes._checks import InputError, fail
from kerasrecipes.distribute._addresses import check_addresses, integer, port

_RANGE = re.compile(r"(\d+)(?:-(\d+))?")
_TASKS = re.compile(r"(\d+)(?:\(x(\d+)\))?")


def read(environ: Mapping[str, str]) -> tuple[list[str], int] | None:
    """Returns the addresses of the workers, and the index of this one.

    The variables of the job alone are also there in a script that calls Python without `srun`,
    and so runs it once; hence those of the step count.
    """
    if "SLURM_PROCID" not in environ or "SLURM_STEP_ID" not in environ:
        return None
    count = integer(environ, _first(environ, "SLURM_STEP_NUM_TASKS", "SLURM_NTASKS"), low=1)
    if count == 1:
        return None
    index = integer(environ, "SLURM_PROCID")
    if index >= count:
        fail("SLURM_PROCID", f"below the number of tasks, {count}", index)
    nodes = _first(environ, "SLURM_STEP_NODELIST", "SLURM_JOB_NODELIST", "SLURM_NODELIST")
    hosts = expand(environ[nodes], nodes)
    tasks = _tasks_of_nodes(environ, len(hosts), count)
    places = [(node, local) for node, number in enumerate(tasks) for local in range(number)]
    _check_order(environ, places[index], max(tasks))
    first = port(environ, 12000 + 16 * (int(environ.get("SLURM_JOB_ID", "0")) % 1000))
    return check_addresses(nodes, [f"{hosts[node]}:{first + i}" for node, i in places]), index


def expand(text: str, argument: str = "SLURM_STEP_NODELIST") -> list[str]:
    """Returns the names in a list of nodes.

    Example:
    >>> expand("gpu[08-10,12]-ib,login")
    ['gpu08-ib', 'gpu09-ib', 'gpu10-ib', 'gpu12-ib', 'login']
    """
    names: list[str] = []
    for part in _parts(text, argument):
        pieces = re.split(r"\[([^][]*)\]", part)  # text, range, text, range, ..., text
        if any(bracket in piece for piece in pieces for bracket in "[]"):
            fail(argument, "a list of nodes such as gpu[01-04,7],login", text)
        choices = [
            list(_numbers(piece, argument, text)) if i % 2 else [piece]
            for i, piece in enumerate(pieces)
        ]
        names += ["".join(chosen) for chosen in itertools.product(*choices)]
    return names


def _parts(text: str, argument: str) -> list[str]:
    """Returns the parts between the commas that are outside brackets."""
    parts = [part.strip() for part in re.split(r",(?![^\[]*\])", text.strip())]
    if not all(parts):
        fail(argument, "a list of nodes such as gpu[01-04,7],login", text)
    return parts


def _numbers(ranges: str, argument: str, text: str) -> Iterator[str]:
    """Yields the numbers of "08-10,12", as wide as the first of their range."""
    for part in ranges.split(","):
        match = _RANGE.fullmatch(part.strip())
        if match is None or (match[2] is not None and int(match[2]) < int(match[1])):
            fail(argument, "a list of nodes such as gpu[01-04,7],login", text)
        last = int(match[2] or match[1])
        for number in range(int(match[1]), last + 1):
            yield f"{number:0{len(match[1])}d}"


def _tasks_of_nodes(environ: Mapping[str, str], nodes: int, count: int) -> list[int]:
    """Returns how many tasks each node has, from "2(x3),1"; one each if SLURM does not say."""
    name = "SLURM_STEP_TASKS_PER_NODE"
    if name not in environ and nodes == count:
        return [1] * nodes
    matches = [_TASKS.fullmatch(part) for part in environ.get(name, "").split(",")]
    tasks = [n for m in matches if m for n in [int(m[1])] * int(m[2] or 1)]
    if not all(matches) or len(tasks) != nodes or sum(tasks) != count:
        expected = f"the tasks of each of {nodes} node(s), {count} in all, such as 2(x3),1"
        fail(name, expected, environ.get(name))
    return tasks


def _check_order(environ: Mapping[str, str], place: tuple[int, int], most: int) -> None:
    """Refuses tasks that are not dealt to the nodes in blocks, since addresses follow from that."""
    order = environ.get("SLURM_DISTRIBUTION", "block").split(":")[0].split(",")[0]
    said = (environ.get("SLURM_NODEID"), environ.get("SLURM_LOCALID"))
    differs = any(s is not None and s != str(p) for s, p in zip(said, place, strict=True))
    if differs or (most > 1 and order != "block"):
        raise InputError(
            f"`SLURM_DISTRIBUTION` must be 'block'. Received: {order!r}; task "
            f"{environ['SLURM_PROCID']} is task {said[1]} of node {said[0]}. Start with "
            "`srun --distribution=block`."
        )


def _first(environ: Mapping[str, str], *names: str) -> str:
    """Returns the first of these names that is set."""
    for name in names:
        if environ.get(name):
            return name
    raise InputError(f"`{names[0]}` is missing, though `SLURM_PROCID` is set. Start with `srun`.")
