"""`kerasrecipes report`."""

import importlib
from pathlib import Path

import click

from kerasrecipes.cli import _options

_EXAMPLES = """
\b
Examples:
  kerasrecipes report runs/digits-mlp/20260102-030405
  kerasrecipes report runs/digits-mlp/* --out comparison.html
"""


@click.command(epilog=_EXAMPLES)
@_options.RUNS
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write there; replaces the file. [default: report.html in the run folder; for several "
    "runs, or a history file, in this folder]",
)
def report(runs: tuple[str, ...], out: Path | None) -> None:
    """Write the page of a run, or of several runs side by side: one HTML file.

    RUN is a run folder, or the history file of a training that is not over. The page has the
    diagnosis, results, curves, test rows, data and recipe, and needs no network. Neither the data
    nor TensorFlow is loaded.
    """
    if out is None:
        single = len(runs) == 1 and Path(runs[0]).is_dir()
        out = Path(runs[0]) / "report.html" if single else Path("report.html")
    importlib.import_module("kerasrecipes.reporting").report(list(runs), path=out)
    click.echo(out)
