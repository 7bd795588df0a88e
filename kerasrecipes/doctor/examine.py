"""Examines the installed TensorFlow, Keras and KerasTuner."""

import os
import time
from collections.abc import Callable, Sequence
from typing import Any

from kerasrecipes._checks import check_number
from kerasrecipes.doctor import _versions
from kerasrecipes.doctor._jobs import Job, answers
from kerasrecipes.doctor._known import KNOWN, Known
from kerasrecipes.doctor.examination import Examination
from kerasrecipes.doctor.findings import HAS_IT, MENDED, NOT_PROBED, Device, Fault, Strategy

_FACTS = "environment.facts"
_TWO = "two worker processes"
_STRATEGIES = {
    "strategies.one_device": "OneDeviceStrategy",
    "strategies.mirrored": "MirroredStrategy",
    "strategies.multi_worker": f"MultiWorkerMirroredStrategy, {_TWO}",
    "strategies.multi_worker_adapted": f"the same through kr.distribute, {_TWO}",
    "strategies.central_storage": "CentralStorageStrategy",
    "strategies.parameter_server": "ParameterServerStrategy, in one process",
    "strategies.tpu": "TPUStrategy",
}
_OF_WORKERS = ("strategies.multi_worker", "strategies.multi_worker_adapted")


def examine(
    *, seconds: float = 60.0, done: Callable[[int, int], None] = lambda jobs, of: None
) -> Examination:
    """Finds versions, devices, strategies that work, and which known faults are there.

    Every fault of docs/defects.md is provoked on the Keras and KerasTuner that are installed; no
    version is looked up. All runs in processes of their own, two at a time, so that the program
    that calls this is left as it was, and a probe that hangs or crashes takes no other with it.

    Args:
        seconds: When to end; what was not probed by then is said to be. Float > 0.
        done: Called with the number of processes that have ended, and of all.

    Returns: An `Examination`.

    Raises: InputError if `seconds` is not a positive number.

    Example:
    >>> found = examine()  # doctest: +SKIP
    >>> found["D2"].state, found["D2"].seen  # doctest: +SKIP
    ('has it', 'on 2 replicas an update has norm 2.00 instead of 1.00 (global_clipnorm), ...')
    """
    seconds = check_number("seconds", seconds, low=0.0, open_low=True)
    begin = time.monotonic()
    found = answers(_jobs(), seconds=seconds, done=done)
    facts = found[_FACTS][0].get("found", {"versions": {}, "devices": []})
    return Examination(
        versions=_versions.versions() | facts["versions"],
        devices=_devices(facts["devices"]),
        strategies=tuple(_strategy(name, found[key]) for key, name in _STRATEGIES.items()),
        faults=tuple(_fault(known, found) for known in KNOWN),
        seconds=time.monotonic() - begin,
    )


def _jobs() -> list[Job]:
    """Returns the processes, the longest first."""
    probes = [probe for known in KNOWN for probe in known.probes]

    def of(*modules: str) -> tuple[str, ...]:
        return tuple(probe for probe in probes if probe.startswith(modules))

    others = ("replica_", "tuner_", "workers.")
    return [
        Job((_FACTS, "strategies.one_device"), sees_gpus=True),
        Job(of("tuner_")),
        Job(tuple(probe for probe in probes if not probe.startswith(others))),
        Job(of("replica_")),
        Job((*of("workers."), *_OF_WORKERS), workers=2, limit=40.0),
        *(
            Job((name,), limit=25.0, sees_gpus=True)
            for name in _STRATEGIES
            if name not in ("strategies.one_device", *_OF_WORKERS)
        ),
    ]


def _fault(known: Known, found: dict[str, list[dict[str, Any]]]) -> Fault:
    """Returns the fault: there if any of its probes has seen it, in any process."""
    seen = [answer for probe in known.probes for answer in found[probe]]
    there = [each["found"]["what"] for each in seen if each.get("found", {}).get("there")]
    absent = [
        each["found"]["what"] for each in seen if "found" in each and not each["found"]["there"]
    ]
    errors = [each["error"] for each in seen if "error" in each]
    if there:
        state, said = HAS_IT, there
    elif errors:
        state, said = NOT_PROBED, errors
    else:
        state, said = MENDED, absent
    return Fault(known.id, known.what, state, "; ".join(dict.fromkeys(said)), known.instead)


def _strategy(name: str, found: Sequence[dict[str, Any]]) -> Strategy:
    """Returns what the process that came least far has seen."""
    tried = [
        Strategy(name, each["found"]["made"], each["found"]["trains"], each["found"]["what"])
        if "found" in each
        else Strategy(name, False, False, each["error"])
        for each in found
    ]
    return min(tried, key=lambda each: (each.made, each.trains))


def _devices(found: Sequence[Sequence[str]]) -> tuple[Device, ...]:
    gpus = iter(_versions.gpu_memory())
    return tuple(
        Device(name, kind, next(gpus, None))
        if name.startswith("GPU")
        else Device(name, kind or f"{os.cpu_count()} cores", _versions.memory())
        for name, kind in found
    )
