"""`kerasrecipes copy`."""

import shutil
from pathlib import Path

import click

from kerasrecipes import _recipe_files
from kerasrecipes._checks import InputError
from kerasrecipes.cli import _options

_FILES = (("data", "path"), ("model", "backbone"), ("model", "weights"))


@click.command()
@_options.RECIPE
@click.argument("path", type=click.Path(path_type=Path))
def copy(recipe: str, path: Path) -> None:
    """Copy a recipe file, comments included, to PATH (a file or a folder) to change it.

    Files that it names and that lie beside it come along: data, a trained network.
    """
    source = _recipe_files.find(recipe)
    destination = path / source.name if path.is_dir() else path
    if not destination.parent.is_dir():
        raise InputError(f"There is no folder {destination.parent}.")
    files = _files_beside(source)
    for file in files:
        if (destination.parent / file.name).exists():
            raise InputError(f"{destination.parent / file.name} exists, and is not overwritten.")
    try:
        with destination.open("x", encoding="utf-8", newline="\n") as copied:
            copied.write(_recipe_files.text(source))
    except FileExistsError as error:
        raise InputError(f"{destination} exists, and is not overwritten.") from error
    for file in files:
        shutil.copyfile(file, destination.parent / file.name)
    click.echo(destination)


def _files_beside(source: Path) -> list[Path]:
    """Returns the files in the folder of a recipe file that it names: data, trained networks."""
    tables = _recipe_files.read(source)
    named = [tables.get(section, {}).get(key) for section, key in _FILES]
    names = [name for name in named if isinstance(name, str) and Path(name).name == name]
    return [source.parent / name for name in names if (source.parent / name).is_file()]
