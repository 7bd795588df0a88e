"""`kerasrecipes doctor`."""

import importlib
from pathlib import Path

import click
from rich.console import Console

from kerasrecipes._atomic import atomic

_EXAMPLES = """
\b
Examples:
  kerasrecipes doctor
  kerasrecipes doctor --json doctor.json
  kerasrecipes doctor --seconds 180
"""


@click.command(epilog=_EXAMPLES)
@click.option(
    "--json",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="PATH",
    help="Write all of it there too, for a report of a bug; replaces the file.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(min=0, min_open=True),
    default=60.0,
    show_default=True,
    help="End by then; a slow or busy machine may need more.",
)
def doctor(file: Path | None, seconds: float) -> None:
    """Say what is installed, what it can train on, and which known faults it has.

    Shows versions and devices, tries each strategy of tf.distribute, and provokes the known faults
    of Keras and KerasTuner on those that are installed here: some may be mended already, or not yet
    be there. Nothing outside temporary folders is written or changed.
    """
    if file is not None and not file.absolute().parent.is_dir():
        raise click.UsageError(f"--json: there is no folder {file.parent}.")
    examine = importlib.import_module("kerasrecipes.doctor").examine
    with Console(stderr=True).status("Starting ...") as status:
        found = examine(
            seconds=seconds,
            done=lambda jobs, of: status.update(f"{jobs} of {of} processes have ended ..."),
        )
    Console(highlight=False).print(found)
    if file is not None:
        with atomic(file) as temporary:
            temporary.write_text(found.to_json(), encoding="utf-8")
        click.echo(f"Written: {file}")
