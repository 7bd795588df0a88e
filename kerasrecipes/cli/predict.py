"""`kerasrecipes predict`."""

from pathlib import Path

import click

from kerasrecipes.cli import _options
from kerasrecipes.cli._quiet_import import quiet_import


@click.command()
@_options.RUN
@click.argument("data", metavar="DATA.CSV", type=click.Path())
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write there, instead of to standard output; replaces the file.",
)
def predict(run: str, data: str, out: Path | None) -> None:
    """Predict the rows of a csv file with a run's model.

    Columns are found by name. The result is a csv file with a row for each row: the class name
    and the probability of each class, or the predicted value.
    """
    prediction = quiet_import("kerasrecipes.runs.prediction")
    folder = quiet_import("kerasrecipes.runs.folder")
    found = prediction.predict(run, data)
    if found.ignored:
        click.echo(f"Columns that the model does not use: {', '.join(found.ignored)}.", err=True)
    text = found.table.to_csv(index=False, lineterminator="\n")
    if out is None:
        click.echo(text, nl=False)
    else:
        folder.write_text(out, text)
        click.echo(f"{len(found.table)} rows written to {out}.", err=True)
