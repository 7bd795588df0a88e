"""`kerasrecipes show`."""

import click

from kerasrecipes import _recipe_files
from kerasrecipes.cli import _options
from kerasrecipes.cli._quiet_import import quiet_import


@click.command()
@_options.RECIPE
@_options.OVERRIDES
def show(recipe: str, overrides: tuple[str, ...]) -> None:
    """Print a recipe as a run would resolve it.

    Every default is filled in, those of the recipe function included, and the target is
    inferred from the data if the file leaves it out.
    """
    _recipe_files.find(recipe)
    validation = quiet_import("kerasrecipes.runs.validation")
    click.echo(validation.validate(recipe, overrides=overrides).to_toml(), nl=False)
