"""`kerasrecipes find-lr`."""

import pathlib
from typing import Any

import click

from kerasrecipes import _recipe_files
from kerasrecipes.cli import _options
from kerasrecipes.cli._quiet_import import quiet_import

_EXAMPLES = """
\b
Examples:
  kerasrecipes find-lr digits-mlp
  kerasrecipes find-lr digits-mlp --set 'model.optimizer="sgd"' --plot rates.png
  kerasrecipes train digits-mlp --set model.learning_rate=$(kerasrecipes find-lr digits-mlp --quiet)
"""


@click.command("find-lr", epilog=_EXAMPLES)
@_options.RECIPE
@_options.OVERRIDES
@click.option("--seed", type=click.IntRange(min=0), help="Replaces the recipe's seed.")
@click.option(
    "--start",
    type=click.FloatRange(min=0, min_open=True),
    default=1e-6,
    show_default=True,
    help="Rate of the first update.",
)
@click.option(
    "--stop",
    type=click.FloatRange(min=0, min_open=True),
    default=10.0,
    show_default=True,
    help="Rate of the last update.",
)
@click.option(
    "--steps",
    type=click.IntRange(min=10),
    default=100,
    show_default=True,
    help="Updates at most; the test ends when the loss diverges.",
)
@click.option("--plot", metavar="FILE", help="Draw the curve into a PNG file.")
@click.option(
    "--strategy",
    metavar="NAME",
    help="What to train on: auto, cpu, gpu, mirrored, mirrored:2. Without it: one device.",
)
@click.option("--quiet", is_flag=True, help="Print the suggested rate, and nothing else.")
def find_lr(recipe: str, plot: str | None, quiet: bool, **options: Any) -> None:
    """Find learning rates to begin with: train at growing rates, and look at the loss.

    RECIPE is the name of a recipe that comes with the package (see `kerasrecipes list`), or the
    path of a TOML file. Its model is trained on its training rows by some updates, the rates of
    which grow from --start to --stop, and is thrown away. The recipe's own rate and schedule play
    no part, all else does.

    If the curve suggests no rate the exit code is 1.
    """
    if options["start"] >= options["stop"]:
        raise click.UsageError("--start must be less than --stop.")
    if plot is not None and not pathlib.Path(plot).absolute().parent.is_dir():
        raise click.UsageError(f"--plot: there is no folder {pathlib.Path(plot).parent}.")
    _recipe_files.find(recipe)
    result = _test(recipe, quiet=quiet, **options)
    if plot is not None:
        pathlib.Path(plot).write_bytes(
            quiet_import("kerasrecipes.reporting.style").to_png(result.plot())
        )
    if not quiet:
        click.echo(str(result))
    if result.rate is None:
        raise click.ClickException(f"the curve suggests no rate. {' '.join(result.warnings)}")
    if quiet:
        click.echo(f"{result.rate:.2g}")
    else:
        click.echo(f"Train with it: --set model.learning_rate={result.rate:.2g}")


def _test(recipe: str, *, overrides: Any, seed: Any, strategy: Any, quiet: bool, **how: Any) -> Any:
    prepare = quiet_import("kerasrecipes.runs.prepare")
    devices = quiet_import("kerasrecipes.runs._devices")
    inspect = quiet_import("kerasrecipes.runs.load").inspect
    data, finders = quiet_import("kerasrecipes.data"), quiet_import("kerasrecipes.finders")
    strategy = devices.chosen(strategy, quiet=quiet)
    loaded, problems = inspect(recipe, overrides=overrides, seed=seed)
    prepared = prepare.prepare(loaded, problems, strategy=strategy)
    x, y = prepared.rows.parts["train"]
    if not quiet:
        click.echo(
            f"{loaded.name}: {len(y):,} training rows, on {devices.describe(prepared.model)}"
        )
    batch_size = prepared.recipe.fit["batch_size"]
    rows = data.batches(x, y, batch_size=batch_size, seed=prepared.recipe.seed)
    return finders.learning_rate(prepared.model, rows, **how)
