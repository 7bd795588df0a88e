"""`kerasrecipes launch`."""

import click

from kerasrecipes import _launcher, _search_launcher

_EXAMPLES = """
\b
Examples:
  kerasrecipes launch --workers 2 -- train digits-mlp --set fit.epochs=5
  kerasrecipes launch --workers 4 --restarts 3 -- train.py --epochs 20
  kerasrecipes launch --tune --workers 4 -- tune digits-mlp --seconds 600
"""


@click.command(epilog=_EXAMPLES, context_settings={"allow_interspersed_args": False})
@click.option("--workers", type=click.IntRange(min=1), required=True, help="Number of processes.")
@click.option(
    "--restarts",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="How often all start again when one fails; a Checkpoint goes on from its last save.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    help="How long workers may take to end after SIGTERM or Ctrl-C before they are killed.",
)
@click.option(
    "--verbose", is_flag=True, help="Show the output of all workers, not only the chief's."
)
@click.option(
    "--tune",
    is_flag=True,
    help="ARGS are a search, whose trials the workers share; one more process hands them out.",
)
@click.argument("command", metavar="-- ARGS...", nargs=-1, required=True, type=click.UNPROCESSED)
def launch(
    command: tuple[str, ...],
    workers: int,
    restarts: int,
    timeout: float,
    verbose: bool,
    tune: bool,
) -> None:
    """Run a training, or a search, as several workers of this machine.

    ARGS are those of `kerasrecipes`, such as `train digits-mlp`, or a program: `train.py ...` or
    `python ...`. Each worker has TF_CONFIG, free ports, and its share of the GPUs or cores; with
    --tune it has KerasTuner's variables in place of TF_CONFIG, and one that fails leaves the
    others alone.

    In a training, when one worker fails, is killed or freezes, all are ended, and started again
    with --restarts. Ctrl-C and SIGTERM end all workers at the same batch, and leave none
    running.
    """
    run = _search_launcher.run if tune else _launcher.run
    failure = run(
        list(command), workers=workers, restarts=restarts, timeout=timeout, verbose=verbose
    )
    if failure is not None:
        error = click.ClickException(failure.news())
        error.exit_code = failure.exit_code  # pyright: ignore[reportAttributeAccessIssue]
        raise error
