"""What every recipe does around its layers: record itself, build in the scope, compile."""

import contextlib
import functools
import inspect
import numbers
from collections.abc import Callable
from typing import Any, TypeVar

import keras

from kerasrecipes import optimizers, schedules
from kerasrecipes._checks import InputError, check_int, check_number, fail
from kerasrecipes._export import export
from kerasrecipes.distribute.adapt import adapt_strategy_in_scope
from kerasrecipes.distribute.strategy import strategy as get_strategy
from kerasrecipes.optimizers.identify import WRAPPED
from kerasrecipes.recipes.recipe_model import RecipeCall, RecipeModel
from kerasrecipes.targets.identify import get as get_target

F = TypeVar("F", bound=Callable[..., Any])


def recipe(function: F) -> F:
    """Makes a function a recipe: registers it, builds in the strategy's scope, records its call.

    The function takes `input_shape`, `target` and keyword arguments, `strategy` among them, and
    returns a compiled `RecipeModel`. Arguments that it has put into `model.recipe` itself are
    recorded as they are there.
    """
    signature = inspect.signature(function)

    @functools.wraps(function)
    def build(*args: Any, **kwargs: Any) -> RecipeModel:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        bound.arguments["target"] = get_target(bound.arguments["target"])
        if bound.arguments["seed"] is not None:
            check_int("seed", bound.arguments["seed"])
        bound.arguments["strategy"] = _strategy(bound.arguments["strategy"])
        with _scope(bound.arguments["strategy"]):
            model = function(*bound.args, **bound.kwargs)
        recorded = {k: v for k, v in bound.arguments.items() if k not in ("strategy", "fast")}
        if model.recipe is not None:
            recorded.update(model.recipe.arguments)
        model.recipe = RecipeCall(function.__name__, recorded)
        return model

    return export("recipes", saved=False)(build)  # type: ignore[return-value]


def compile_model(
    inputs: Any,
    outputs: Any,
    target: Any,
    *,
    name: str | None,
    optimizer: Any,
    learning_rate: float | None,
    schedule: Any,
    clip_norm: float | str | None,
    weight_decay: float | None,
    label_smoothing: float,
    own_rate: float | None = None,
    rate_multipliers: dict[str, float] | None = None,
    fast: bool | str = "auto",
    kind: type[RecipeModel] = RecipeModel,
) -> RecipeModel:
    """Returns the compiled model of class `kind`; see `mlp` for the other arguments.

    `own_rate` is the recipe's rate for "adamw", where the caller gives none; `rate_multipliers` are
    for an optimizer that is described.
    """
    _check_rates(learning_rate, clip_norm, weight_decay, label_smoothing)
    model = kind(inputs, outputs, name=name)
    model.fast = fast
    if learning_rate is None and optimizer == "adamw" and not _is_finished(schedule):
        learning_rate = own_rate
    if rate_multipliers and isinstance(optimizer, (str, dict)):
        described = {"name": optimizer} if isinstance(optimizer, str) else optimizer
        optimizer = {"rate_multipliers": rate_multipliers, **described}
    made = _optimizer(optimizer, learning_rate, schedule, clip_norm, weight_decay)
    model.compile(
        optimizer=made,
        loss=target.loss(label_smoothing=label_smoothing),
        metrics=target.metrics(),
    )
    model.optimizer.build(model.trainable_variables)
    return model


CLIP_NORM = 1.0
_CLIPPING = ("clipvalue", "clipnorm", "global_clipnorm", "adaptive_clip")


def _optimizer(
    optimizer: Any,
    learning_rate: float | None,
    schedule: Any,
    clip_norm: float | str | None,
    weight_decay: float | None,
) -> keras.optimizers.Optimizer:
    if _is_finished(schedule) and learning_rate is not None:
        raise InputError(
            f"`schedule` is a finished {type(schedule).__name__}, which has its own rate. Leave "
            "`learning_rate` out, or name the schedule by a string."
        )
    if isinstance(optimizer, keras.optimizers.Optimizer):
        _refuse_arguments(optimizer, learning_rate, schedule, clip_norm, weight_decay)
        return optimizer
    if _clips(optimizer):
        if clip_norm not in (None, CLIP_NORM):
            raise InputError("`clip_norm` must be left out when `optimizer` sets its own clipping.")
        clip_norm = None
    arguments = {"weight_decay": weight_decay, "global_clipnorm": clip_norm}
    made = optimizers.get(optimizer, learning_rate=learning_rate, **arguments)
    if schedule in (None, "constant"):
        return made
    rate = float(keras.ops.convert_to_numpy(made.learning_rate))
    made.learning_rate = schedules.get(schedule, rate)
    return made


def _is_finished(schedule: Any) -> bool:
    return isinstance(schedule, keras.optimizers.schedules.LearningRateSchedule)


def _clips(optimizer: Any) -> bool:
    """Returns whether an optimizer's description, or that of the one it wraps, sets clipping."""
    if not isinstance(optimizer, dict):
        return False
    inner = optimizer.get(WRAPPED)
    return any(kind in optimizer for kind in _CLIPPING) or _clips(inner)


def _refuse_arguments(
    optimizer: Any, learning_rate: Any, schedule: Any, clip_norm: Any, weight_decay: Any
) -> None:
    given = {
        "learning_rate": learning_rate,
        "schedule": None if schedule == "constant" else schedule,
        "clip_norm": None if clip_norm == CLIP_NORM else clip_norm,
        "weight_decay": weight_decay,
    }
    given = [f"`{name}`" for name, value in given.items() if value is not None]
    if given:
        raise InputError(
            f"`optimizer` is a finished {type(optimizer).__name__}, which has settings of its "
            f"own. Leave {', '.join(given)} out, or name the optimizer by a string."
        )


def _check_rates(
    learning_rate: float | None,
    clip_norm: float | str | None,
    weight_decay: float | None,
    label_smoothing: float,
) -> None:
    if learning_rate is not None:
        check_number("learning_rate", learning_rate, low=0.0, open_low=True)
    if clip_norm is not None and clip_norm != "auto":
        check_number("clip_norm", clip_norm, low=0.0, open_low=True)
    if weight_decay is not None:
        check_number("weight_decay", weight_decay, low=0.0)
    check_number("label_smoothing", label_smoothing, low=0.0, high=1.0, open_high=True)


def check_input_shape(input_shape: Any) -> tuple[int, ...]:
    """Returns the shape of one example, without the batch, as a tuple."""
    if isinstance(input_shape, numbers.Integral) and not isinstance(input_shape, bool):
        input_shape = (input_shape,)
    remedy = "Give the shape of one example without the batch, such as (64,) or (28, 28, 1)."
    if not isinstance(input_shape, (tuple, list)):
        fail("input_shape", "a tuple of integers >= 1", input_shape, remedy)
    return tuple(check_int("input_shape", size, low=1, remedy=remedy) for size in input_shape)


def replicas(strategy: Any) -> int:
    """Returns the number of replicas that train in step."""
    return 1 if strategy is None else strategy.num_replicas_in_sync


def _strategy(strategy: Any) -> Any:
    """Returns the strategy that a recipe was given, else the one whose scope this is, or None."""
    if strategy is None:
        return adapt_strategy_in_scope()
    return get_strategy(strategy, verbose=isinstance(strategy, str))


def _scope(strategy: Any) -> contextlib.AbstractContextManager[Any]:
    return contextlib.nullcontext() if strategy is None else strategy.scope()
