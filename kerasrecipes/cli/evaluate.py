"""`kerasrecipes evaluate`."""

import click

from kerasrecipes.cli import _options
from kerasrecipes.cli._quiet_import import quiet_import


@click.command()
@_options.RUN
def evaluate(run: str) -> None:
    """Compute the test metrics of a run again, and compare.

    RUN is a run folder. The saved model is evaluated on the recipe's data and split. If the data
    have changed the exit code is 2; if the metrics are not those that the run recorded, 1.
    """
    evaluation = quiet_import("kerasrecipes.runs.evaluation")
    display = quiet_import("kerasrecipes.runs._display")
    found = evaluation.evaluate(run)
    console = display.new_console()
    display.results(console, {"recorded": found.recorded, "now": found.test})
    if found.differences:
        names = ", ".join(found.differences)
        raise click.ClickException(f"not what the run recorded: {names}.")
    console.print("The same as recorded.")
