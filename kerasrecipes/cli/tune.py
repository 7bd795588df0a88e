"""`kerasrecipes tune`."""

from typing import Any

import click

from kerasrecipes import _launched, _recipe_files
from kerasrecipes.cli import _options
from kerasrecipes.cli._quiet_import import quiet_import
from kerasrecipes.runs.schema import METHODS

_EXAMPLES = """
\b
Examples:
  kerasrecipes tune digits-mlp --seconds 300
  kerasrecipes tune iris-mlp --trials 40 --folds 5 --method bayesian
  kerasrecipes tune iris-mlp --trials 9 --set tune.dropout=[0.0,0.2,0.4]
  kerasrecipes tune --resume searches/digits-mlp/20260102-030405
  kerasrecipes tune --show searches/digits-mlp/20260102-030405
"""
_WITH_RESUME = ("resume", "trials", "seconds", "workers", "isolate", "quiet")


@click.command(epilog=_EXAMPLES)
@_options.RECIPE_OR_NONE
@click.option("--method", type=click.Choice(METHODS), help="How to search. [default: random]")
@click.option(
    "--trials",
    type=click.IntRange(min=1),
    help="Trials after which it ends. [default: 30, or none with --seconds]",
)
@click.option(
    "--seconds",
    type=click.FloatRange(min=0, min_open=True),
    help="Time after which the search ends; the training of the best one comes after.",
)
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="How many processes of this machine train trials.",
)
@click.option("--isolate", is_flag=True, help="Train each trial in a process of its own.")
@click.option(
    "--folds",
    type=click.IntRange(min=2),
    help="Judge by so many folds of training and validation rows, not by the validation rows.",
)
@click.option(
    "--repeats",
    type=click.IntRange(min=1),
    help="How often a trial is trained, with other seeds. [default: 1]",
)
@_options.OVERRIDES
@click.option("--seed", type=click.IntRange(min=0), help="Replaces the recipe's seed.")
@click.option(
    "--out",
    metavar="FOLDER",
    help="Where searches go; each gets a new folder, FOLDER/<recipe>/<date>-<time>. "
    "[default: searches]",
)
@click.option(
    "--resume",
    metavar="SEARCH",
    shell_complete=_options.searches,
    help="Go on with a search that was killed or interrupted, in its own folder; takes no RECIPE. "
    "With --trials or --seconds it gets more of them.",
)
@click.option(
    "--show",
    metavar="SEARCH",
    shell_complete=_options.searches,
    help="Show what a search has found, also while it runs, and search nothing.",
)
@click.option("--quiet", is_flag=True, help="Print the path of the search folder, nothing else.")
@click.pass_context
def tune(ctx: click.Context, **options: Any) -> None:
    """Search for the hyperparameters of a recipe that do best.

    RECIPE is the name of a recipe that comes with the package (see `kerasrecipes list`), or the
    path of a TOML file, whose section [tune] may say what is searched. The validation rows judge,
    the test rows take no part. At the end the best one is trained on all rows but the test's, and
    best.toml is a recipe of it.

    The first Ctrl-C ends the search with what it has, and the exit code is 130; another one leaves
    out the training of the best. Such a search, one that was killed and one whose time was up go
    on with --resume.
    """
    _check_usage(ctx, options)
    if options["show"] is not None:
        click.echo(quiet_import("kerasrecipes.runs.search_folder").summary(options["show"]))
        return
    result = _run(ctx, options)
    if options["quiet"] and result.folder is not None:
        click.echo(result.folder)
    if result.interrupted:
        ctx.exit(130)
    if not result.search.ranked:
        raise click.ClickException("no trial is completed; the warnings above say why.")


def _check_usage(ctx: click.Context, options: dict[str, Any]) -> None:
    given = [name for name in ("recipe", "resume", "show") if options[name] is not None]
    if len(given) != 1:
        raise click.UsageError(
            "Name a RECIPE to tune, or a search by --resume SEARCH or --show SEARCH."
        )
    if given == ["recipe"]:
        _recipe_files.find(options["recipe"])
        return
    allowed = _WITH_RESUME if given == ["resume"] else ("show",)
    typed = click.core.ParameterSource.COMMANDLINE
    others = [n for n in options if ctx.get_parameter_source(n) is typed and n not in allowed]
    if others:
        names = ", ".join(_flag(name) for name in others)
        end = "goes on with the search's own recipe" if given == ["resume"] else "changes nothing"
        raise click.UsageError(f"--{given[0]} {end}, without {names}.")


def _flag(name: str) -> str:
    return "--set" if name == "overrides" else f"--{name}"


def _run(ctx: click.Context, options: dict[str, Any]) -> Any:
    tuning = quiet_import("kerasrecipes.runs.tuning")
    given = {name: options[name] for name in _WITH_RESUME if name != "resume"}
    search = _launched.run_of_last_start() or options["resume"]
    if search is not None:
        return tuning.resume_tune(search, **given)
    more = {name: options[name] for name in ("method", "folds", "repeats", "overrides", "seed")}
    return tuning.tune(options["recipe"], out=options["out"] or "searches", **given, **more)
