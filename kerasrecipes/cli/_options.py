"""Options that several commands take."""

import click

RECIPE = click.argument("recipe", metavar="RECIPE")
RUN = click.argument("run", metavar="RUN", type=click.Path())
RUNS = click.argument("runs", metavar="RUN...", nargs=-1, required=True, type=click.Path())
OVERRIDES = click.option(
    "--set",
    "overrides",
    metavar="KEY=VALUE",
    multiple=True,
    help="Set a key of the recipe, such as model.hidden=[64,64]; the value is TOML. Repeatable.",
)
