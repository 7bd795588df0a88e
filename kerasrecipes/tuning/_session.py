"""A search in its folder: takes up what is there, and runs the trials."""

import contextlib
import time
from pathlib import Path
from typing import Any

import kerasrecipes
from kerasrecipes.tuning._ctrl_c import CtrlC
from kerasrecipes.tuning._display import Display
from kerasrecipes.tuning._engine import Engine
from kerasrecipes.tuning._here import Here
from kerasrecipes.tuning._hosts import Hosts, role, work
from kerasrecipes.tuning._json import write_json
from kerasrecipes.tuning._lock import locked
from kerasrecipes.tuning._processes import Processes
from kerasrecipes.tuning._records import SEARCH, Records
from kerasrecipes.tuning._trainer import Trainer
from kerasrecipes.tuning.search_result import SearchResult


def run(
    trainer: Trainer,
    oracle: Any,
    folder: Path | None,
    *,
    key: bytes,
    workers: int,
    isolate: bool,
    seconds: float,
    stop_after: int | None,
    quiet: bool,
) -> SearchResult:
    """Runs the trials of an oracle, but for those that have ended before.

    Args:
        trainer: Trains trials.
        oracle: Says what to try.
        folder: Of the search, or None for a worker of one over hosts, which trains what the chief
            says.
        key: What the processes of a search over hosts know.
        workers: Processes of this machine.
        isolate: Whether each task gets a process of its own.
        seconds: Time after which it ends, which may be infinite.
        stop_after: Trials without a better one after which it ends, or None.
        quiet: Whether to print nothing.

    Returns:
        What was found, without a model.
    """
    began, goal = time.monotonic(), oracle.objective
    if folder is None:
        found, ended = work(trainer, key), "the chief has ended it"
    else:
        with locked(folder):
            records = _open(trainer, oracle, folder)
            with (
                contextlib.closing(_workers(trainer, workers, isolate, key)) as group,
                Display(goal, oracle.max_trials, folder, quiet=quiet) as display,
                CtrlC() as ctrl_c,
            ):
                loop = Engine(
                    oracle,
                    group,
                    records,
                    at_once=trainer.population if trainer.shares else 1,
                    deadline=began + seconds,
                    stop_after=stop_after,
                    show=display.show,
                    check=ctrl_c.check,
                )
                ended = _until_interrupted(loop)
                group.tell(records.all)
                display.ended(ended)
            found = records.all
    return SearchResult(
        recipe=trainer.recipe.__name__,
        objective=goal.name,
        direction=goal.direction,
        records=tuple(found),
        space=trainer.space,
        folder=folder,
        seconds=time.monotonic() - began,
        validation_rows=trainer.validation_rows,
        ended=ended,
    )


def _open(trainer: Trainer, oracle: Any, folder: Path) -> Records:
    """Takes up what is in the folder, and writes what the search is into it."""
    oracle.open_project(folder.parent, folder.name)
    records = Records(folder, oracle.objective.direction)
    for trial_id in records.read(oracle.end_order):
        oracle.run_again(trial_id)
    about = {
        "recipe": trainer.space.recipe.__name__,
        "objective": oracle.objective.name,
        "direction": oracle.objective.direction,
        "space": trainer.space.to_dict(),
        "validation_rows": trainer.validation_rows,
        "version": kerasrecipes.__version__,
    }
    write_json(folder / SEARCH, about)
    return records


def _workers(trainer: Trainer, workers: int, isolate: bool, key: bytes) -> Any:
    if role() == "chief":
        return Hosts(key)
    if workers == 1 and not isolate:
        return Here(trainer)
    return Processes(trainer, workers=workers, isolate=isolate)


def _until_interrupted(loop: Engine) -> str:
    try:
        return loop.run()
    except KeyboardInterrupt:
        return "Ctrl-C"
