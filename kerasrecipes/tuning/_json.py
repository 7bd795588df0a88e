"""JSON files of a search, written whole or not at all."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kerasrecipes._atomic import atomic


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Writes a JSON file atomically, and its folder if there is none."""
    text = json.dumps(content, indent=1, default=_known)
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def plain(content: Any) -> Any:
    """Returns the content as it comes back from JSON."""
    return json.loads(json.dumps(content, default=_known))


def _known(value: Any) -> Any:
    """Returns what JSON has in place of a value that it has not, such as a number of NumPy's."""
    return value.item() if hasattr(value, "item") else str(value)
