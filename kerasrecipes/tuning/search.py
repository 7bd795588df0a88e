"""search."""

import contextlib
import dataclasses
import datetime
import inspect
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import keras_tuner

import kerasrecipes
from kerasrecipes._checks import check_int, fail
from kerasrecipes._export import export
from kerasrecipes._fingerprint import fingerprint
from kerasrecipes.targets.identify import get as get_target
from kerasrecipes.tuning._display import Display
from kerasrecipes.tuning._engine import Engine
from kerasrecipes.tuning._fold import Fold, Preprocessing, make_folds
from kerasrecipes.tuning._here import Here
from kerasrecipes.tuning._plan import Plan, limits
from kerasrecipes.tuning._processes import Processes
from kerasrecipes.tuning._recipes import recipe_of
from kerasrecipes.tuning._records import SEARCH, Records, write_json
from kerasrecipes.tuning._refit import refit_model
from kerasrecipes.tuning._trainer import Trainer
from kerasrecipes.tuning.objective import objective
from kerasrecipes.tuning.oracles.hyperband import Hyperband
from kerasrecipes.tuning.oracles.identify import get as get_oracle
from kerasrecipes.tuning.search_result import SearchResult
from kerasrecipes.tuning.search_space import SearchSpace
from kerasrecipes.tuning.space import space as space_of


@export("tuning", saved=False)
def search(
    recipe: str | Callable[..., Any],
    input_shape: Sequence[int] | None,
    target: Any,
    data: tuple[Any, ...],
    *,
    space: SearchSpace | Mapping[str, Any] | None = None,
    method: Any = "random",
    trials: int | None = None,
    seconds: float | None = None,
    validation: Any = 0.2,
    folds: int | None = None,
    repeats: int = 1,
    metric: str | None = None,
    direction: str | None = None,
    epochs: int = 100,
    patience: int = 10,
    batch_size: int = 32,
    preprocessing: Preprocessing = "auto",
    population: int = 16,
    pruning: Any = None,
    stop_after: int | None = None,
    refit: bool = True,
    callbacks: Callable[[], Sequence[keras.callbacks.Callback]] | None = None,
    strategy: Any = None,
    workers: int = 1,
    isolate: bool = False,
    directory: str | Path | None = None,
    seed: int = 0,
    quiet: bool = False,
    **options: Any,
) -> SearchResult:
    """Searches for the hyperparameters of a recipe that do best on rows it does not train on.

    Trials whose models have the same structure (layers, activation, optimizer) train side by side
    in one graph, as many as `population`, each with the weights and scores that `fit` would give it
    alone; models that cannot share a graph are trained by `fit`, one after the other. A folder that
    holds a search goes on with it, also after it was killed. Ctrl-C ends a search with what it has.

    Args:
        recipe: Recipe function or its name; or any function `(input_shape, target, *, ...)` that
            returns a compiled model, with a `space`.
        input_shape: Shape of one row, or None for that of the data.
        target: A target, its name, or a dict; see `kerasrecipes.targets.get`.
        data: (x, y) or (x, y, sample_weight), arrays.
        space: What to search: a `SearchSpace`, or changes of the recipe's own, see
            `SearchSpace.edited`. Defaults to None, the recipe's own: with less than 30 trials only
            its most important part, see `SearchSpace.staged`.
        method: "random", "grid", "quasi_random", "bayesian", "hyperband", "evolution" or "zoom",
            or a `keras_tuner.Oracle`. Defaults to "random".
        trials: Trials after which it ends, int >= 1. Defaults to None: 30 if `seconds` is None
            too, else no limit.
        seconds: Time after which it ends, float > 0; the first trials are always completed.
            Defaults to None, no limit.
        validation: Share of the rows that trials are judged by, or (x, y) of its own. Defaults
            to 0.2.
        folds: Number of folds for cross-validation, int >= 2, in place of `validation`. Defaults
            to None.
        repeats: How often a trial is trained on each fold, with other seeds. Defaults to 1.
        metric: Log entry that decides, "val_" may be left out. Defaults to None, the one that the
            target names.
        direction: "min" or "max", for a metric whose direction is not known.
        epochs: Most epochs of a run; schedules end there. Defaults to 100.
        patience: Epochs without improvement after which a run ends. Defaults to 10.
        batch_size: Rows in a batch, where the space has none. Defaults to 32.
        preprocessing: "auto" (normalises numbers, vectorises text, with statistics of each fold's
            training rows), None, or a function from training rows to a layer such as
            `kerasrecipes.data.normalization`.
        population: How many models share a graph at most; 0 trains all by `fit`. Defaults to 16.
        pruning: A pruner of `kerasrecipes.tuning.pruning`, or None. Defaults to None.
        stop_after: Ends after so many trials without a better one. Defaults to None, never.
        refit: Whether to train the best recipe on all rows at the end, validation included, for
            `SearchResult.model`. Defaults to True.
        callbacks: Function that makes more callbacks for each run. Such runs are trained by `fit`.
        strategy: As for recipes; such runs are trained by `fit`.
        workers: How many processes of this machine train trials, each with its share of the cores.
            Defaults to 1, this process.
        isolate: Whether trials are trained in processes of their own, which give back all memory
            and may be killed. Defaults to False.
        directory: Folder of the search; one that holds this search goes on. Defaults to None,
            "searches/<recipe>/<date>-<time>".
        seed: Int >= 0, for all that is random. Defaults to 0.
        quiet: Whether to print nothing. Defaults to False.
        **options: Further arguments of the method's oracle.

    Returns:
        The trials, the best one and its model.

    Raises:
        InputError: For wrong arguments, before training; and for a folder of another search, with
            what differs.

    Example:
    >>> import tempfile, numpy as np, kerasrecipes as kr
    >>> x = np.random.default_rng(0).normal(size=(64, 3))
    >>> result = search(
    ...     "mlp", (3,), kr.targets.Binary(), (x, (x[:, 0] > 0).astype(int)),
    ...     space={"hidden": [[4], [8]]}, trials=2, epochs=2, directory=tempfile.mkdtemp(),
    ...     quiet=True,
    ... )
    >>> len(result.records), result.model.predict(x, verbose=0).shape
    (2, (64, 1))
    """
    function, target = recipe_of(recipe), get_target(target)
    space = _space(function, target, space, trials)
    goal = _goal(metric, direction, target)
    plan = Plan.checked(
        epochs=epochs, patience=patience, batch_size=batch_size, repeats=repeats, seed=seed
    )
    trials, seconds = limits(trials, seconds, method)
    population = check_int("population", population, low=0)
    _check_shape(input_shape, data)
    if preprocessing == "auto" and not _takes(function, "preprocessing"):
        preprocessing = None
    parts = make_folds(
        data, target, folds=folds, validation=validation, preprocessing=preprocessing, seed=seed
    )
    oracle = get_oracle(
        method,
        objective=goal,
        hyperparameters=space.hyperparameters(),
        trials=trials,
        seed=seed,
        epochs=epochs,
        fingerprint=_fingerprint(function, target, data, parts, plan),
        **options,
    )
    folder = _folder(directory, function.__name__)
    records = _open(folder, oracle, space, parts)
    trainer = Trainer(
        function,
        target,
        space,
        parts,
        plan,
        goal.name,
        goal.direction,
        population,
        keep_state=isinstance(oracle, Hyperband),
        pruner=pruning,
        callbacks=callbacks,
        strategy=strategy,
    )
    began = time.monotonic()
    with (
        contextlib.closing(_workers(trainer, workers, isolate)) as group,
        Display(goal.name, goal.direction, trials, folder, quiet=quiet) as display,
    ):
        engine = Engine(
            oracle,
            group,
            records,
            at_once=population if trainer.shares else 1,
            deadline=began + seconds,
            stop_after=stop_after,
            show=display.show,
        )
        display.ended(_until_interrupted(engine))
    result = SearchResult(
        recipe=function.__name__,
        objective=goal.name,
        direction=goal.direction,
        records=records.all,
        space=space,
        folder=folder,
        seconds=time.monotonic() - began,
        validation_rows=sum(len(fold.validation[1]) for fold in parts),
    )
    if not refit or not result.ranked:
        return result
    return refit_model(result, function, target, data, preprocessing, seed)


