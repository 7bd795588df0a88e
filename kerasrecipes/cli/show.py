"""`kerasrecipes show`."""

import click

from kerasrecipes.cli import _options
from kerasrecipes.runs import load


@click.command()
@_options.RECIPE
@_options.OVERRIDES
def show(recipe: str, overrides: tuple[str, ...]) -> None:
    """Print a recipe with its defaults filled in.

    What the recipe function takes by default is written into the folder of a run, or shown by
    `kerasrecipes validate --show`.
    """
    click.echo(load.read(recipe, overrides=overrides).to_toml(), nl=False)
