"""`kerasrecipes copy`."""

from pathlib import Path

import click

from kerasrecipes import _recipe_files
from kerasrecipes._checks import InputError
from kerasrecipes.cli import _options


@click.command()
@_options.RECIPE
@click.argument("path", type=click.Path(path_type=Path))
def copy(recipe: str, path: Path) -> None:
    """Copy a recipe file, comments included, to PATH (a file or a folder) to change it."""
    source = _recipe_files.find(recipe)
    destination = path / source.name if path.is_dir() else path
    if not destination.parent.is_dir():
        raise InputError(f"There is no folder {destination.parent}.")
    try:
        with destination.open("x", encoding="utf-8", newline="\n") as file:
            file.write(_recipe_files.text(source))
    except FileExistsError as error:
        raise InputError(f"{destination} exists, and is not overwritten.") from error
    click.echo(destination)
