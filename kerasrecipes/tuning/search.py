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
from kerasrecipes._checks import check_choice, check_int, fail
from kerasrecipes._export import export
from kerasrecipes._fingerprint import fingerprint
from kerasrecipes.targets.identify import get as get_target
from kerasrecipes.tuning._display import Display
from kerasrecipes.tuning._engine import Engine
from kerasrecipes.tuning._fold import Fold, Preprocessing, all_rows, make_folds
from kerasrecipes.tuning._gradient import Adapting, without_rates
from kerasrecipes.tuning._graph_runner import SETTINGS
from kerasrecipes.tuning._here import Here
from kerasrecipes.tuning._hosts import Hosts, key_of, role, work
from kerasrecipes.tuning._plain_loss import NAME
from kerasrecipes.tuning._plan import Plan, limits
from kerasrecipes.tuning._processes import Processes
from kerasrecipes.tuning._recipes import recipe_of
from kerasrecipes.tuning._records import SEARCH, Records, write_json
from kerasrecipes.tuning._refit import refit_model
from kerasrecipes.tuning._trainer import Trainer
from kerasrecipes.tuning.objective import objective
from kerasrecipes.tuning.oracles.identify import get as get_oracle
from kerasrecipes.tuning.pruning import SuccessiveHalving
from kerasrecipes.tuning.pruning import get as get_pruner
from kerasrecipes.tuning.search_result import SearchResult
from kerasrecipes.tuning.search_space import SearchSpace
from kerasrecipes.tuning.space import space as space_of
from kerasrecipes.tuning.trial_record import TrialRecord

_MANY, _STRUCTURES, _MOST_TOGETHER = 64, 8, 16


