"""Several workers on this machine."""

from collections.abc import Sequence

from kerasrecipes import _launcher, _search_launcher
from kerasrecipes._checks import fail
from kerasrecipes._export import export
from kerasrecipes.distribute.cluster_error import ClusterError


@export("distribute", saved=False)
def launch(
    command: Sequence[str],
    *,
    workers: int,
    restarts: int = 0,
    timeout: float = 30.0,
    verbose: bool = False,
    tune: bool = False,
) -> None:
    """Runs a training, or a search, as several processes of this machine; returns at its end.

    Each worker gets TF_CONFIG with free ports, so that `strategy("auto")` finds the others, and
    its share of the GPUs if there is one for each, else of the cores. The chief's output is shown
    as it is, that of the others with `verbose` only, "[worker 1] " before each line.

    When a worker fails, is killed or freezes, the others are told to end (SIGTERM), and killed
    after five seconds. With `restarts` all start again, on other ports; a `Checkpoint` then goes on
    from its last save. Exit code 2, wrong usage or input, is no reason to try again.

    Ctrl-C and SIGTERM are passed on to all workers, which `Interrupt` ends at the same batch.
    Nothing that was started is left running, whatever happens.

    With `tune` the command is a search, and each worker trains other trials. One more process, the
    chief, hands them out; all have KerasTuner's variables (KERASTUNER_TUNER_ID, _ORACLE_IP and
    _ORACLE_PORT). A worker that fails leaves the others alone. With `restarts` it starts again, up
    to so many times, and so does the chief, which goes on with the search.

    Args:
        command: A command of kerasrecipes and its arguments, such as ["train", "digits-mlp"]; or
            a program, ["train.py", ...] or ["python", ...].
        workers: Number of workers, int >= 1.
        restarts: How often to start again at most, int >= 0. Defaults to 0.
        timeout: How long workers may take to end before they are killed, seconds > 0: after
            SIGTERM, and after Ctrl-C when the first of them has ended. Defaults to 30.
        verbose: Whether to show the output of all workers. Defaults to False.
        tune: Whether the command is a search, such as ["tune", "digits-mlp"]. Defaults to False.

    Raises:
        InputError: For a program that is not there, and other wrong arguments.
        ClusterError: When a worker has failed; names it, how it ended, and its last lines.
        KeyboardInterrupt: After Ctrl-C, when all workers have ended.
        SystemExit: After SIGTERM, when all workers have ended.

    Example:
    >>> launch(["python", "-c", "pass"], workers=2)
    >>> launch(["python", "-c", "raise SystemExit(3)"], workers=2)
    Traceback (most recent call last):
    kerasrecipes.distribute.cluster_error.ClusterError: ... ended with exit code 3.
    """
    if not isinstance(tune, bool):
        fail("tune", "True or False", tune)
    run = _search_launcher.run if tune else _launcher.run
    failure = run(command, workers=workers, restarts=restarts, timeout=timeout, verbose=verbose)
    if failure is not None:
        raise ClusterError(str(failure))
