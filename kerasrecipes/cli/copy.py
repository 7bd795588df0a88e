"""`kerasrecipes copy`."""

import shutil
from pathlib import Path

import click

from kerasrecipes import _recipe_files
from kerasrecipes._checks import InputError
from kerasrecipes.cli import _options


@click.command()
@_options.RECIPE
@click.argument("path", type=click.Path(path_type=Path))
def copy(recipe: str, path: Path) -> None:
    """Copy a recipe file, comments included, to PATH (a file or a folder) to change it.

    A file of data that lies beside it comes along.
    """
    source = _recipe_files.find(recipe)
    destination = path / source.name if path.is_dir() else path
    if not destination.parent.is_dir():
        raise InputError(f"There is no folder {destination.parent}.")
    data = _data_beside(source)
    if data is not None and (destination.parent / data.name).exists():
        raise InputError(f"{destination.parent / data.name} exists, and is not overwritten.")
    try:
        with destination.open("x", encoding="utf-8", newline="\n") as file:
            file.write(_recipe_files.text(source))
    except FileExistsError as error:
        raise InputError(f"{destination} exists, and is not overwritten.") from error
    if data is not None:
        shutil.copyfile(data, destination.parent / data.name)
    click.echo(destination)


def _data_beside(source: Path) -> Path | None:
    """Returns the file of data in the folder of a recipe file that it names, if there is one."""
    name = _recipe_files.read(source).get("data", {}).get("path")
    if not isinstance(name, str) or Path(name).name != name:
        return None
    return source.parent / name if (source.parent / name).is_file() else None