@export("tuning", saved=False)
def search(
    recipe: str | Callable[..., Any],
    input_shape: Sequence[int] | None,
    target: Any,
    data: tuple[Any, ...],
    *,
    space: SearchSpace | Mapping[str, Any] | None = None,
    method: Any = "random",
    engine: str = "keras_tuner",
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
            or a `keras_tuner.Oracle`; or "gradient", random trials that adapt their rate and
            decay while they train, by `callbacks.Hypergradient`, from the first guess on. Such
            runs are trained by `fit`. Defaults to "random".
        engine: "keras_tuner", or "optuna" to let a sampler of Optuna propose, see
            `oracles.Optuna`, in place of `method`. Defaults to "keras_tuner".
        trials: Trials after which it ends, int >= 1. Defaults to None: 30 if `seconds` is None
            too, else no limit.
        seconds: Time after which it ends, float > 0; trials that it cuts short count only if no
            other was completed. Defaults to None, no limit.
        validation: Share of the rows that trials are judged by, or (x, y) of its own. Defaults
            to 0.2.
        folds: Number of folds for cross-validation, int >= 2, in place of `validation`. Defaults
            to None.
        repeats: How often a trial is trained on each fold, with other seeds. Defaults to 1.
        metric: Log entry that decides, "val_" may be left out. Defaults to None, the one that the
            target names; where that is the loss, "val_plain_loss": the loss without label smoothing
            and weight penalties, which differ between trials.
        direction: "min" or "max", for a metric whose direction is not known.
        epochs: Most epochs of a run; schedules end there. Defaults to 100.
        patience: Epochs without improvement after which a run ends. Defaults to 10.
        batch_size: Rows in a batch, where the space has none. Defaults to 32.
        preprocessing: "auto" (normalises numbers, vectorises text, with statistics of each fold's
            training rows), None, or a function from training rows to a layer such as
            `kerasrecipes.data.normalization`.
        population: How many models share a graph at most; 0 trains all by `fit`. Defaults to 16.
        pruning: "median" or "successive_halving" or a pruner of `kerasrecipes.tuning.pruning`,
            which ends runs that do worse than those before them; with `folds` a trial also goes on
            to the next fold only if it is good enough. Defaults to None, nothing is pruned.
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
        **options: Further arguments of the method's oracle, such as `sampler` of Optuna; for
            "gradient" those of `Hypergradient`, such as `beta`, too.

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
    method, adapting = _method(method, engine), None
    if method == "gradient":
        adapting = Adapting.taking(options, callbacks)
        method, space, callbacks = "random", without_rates(space), adapting
    goal = _goal(metric, direction, target, function)
    plan = Plan.checked(
        epochs=epochs, patience=patience, batch_size=batch_size, repeats=repeats, seed=seed
    )
    trials, seconds = limits(trials, seconds, method)
    population = check_int("population", population, low=0)
    check_int("workers", workers, low=1)
    _check_shape(input_shape, data)
    if preprocessing == "auto" and not _takes(function, "preprocessing"):
        preprocessing = None
    parts = make_folds(
        data, target, folds=folds, validation=validation, preprocessing=preprocessing, seed=seed
    )
    trainer = Trainer(
        function,
        target,
        space,
        parts,
        plan,
        goal.name,
        goal.direction,
        population,
        keep_state=method == "hyperband" or hasattr(method, "max_epochs"),
        pruner=get_pruner(pruning, goal.direction),
        race=None if pruning is None else SuccessiveHalving(goal.direction),
        callbacks=callbacks,
        strategy=strategy,
    )
    oracle = get_oracle(
        method,
        objective=goal,
        hyperparameters=space.hyperparameters(),
        trials=trials,
        seed=seed,
        epochs=epochs,
        fingerprint=_fingerprint(function, target, data, parts, plan, adapting),
        together=_together(trials) if trainer.shares else 1,
        shared=_structural(space),
        first_guess=True,
        **options,
    )
    began = time.monotonic()
    key = key_of([_fingerprint(function, target, data, parts, plan, adapting), space.to_dict()])
    if role() == "worker":
        return _result(space, goal, parts, began, work(trainer, key), "the chief has ended it")
    folder = _folder(directory, function.__name__)
    records = _open(folder, oracle, space, parts)
    with (
        contextlib.closing(_workers(trainer, workers, isolate, key)) as group,
        Display(goal.name, goal.direction, trials, folder, quiet=quiet) as display,
    ):
        loop = Engine(
            oracle,
            group,
            records,
            at_once=population if trainer.shares else 1,
            deadline=began + seconds,
            stop_after=stop_after,
            show=display.show,
        )
        ended = _until_interrupted(loop)
        group.tell(records.all)
        display.ended(ended)
    result = _result(space, goal, parts, began, records.all, ended, folder)
    if not refit or not result.ranked:
        return result
    return refit_model(
        result, function, target, all_rows(data, validation), preprocessing, seed, adapting
    )


def _result(
    space: SearchSpace,
    goal: keras_tuner.Objective,
    parts: Sequence[Fold],
    began: float,
    records: Sequence[TrialRecord],
    ended: str,
    folder: Path | None = None,
) -> SearchResult:
    return SearchResult(
        recipe=space.recipe.__name__,
        objective=goal.name,
        direction=goal.direction,
        records=tuple(records),
        space=space,
        folder=folder,
        seconds=time.monotonic() - began,
        validation_rows=sum(len(fold.validation[1]) for fold in parts),
        ended=ended,
    )


def _until_interrupted(loop: Engine) -> str:
    try:
        return loop.run()
    except KeyboardInterrupt:
        return "Ctrl-C"


def _method(method: Any, engine: Any) -> Any:
    if check_choice("engine", engine, ("keras_tuner", "optuna")) == "keras_tuner":
        return method
    if method not in ("random", "optuna"):
        remedy = "Give `sampler` instead, such as sampler='GPSampler'."
        fail("method", "left out with engine='optuna'", method, remedy)
    return "optuna"


def _space(function: Any, target: Any, space: Any, trials: int | None) -> SearchSpace:
    if isinstance(space, SearchSpace):
        if space.recipe is not function:
            fail("space", f"a space of {function.__name__}", f"one of {space.recipe.__name__}")
        return space
    own = space_of(function, target)
    if space is not None:
        return own.edited(space)
    return own if trials is None else own.staged(trials)


def _goal(
    metric: str | None, direction: str | None, target: Any, function: Any
) -> keras_tuner.Objective:
    ours = function.__module__.startswith("kerasrecipes.")
    if metric is None and target.monitor == "val_loss" and ours:
        metric = f"val_{NAME}"
    known = ["loss", *(each.name for each in target.metrics())]
    name = target.monitor if metric is None else metric
    name = f"val_{name}" if name in known else name
    if direction is None and name == target.monitor:
        direction = target.direction
    return objective(name, direction)


def _together(trials: int | None) -> int:
    """Returns how many trials in a row try one structure: of few trials few, for some variety."""
    return max(1, min((trials or _MANY) // _STRUCTURES, _MOST_TOGETHER))


def _structural(space: SearchSpace) -> list[str]:
    """Returns the names of what models that share a graph have in common."""
    names = [hp.name for hp in space.hyperparameters().space]
    return [name for name in names if name == "l2/kind" or not _is_setting(space, name)]


def _is_setting(space: SearchSpace, name: str) -> bool:
    name = name.removesuffix("/kind")
    argument = space.parameters[name].argument or name
    return argument.split(".")[0] in SETTINGS or argument == "optimizer.momentum"


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
    function: Any,
    target: Any,
    data: Any,
    parts: Sequence[Fold],
    plan: Plan,
    adapting: Adapting | None,
) -> dict[str, Any]:
    """Returns what scores depend on besides the oracle's own part of it."""
    return {
        "recipe": function.__name__,
        "target": repr(target),
        "data": fingerprint(data[0], data[1]),
        "folds": [[fold.rows, len(fold.validation[1])] for fold in parts],
        "fit": dataclasses.asdict(plan),
        **({} if adapting is None else adapting.fingerprint),
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


def _workers(trainer: Trainer, workers: Any, isolate: Any, key: bytes) -> Any:
    if role() == "chief":
        return Hosts(key)
    if workers == 1 and not isolate:
        return Here(trainer)
    return Processes(trainer, workers=workers, isolate=isolate)
