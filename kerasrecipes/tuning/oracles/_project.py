"""The files of a search: written whole or not at all, set aside when they are damaged."""

import json
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from keras_tuner.engine.trial import Trial

_ABSENT = object()


def read_trials(folder: Path) -> tuple[list[tuple[Trial, dict[str, Any]]], list[Path]]:
    """Returns the trials of a project in order, each with our notes on it, and damaged files."""
    found, damaged = [], []
    for path in sorted(folder.glob("trial_*/trial.json")):
        try:
            found.append(_read_trial(path))
        except (OSError, ValueError, TypeError, KeyError, AttributeError, IndexError):
            damaged.append(path)
    return found, damaged


def _read_trial(path: Path) -> tuple[Trial, dict[str, Any]]:
    state = json.loads(path.read_text(encoding="utf-8"))
    trial = Trial.from_state(state)
    if f"trial_{trial.trial_id}" != path.parent.name:
        raise ValueError("the file belongs to another trial")
    return trial, dict(state.get("kerasrecipes", {}))


def set_aside(path: Path) -> None:
    """Renames a damaged file, and warns."""
    aside = path.with_name(f"{path.name}.damaged")
    path.replace(aside)
    warnings.warn(
        f"{path} is damaged. It is now {aside.name}, and the trial is run anew.", stacklevel=2
    )


def differences(there: Mapping[str, Any], here: Mapping[str, Any]) -> list[str]:
    """Returns a line for each entry, at any depth, that two dicts do not have in common.

    Example:
    >>> differences({"data": "a", "space": {"l2": 1}}, {"data": "b", "space": {}})
    ["data: 'a' there, 'b' here", 'space.l2: 1 there, nothing here']
    """
    before, after = dict(_leaves(there)), dict(_leaves(here))
    return [
        f"{name}: {_shown(before, name)} there, {_shown(after, name)} here"
        for name in dict.fromkeys((*before, *after))
        if before.get(name, _ABSENT) != after.get(name, _ABSENT)
    ]


def _leaves(content: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in content.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _shown(leaves: Mapping[str, Any], name: str) -> str:
    if name not in leaves:
        return "nothing"
    shown = repr(leaves[name])
    return shown if len(shown) <= 80 else f"{shown[:77]}..."
