"""search."""

import datetime
import inspect
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import keras_tuner

from kerasrecipes._checks import check_choice, check_int, did_you_mean, fail
from kerasrecipes._export import export
from kerasrecipes.recipes._call import first_argument, takes_backbone
from kerasrecipes.targets.identify import get as get_target
from kerasrecipes.tuning._arguments import check_callbacks
from kerasrecipes.tuning._fold import Preprocessing, all_rows, make_folds
from kerasrecipes.tuning._gradient import Adapting, without_rates
from kerasrecipes.tuning._graph_runner import SETTINGS
from kerasrecipes.tuning._hosts import key_of, role
from kerasrecipes.tuning._identity import identity
from kerasrecipes.tuning._own import own
from kerasrecipes.tuning._plain_loss import NAME
from kerasrecipes.tuning._plan import Plan, limits
from kerasrecipes.tuning._recipes import is_ours, recipe_of, takes_table
from kerasrecipes.tuning._refit import refit_model
from kerasrecipes.tuning._refused import check_values
from kerasrecipes.tuning._session import run
from kerasrecipes.tuning._tables import check_tables, with_frame
from kerasrecipes.tuning._trainer import Trainer
from kerasrecipes.tuning.objective import objective
from kerasrecipes.tuning.oracles.identify import get as get_oracle
from kerasrecipes.tuning.pruning import SuccessiveHalving
from kerasrecipes.tuning.pruning import get as get_pruner
from kerasrecipes.tuning.search_result import SearchResult
from kerasrecipes.tuning.search_space import SearchSpace
from kerasrecipes.tuning.space import space as space_of

_STRUCTURES, _MOST_TOGETHER = 8, 16
_FIRST = ("input_shape", "texts", "table", "backbone")
_OPEN = ("epochs", "patience", "batch_size")


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
    epochs: int | None = None,
    patience: int | None = None,
    batch_size: int | None = None,
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
            returns a compiled model, with a `space`. If it calls what it takes first `table`, it
            gets the rows of a table, and if `texts`, texts.
        input_shape: Shape of one row, or None for that of the data; None for tables.
        target: A target, its name, or a dict; see `kerasrecipes.targets.get`. For tables numbers
            are standardised by the training labels of each fold, if it has seen no labels.
        data: (x, y) or (x, y, sample_weight), arrays. For tables x is a DataFrame, a dict of
            columns or a matrix, with gaps and categories; such trials are trained by `fit`.
        space: What to search: a `SearchSpace`, or changes of the recipe's own, see
            `SearchSpace.edited`. Defaults to None, the recipe's own: with less than 30 trials only
            its most important part, see `SearchSpace.staged`.
        method: "random", "grid", "quasi_random", "bayesian", "hyperband", "evolution" or "zoom",
            or an oracle of `kerasrecipes.tuning.oracles` for this objective and space, with its
            own number of trials; or "gradient", random trials that adapt their rate and decay
            while they train, by `callbacks.Hypergradient`, from the first guess on. Such runs
            are trained by `fit`. Defaults to "random".
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
        epochs: Most epochs of a run; schedules end there. Defaults to None: 100; of `tabular` what
            its form is made for, of "hyperband" that of the first guess.
        patience: Epochs without improvement after which a run ends. Defaults to None: 10; of
            `tabular` 16 for "tabm" and none for "auto" and "realmlp", whose rate has a schedule.
        batch_size: Rows in a batch, where the space has none. Defaults to None: 32; of `tabular`
            what its form is made for.
        preprocessing: "auto" (normalises numbers, vectorises text, with statistics of each fold's
            training rows), None, or a function from training rows to a layer such as
            `kerasrecipes.data.normalization`. Not for tables, whose recipe does it.
        population: How many models share a graph at most; 0 trains all by `fit`. Defaults to 16.
        pruning: "median" or "successive_halving" or a pruner of `kerasrecipes.tuning.pruning`,
            which ends runs that do worse than those before them, but for the first guess, by which
            the others are measured; with `folds` a trial also goes on to the next fold only if it
            is good enough. Defaults to None, nothing is pruned.
        stop_after: Ends after so many trials without a better one. Defaults to None, never.
        refit: Whether to train the best recipe on all rows at the end, validation included, for
            `SearchResult.model`; a constant rate then falls to zero in `patience` epochs more.
            Defaults to True.
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
        InputError: For wrong arguments and values that the recipe refuses, before training; for a
            folder of another search, with what differs; and for one that another process has.

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
    table = _takes_table(function, input_shape)
    if table:
        data, validation = with_frame(data), with_frame(validation)
    space = _space(function, target, space, trials)
    method, adapting = _method(method, engine), None
    check_callbacks(callbacks)
    if method == "gradient":
        adapting = Adapting.taking(options, callbacks)
        method, space, callbacks = "random", without_rates(space), adapting
    goal = _goal(metric, direction, target, function)
    plan = Plan.checked(
        epochs=epochs, patience=patience, batch_size=batch_size, repeats=repeats, seed=seed
    )
    trials, seconds = limits(trials, seconds, method)
    if stop_after is not None:
        check_int("stop_after", stop_after, low=1)
    population = check_int("population", population, low=0)
    check_int("workers", workers, low=1)
    preprocessing = _preprocessing(function, preprocessing)
    parts = make_folds(
        data,
        target,
        folds=folds,
        validation=validation,
        preprocessing=preprocessing,
        seed=seed,
        table=table,
    )
    _check_shape(input_shape, data[0])
    guess, _ = space.arguments({})
    _check_backbone(function, guess)
    if table and is_ours(function):
        check_tables(parts, guess)
    promotes = method == "hyperband" or hasattr(method, "max_epochs")
    first = own(function, guess, parts[0].rows, target)
    plan = plan.filled(first, _OPEN if not table else _OPEN[:1] if promotes else ())
    trainer = Trainer(
        function,
        target,
        space,
        parts,
        plan,
        goal.name,
        goal.direction,
        population,
        keep_state=promotes,
        pruner=get_pruner(pruning, goal.direction),
        race=None if pruning is None else SuccessiveHalving(goal.direction, min_epochs=1),
        callbacks=callbacks,
        strategy=strategy,
        is_prepared=preprocessing is not None,
    )
    check_values(trainer)
    about = identity(trainer, data, validation, preprocessing, adapting)
    oracle = get_oracle(
        method,
        objective=goal,
        hyperparameters=space.hyperparameters(),
        trials=trials,
        seed=seed,
        epochs=plan.epochs or first.epochs,
        fingerprint=about,
        together=_together(trials) if trainer.shares else 1,
        shared=_structural(space),
        first_guess=True,
        **options,
    )
    folder = None if role() == "worker" else _folder(directory, function.__name__)
    result = run(
        trainer,
        oracle,
        folder,
        key=key_of([about, space.to_dict()]),
        workers=workers,
        isolate=isolate,
        seconds=seconds,
        stop_after=stop_after,
        quiet=quiet,
    )
    if folder is None or not refit or not result.ranked:
        return result
    return refit_model(
        result,
        function,
        target,
        all_rows(data, validation, table=table),
        preprocessing,
        seed=plan.seed,
        patience=plan.patience,
        trained_on=parts[0].rows,
        adapting=adapting,
    )


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
    ours = is_ours(function)
    if metric is None and target.monitor == "val_loss" and ours:
        metric = f"val_{NAME}"
    known = ["loss", NAME, *(each.name for each in target.metrics())]
    name = target.monitor if metric is None else metric
    name = f"val_{name}" if name in known else name
    right = target.direction if name == target.monitor else None
    goal = objective(name, direction or right)
    if not ours:
        return goal
    if name not in (there := [f"val_{each}" for each in known]):
        fail("metric", f"one of {', '.join(there)}", metric, did_you_mean(name, there))
    right = objective(name, right).direction
    if goal.direction != right:
        fail("direction", f'"{right}" for {name}, or left out', direction)
    return goal