def _until_interrupted(engine: Engine) -> str:
    try:
        return engine.run()
    except KeyboardInterrupt:
        return "Ctrl-C"


def _space(function: Any, target: Any, space: Any, trials: int | None) -> SearchSpace:
    if isinstance(space, SearchSpace):
        if space.recipe is not function:
            fail("space", f"a space of {function.__name__}", f"one of {space.recipe.__name__}")
        return space
    own = space_of(function, target)
    if space is not None:
        return own.edited(space)
    return own if trials is None else own.staged(trials)


def _goal(metric: str | None, direction: str | None, target: Any) -> keras_tuner.Objective:
    known = ["loss", *(each.name for each in target.metrics())]
    name = target.monitor if metric is None else metric
    name = f"val_{name}" if name in known else name
    if direction is None and name == target.monitor:
        direction = target.direction
    return objective(name, direction)


def _takes(function: Any, argument: str) -> bool:
    return argument in inspect.signature(function).parameters


def _check_shape(input_shape: Any, data: Any) -> None:
    shape = tuple(getattr(data[0], "shape", ()))[1:]
    if input_shape is not None and shape and tuple(input_shape) != shape:
        fail("input_shape", f"{shape}, the shape of a row of the data", input_shape)


def _folder(directory: Any, name: str) -> Path:
    if directory is not None:
        return Path(directory).expanduser().resolve()
    return (Path("searches") / name / f"{datetime.datetime.now():%Y%m%d-%H%M%S}").resolve()


def _fingerprint(
    function: Any, target: Any, data: Any, parts: Sequence[Fold], plan: Plan
) -> dict[str, Any]:
    """Returns what scores depend on besides the oracle's own part of it."""
    return {
        "recipe": function.__name__,
        "target": repr(target),
        "data": fingerprint(data[0], data[1]),
        "folds": [[fold.rows, len(fold.validation[1])] for fold in parts],
        "fit": dataclasses.asdict(plan),
    }


def _open(folder: Path, oracle: Any, space: SearchSpace, parts: Sequence[Fold]) -> Records:
    """Takes up what is in the folder, and writes what the search is into it."""
    oracle.open_project(folder.parent, folder.name)
    records = Records(folder, oracle.objective.direction)
    records.read(oracle.end_order)
    about = {
        "recipe": space.recipe.__name__,
        "objective": oracle.objective.name,
        "direction": oracle.objective.direction,
        "space": space.to_dict(),
        "validation_rows": sum(len(fold.validation[1]) for fold in parts),
        "version": kerasrecipes.__version__,
    }
    write_json(folder / SEARCH, about)
    return records


def _workers(trainer: Trainer, workers: Any, isolate: Any) -> Any:
    check_int("workers", workers, low=1)
    if workers == 1 and not isolate:
        return Here(trainer)
    return Processes(trainer, workers=workers, isolate=isolate)
