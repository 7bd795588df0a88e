"""`kerasrecipes train`."""

import click

from kerasrecipes import _launched, _recipe_files
from kerasrecipes.cli import _options
from kerasrecipes.cli._quiet_import import quiet_import

_EXAMPLES = """
\b
Examples:
  kerasrecipes train digits-mlp
  kerasrecipes train digits-mlp --set model.hidden=[64,64] --set fit.epochs=5
  kerasrecipes train --resume runs/digits-mlp/20260102-030405
"""


@click.command(epilog=_EXAMPLES)
@_options.RECIPE_OR_NONE
@_options.OVERRIDES
@click.option("--seed", type=click.IntRange(min=0), help="Replaces the recipe's seed.")
@click.option(
    "--out",
    default="runs",
    show_default=True,
    metavar="FOLDER",
    help="Where run folders go; each run gets a new one, FOLDER/<recipe>/<date>-<time>.",
)
@click.option(
    "--resume",
    metavar="RUN",
    shell_complete=_options.unfinished,
    help="Go on with a run that was killed or interrupted, in its own folder; takes no RECIPE.",
)
@click.option(
    "--strategy",
    metavar="NAME",
    help="What to train on: auto, cpu, gpu, mirrored, mirrored:2, multi_worker. Without it: the "
    "cluster that this process is in, else one device.",
)
@click.option("--quiet", is_flag=True, help="Print the path of the run folder, and nothing else.")
@click.pass_context
def train(
    ctx: click.Context,
    recipe: str | None,
    overrides: tuple[str, ...],
    seed: int | None,
    out: str,
    resume: str | None,
    strategy: str | None,
    quiet: bool,
) -> None:
    """Train a recipe, and leave everything about it in a new folder.

    RECIPE is the name of a recipe that comes with the package (see `kerasrecipes list`), or the
    path of a TOML file. Nothing is trained before everything is checked.

    The first Ctrl-C ends the training and saves everything, with the weights of the best epoch,
    and the exit code is 130; the second aborts. SIGTERM saves and exits with 143. Such a run, and
    one that was killed, goes on with --resume. A training that diverged ends with exit code 1.
    """
    if (recipe is None) == (resume is None):
        raise click.UsageError("Name a RECIPE to train, or a run to go on with by --resume RUN.")
    if resume is not None and (overrides or seed is not None):
        raise click.UsageError("--resume goes on with the run's own recipe, without changes.")
    if recipe is not None:
        _recipe_files.find(recipe)
    run = _launched.run_of_last_start() or resume
    execute = quiet_import("kerasrecipes.runs.execute")
    if run is None:
        result = execute.train(
            recipe, overrides=overrides, seed=seed, out=out, strategy=strategy, quiet=quiet
        )
    else:
        result = execute.resume(run, strategy=strategy, quiet=quiet)
    if quiet:
        click.echo(result.folder)
    if result.interrupted:
        ctx.exit(130)
    if result.best_epoch is None:
        raise click.ClickException(
            f"the training diverged: {result.metrics['monitor']} was never finite. "
            "Lower the learning rate, or look at the data."
        )
