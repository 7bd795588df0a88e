"""Reads TF_CONFIG, the environment variable by which TensorFlow finds a cluster."""

import json
from collections.abc import Mapping
from typing import Any

from kerasrecipes._checks import InputError, check_choice, fail
from kerasrecipes.distribute._addresses import check_addresses

_ROLES = ("chief", "worker")
_EXAMPLE = (
    'An example is {"cluster": {"worker": ["10.0.0.1:12345", "10.0.0.2:12345"]}, '
    '"task": {"type": "worker", "index": 0}}.'
)


def read(environ: Mapping[str, str]) -> tuple[list[str], int] | None:
    """Returns the addresses of the workers, the chief's first, and the index of this one."""
    text = environ.get("TF_CONFIG", "").strip()
    config = _object("TF_CONFIG", _parsed(text)) if text else {}
    cluster = config.get("cluster")
    if not cluster:
        return None
    cluster = _checked_roles(_object("TF_CONFIG.cluster", cluster))
    task = _object("TF_CONFIG.task", config.get("task"))
    role = check_choice("TF_CONFIG.task.type", task.get("type"), list(cluster))
    index = _index(task.get("index"), role, len(cluster[role]))
    workers = [*cluster.get("chief", []), *cluster.get("worker", [])]
    before = len(cluster.get("chief", [])) if role == "worker" else 0
    return check_addresses("TF_CONFIG.cluster", workers), before + index


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(
            f"`TF_CONFIG` must be JSON: {error}. Received: {text[:200]!r}. {_EXAMPLE}"
        ) from error


def _object(argument: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        fail(argument, "a JSON object", value, _EXAMPLE)
    return value


def _checked_roles(cluster: dict[str, Any]) -> dict[str, list[str]]:
    for role in cluster:
        if role == "ps":
            raise InputError(
                '`TF_CONFIG.cluster` names parameter servers ("ps"), which Keras 3 does not '
                "train with. Make every process a worker: each then holds the whole model and a "
                "part of each batch."
            )
        remedy = "The chief evaluates within fit." if role == "evaluator" else ""
        check_choice("TF_CONFIG.cluster", role, _ROLES, remedy=remedy)
    found = {role: check_addresses(f"TF_CONFIG.cluster.{role}", cluster[role]) for role in cluster}
    if len(found.get("chief", [])) > 1:
        fail("TF_CONFIG.cluster.chief", "one address", found["chief"])
    return found


def _index(index: Any, role: str, count: int) -> int:
    text = str(index)
    if isinstance(index, bool) or not text.isdecimal() or int(text) >= count:
        remedy = f"The cluster has {count} of type {role!r}; the first has index 0."
        fail("TF_CONFIG.task.index", f"an integer from 0 to {count - 1}", index, remedy)
    return int(text)
