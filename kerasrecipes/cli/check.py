"""`kerasrecipes check`."""

from pathlib import Path
from typing import Any

import click

from kerasrecipes import _recipe_files
from kerasrecipes._atomic import atomic
from kerasrecipes._run_files import CHECKS, RECIPE
from kerasrecipes.cli import _options
from kerasrecipes.cli._quiet_import import quiet_import

_EXAMPLES = """
\b
Examples:
  kerasrecipes check digits-mlp
  kerasrecipes check digits-mlp --set preprocessing.scaling=none
  kerasrecipes check mine.toml --only first_loss --only overfit
  kerasrecipes check runs/digits-mlp/20260102-030405
"""


@click.command(epilog=_EXAMPLES)
@_options.RECIPE
@_options.OVERRIDES
@click.option("--seed", type=click.IntRange(min=0), help="Replaces the recipe's seed.")
@click.option("--only", metavar="CHECK", multiple=True, help="Make this check. Repeatable.")
@click.option("--skip", metavar="CHECK", multiple=True, help="Leave it out. Repeatable.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--strict", is_flag=True, help="Exit with 1 if there is a warning, too.")
@click.pass_context
def check(
    ctx: click.Context,
    recipe: str,
    only: tuple[str, ...],
    skip: tuple[str, ...],
    as_json: bool,
    strict: bool,
    **options: Any,
) -> None:
    """Look at the data and the model of a recipe before training.

    RECIPE is the name of a recipe that comes with the package (see `kerasrecipes list`), or the
    path of a TOML file. Its training and validation rows are read as for `train`, its model is
    built, and a table says what is sound, what is not, and what to do about it. It takes some
    seconds and leaves nothing behind; the test rows take no part.

    RECIPE may also be a run folder: then its recipe is looked at, with a new model, and what is
    found stays in the folder as checks.json, where `kerasrecipes report` finds it.

    If a check fails the exit code is 1.
    """
    run = Path(recipe).expanduser()
    is_run = (run / RECIPE).is_file()
    if is_run and (options["overrides"] or options["seed"] is not None):
        raise click.UsageError("A run is checked with its own recipe: leave out --set and --seed.")
    file = run / RECIPE if is_run else _recipe_files.find(recipe)
    report = _report(str(file), only=only or None, skip=skip, **options)
    click.echo(report.to_json() if as_json else str(report))
    if is_run:
        with atomic(run / CHECKS) as temporary:
            temporary.write_text(report.to_json(), encoding="utf-8")
    if not report.passed or (strict and report.warnings):
        ctx.exit(1)


def _report(recipe: str, *, overrides: Any, seed: int | None, **which: Any) -> Any:
    prepare = quiet_import("kerasrecipes.runs.prepare").prepare
    inspect = quiet_import("kerasrecipes.runs.load").inspect
    sanity = quiet_import("kerasrecipes.sanity")
    prepared = prepare(*inspect(recipe, overrides=overrides, seed=seed))
    parts = prepared.rows.parts
    return sanity.check(
        prepared.model,
        tuple(parts["train"]),
        validation_data=tuple(parts["validation"]),
        seed=prepared.recipe.seed,
        **which,
    )
