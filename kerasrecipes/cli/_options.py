"""Options that several commands take, and what a shell completes for them."""

from collections.abc import Iterable
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from kerasrecipes import _recipe_files, _run_files


def _matching(incomplete: str, found: Iterable[str]) -> list[CompletionItem]:
    """Returns what begins with what is typed; if nothing does, the shell looks for files."""
    items = [CompletionItem(name) for name in found if name.startswith(incomplete)]
    return items or [CompletionItem(incomplete, type="file")]


def _newest(pattern: str) -> list[str]:
    """Returns the folders that hold what a pattern names, the newest, by their names, first."""
    folders = [path.parent for path in Path().glob(pattern)]
    return [str(folder) for folder in sorted(folders, key=lambda f: f.name, reverse=True)]


def _recipes(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    own = sorted(str(path) for path in Path().glob("*.toml"))
    return _matching(incomplete, [*_recipe_files.shipped(), *own])


def runs(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Completes the run folders below runs/."""
    return _matching(incomplete, _newest(f"runs/*/*/{_run_files.RECIPE}"))


def unfinished(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Completes the run folders below runs/ that can go on."""
    return _matching(incomplete, _newest(f"runs/*/*/{_run_files.CHECKPOINT}"))


def searches(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Completes the folders of searches below searches/."""
    return _matching(incomplete, _newest("searches/*/*/search.json"))


RECIPE = click.argument("recipe", metavar="RECIPE", shell_complete=_recipes)
RECIPE_OR_NONE = click.argument("recipe", metavar="RECIPE", required=False, shell_complete=_recipes)
RUN = click.argument("run", metavar="RUN", type=click.Path(), shell_complete=runs)
RUNS = click.argument(
    "runs", metavar="RUN...", nargs=-1, required=True, type=click.Path(), shell_complete=runs
)
OVERRIDES = click.option(
    "--set",
    "overrides",
    metavar="KEY=VALUE",
    multiple=True,
    help="Set a key of the recipe, such as model.hidden=[64,64]; the value is TOML. Repeatable.",
)
