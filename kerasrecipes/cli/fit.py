"""`kerasrecipes fit`."""

import click

from kerasrecipes.cli import _options
from kerasrecipes.cli._quiet_import import quiet_import

_EXAMPLES = """
\b
Examples:
  kerasrecipes fit houses.csv --target price
  kerasrecipes fit reviews.parquet --target stars --seconds 300
  kerasrecipes fit photos/ --set data.size=[32,32] --seconds 120
"""


@click.command(epilog=_EXAMPLES)
@click.argument("data", type=click.Path())
@click.option(
    "--target",
    metavar="COLUMN",
    help="What to predict, for a file. [default: a column named target, label, class, y, outcome "
    "or response, else the last one]",
)
@click.option(
    "--seconds",
    type=click.FloatRange(min=0, min_open=True),
    default=60.0,
    show_default=True,
    help="Time for everything but the import of TensorFlow.",
)
@click.option(
    "--networks",
    type=click.IntRange(min=1),
    default=6,
    show_default=True,
    help="At most so many networks, whose mean predicts; more than one where time is left.",
)
@_options.OVERRIDES
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option(
    "--out",
    default="runs",
    show_default=True,
    metavar="FOLDER",
    help="Where run folders go; each run gets a new one, FOLDER/<name>/<date>-<time>.",
)
@click.option("--quiet", is_flag=True, help="Print the path of the run folder, and nothing else.")
@click.pass_context
def fit(
    ctx: click.Context,
    data: str,
    target: str | None,
    seconds: float,
    networks: int,
    overrides: tuple[str, ...],
    seed: int,
    out: str,
    quiet: bool,
) -> None:
    """Train a model for DATA within some seconds, check it, and report on it.

    DATA is a csv or parquet file with a header, or a folder with a sub-folder of images or .txt
    files for each class. What is in it is inferred, and said with the way to say otherwise. Where
    time is left, more networks are trained, each with other rows held out, and their mean
    predicts. A linear model is fitted too; of the network, the linear model and their mean the
    best one on held-out rows is kept, and the report has the scores of all three. The run folder
    is that of `kerasrecipes train`. Less than about 20 seconds leave little for training.
    """
    automatic = quiet_import("kerasrecipes.runs.automatic")
    result = automatic.auto(
        data,
        target,
        seconds=seconds,
        networks=networks,
        overrides=overrides,
        seed=seed,
        out=out,
        quiet=quiet,
    )
    if quiet:
        click.echo(result.folder)
    if result.interrupted:
        ctx.exit(130)
