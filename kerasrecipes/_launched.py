"""What a `launch` and the `train` that it runs tell each other, so that a restart goes on.

`launch` names a file, in which the run notes its folder; a restart is told that folder.
"""

import os
from pathlib import Path

NOTE = "KERASRECIPES_LAUNCH_NOTE"
RUN = "KERASRECIPES_LAUNCH_RUN"


def note_run(folder: Path) -> None:
    """Tells the `launch` that has started this process, if one has, where its run is."""
    if NOTE in os.environ:
        Path(os.environ[NOTE]).write_text(str(folder.resolve()), encoding="utf-8")


def run_of_last_start() -> str | None:
    """Returns the folder of the run that was begun before a restart, or None."""
    return os.environ.get(RUN)


def environment(note: Path) -> dict[str, str]:
    """Returns what `launch` gives the workers: where to note the run, and what was noted."""
    noted = note.read_text(encoding="utf-8") if note.exists() else ""
    given = {NOTE: str(note)}
    return {**given, RUN: noted} if Path(noted, "recipe.toml").is_file() else given