def _together(trials: int | None) -> int:
    """Returns how many trials in a row try one structure: of few trials few, for some variety."""
    if trials is None:
        return _MOST_TOGETHER
    return max(1, min(trials // _STRUCTURES, _MOST_TOGETHER))


def _structural(space: SearchSpace) -> list[str]:
    """Returns the names of what models that share a graph have in common."""
    names = [hp.name for hp in space.hyperparameters().space]
    return [name for name in names if name == "l2/kind" or not _is_setting(space, name)]


def _is_setting(space: SearchSpace, name: str) -> bool:
    name = name.removesuffix("/kind")
    argument = space.parameters[name].argument or name
    return argument.split(".")[0] in SETTINGS or argument == "optimizer.momentum"


def _takes_table(function: Any, input_shape: Any) -> bool:
    """Returns whether a recipe takes tables; one that takes no rows at all is refused."""
    first = first_argument(function)
    if is_ours(function) and first not in _FIRST:
        name = function.__name__
        remedy = (
            f"Search a function of your own, `(input_shape, target, *, ...)`, that calls {name}, "
            f"with a SearchSpace of it and of the parameters that tuning.space({name!r}) has."
        )
        fail("recipe", f"one that takes the shape of a row, not `{first}`", name, remedy)
    table = takes_table(function)
    if table and input_shape is not None:
        fail("input_shape", f"None for {function.__name__}, which takes tables", input_shape)
    return table


def _preprocessing(function: Any, preprocessing: Any) -> Any:
    if takes_table(function) and preprocessing not in ("auto", None):
        fail("preprocessing", f"left out for {function.__name__}, which does it", preprocessing)
    if preprocessing == "auto" and "preprocessing" not in inspect.signature(function).parameters:
        return None
    prepared = takes_table(function) or takes_backbone(function)
    return None if prepared and preprocessing == "auto" else preprocessing


def _check_backbone(function: Any, guess: Mapping[str, Any]) -> None:
    """Refuses a search of a recipe that takes a trained network, without one."""
    backbone = guess.get("backbone")
    if takes_backbone(function) and not isinstance(backbone, str):
        remedy = 'Fix it in the space: tuning.space("fine_tune").fix(backbone="trained.keras").'
        fail("backbone", "a name or a path, from which each trial begins", backbone, remedy)


def _check_shape(input_shape: Any, x: Any) -> None:
    shape = tuple(getattr(x, "shape", ()))[1:]
    if input_shape is not None and shape and tuple(input_shape) != shape:
        fail("input_shape", f"{shape}, the shape of a row of the data", input_shape)


def _folder(directory: Any, name: str) -> Path:
    if directory is not None:
        return Path(directory).expanduser().resolve()
    return (Path("searches") / name / f"{datetime.datetime.now():%Y%m%d-%H%M%S}").resolve()
