"""`kerasrecipes diagnose`."""

import importlib
import json

import click

from kerasrecipes.cli import _options

_EXAMPLES = """
\b
Examples:
  kerasrecipes diagnose runs/digits-mlp/20260102-030405
  kerasrecipes diagnose runs/digits-mlp/*
  kerasrecipes diagnose history.csv
"""


@click.command(epilog=_EXAMPLES)
@_options.RUNS
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--strict", is_flag=True, help="Exit with 1 if there is a warning; notes do not count."
)
@click.pass_context
def diagnose(ctx: click.Context, runs: tuple[str, ...], as_json: bool, strict: bool) -> None:
    """Tell from its curves what is wrong with a run, and what to do about it.

    RUN is a run folder, or the history file of a training that is not over. Several runs that
    differ by the seed alone are compared. Neither the data nor TensorFlow is loaded.
    """
    found = importlib.import_module("kerasrecipes.diagnosis").diagnose(list(runs))
    click.echo(json.dumps(found.to_dict(), indent=1) if as_json else str(found))
    if strict and not found.healthy:
        ctx.exit(1)
