"""The `kerasrecipes` command."""

from typing import Any

import click

import kerasrecipes
from kerasrecipes._checks import InputError
from kerasrecipes.cli.check import check
from kerasrecipes.cli.copy import copy
from kerasrecipes.cli.diagnose import diagnose
from kerasrecipes.cli.doctor import doctor
from kerasrecipes.cli.evaluate import evaluate
from kerasrecipes.cli.export import export
from kerasrecipes.cli.find_lr import find_lr
from kerasrecipes.cli.fit import fit
from kerasrecipes.cli.launch import launch
from kerasrecipes.cli.list import list_recipes
from kerasrecipes.cli.predict import predict
from kerasrecipes.cli.report import report
from kerasrecipes.cli.show import show
from kerasrecipes.cli.train import train
from kerasrecipes.cli.tune import tune
from kerasrecipes.cli.validate import validate

INTERRUPTED = 130

_EXIT_CODES = """
\b
Exit codes:
  0    done
  1    something failed on the way (a full disk, a diverged training, a bug)
  2    wrong usage or input: the command, the recipe file or the data
  130  interrupted by Ctrl-C; what had been trained, or found, is saved
  143  terminated (SIGTERM); the run goes on with `train --resume`
"""


class _WrongInput(click.ClickException):
    exit_code = 2


class _Commands(click.Group):
    """Turns errors into messages and exit codes; only a bug shows a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except InputError as error:
            raise _WrongInput(str(error)) from error
        except OSError as error:
            raise click.ClickException(str(error)) from error
        except KeyboardInterrupt:
            click.echo("Interrupted.", err=True)
            ctx.exit(INTERRUPTED)


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=_EXIT_CODES,
)
@click.version_option(kerasrecipes.__version__, prog_name="kerasrecipes")
def main() -> None:
    """Train Keras models from recipe files.

    A recipe file names the data, the model and how to train it. `kerasrecipes train digits-mlp`
    trains one that comes with the package; copy one to change it, or write your own.
    """


for _command in (
    fit,
    train,
    find_lr,
    tune,
    launch,
    list_recipes,
    show,
    copy,
    validate,
    check,
    evaluate,
    predict,
    export,
    diagnose,
    report,
    doctor,
):
    main.add_command(_command)
