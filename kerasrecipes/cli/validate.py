"""`kerasrecipes validate`."""

import click

from kerasrecipes import _recipe_files
from kerasrecipes.cli import _options
from kerasrecipes.cli._quiet_import import quiet_import


@click.command()
@_options.RECIPE
@_options.OVERRIDES
@click.option("--no-data", is_flag=True, help="Leave the data alone, and build no model.")
def validate(recipe: str, overrides: tuple[str, ...], no_data: bool) -> None:
    """Check a recipe file without training.

    Every key and type is checked, every argument of the model is bound to the recipe's
    signature, the data are read, and the model is built once. All problems are shown at once,
    each with its key and line; the exit code is then 2.
    """
    path = _recipe_files.find(recipe)
    validation = quiet_import("kerasrecipes.runs.validation")
    validation.validate(recipe, overrides=overrides, data=not no_data)
    click.echo(f"{path} is valid.")
