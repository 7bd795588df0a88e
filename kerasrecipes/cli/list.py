"""`kerasrecipes list`."""

import click

from kerasrecipes import _recipe_files


@click.command("list")
def list_recipes() -> None:
    """List the recipes that come with the package, one a line."""
    shipped = _recipe_files.shipped()
    width = max(len(name) for name in shipped)
    for name, path in shipped.items():
        click.echo(f"{name:<{width}}  {_recipe_files.summary(path)}")
