"""What the settings that Keras optimizers share can be."""

import inspect
from typing import Any

from kerasrecipes._checks import InputError, check_number, did_you_mean

_BELOW_ONE = {"low": 0.0, "high": 1.0, "open_high": True}
_AT_LEAST_ZERO = {"low": 0.0}
_RANGES: dict[str, dict[str, Any]] = {
    "adam_beta_1": _BELOW_ONE,
    "adam_beta_2": _BELOW_ONE,
    "adam_lr_ratio": _AT_LEAST_ZERO,
    "beta_1": _BELOW_ONE,
    "beta_2": _BELOW_ONE,
    "epsilon": _AT_LEAST_ZERO,
    "initial_accumulator_value": _AT_LEAST_ZERO,
    "loss_scale_factor": {"low": 0.0, "open_low": True},
    "momentum": _BELOW_ONE,
    "rho": _BELOW_ONE,
    "weight_decay": _AT_LEAST_ZERO,
}
_MAY_BE_NONE = ("loss_scale_factor", "weight_decay")
_NOT_TAKEN = {"adam_weight_decay": "weight_decay"}


def checked(optimizer: type, arguments: dict[str, Any]) -> dict[str, Any]:
    """Returns the arguments of an optimizer, those with a known range as floats within it."""
    accepted = _names(optimizer) - _NOT_TAKEN.keys()
    for name in arguments.keys() - accepted:
        instead = _NOT_TAKEN.get(name)
        hint = f"Use `{instead}`." if instead else did_you_mean(name, accepted)
        raise InputError(f"{optimizer.__name__} has no argument `{name}`. {hint}".strip())
    found = dict(arguments)
    for name, limits in _RANGES.items():
        if found.get(name) is not None or (name in found and name not in _MAY_BE_NONE):
            found[name] = check_number(name, found[name], **limits)
    return found


def _names(optimizer: type) -> set[str]:
    """Returns the names of all arguments that the constructors of a class and its bases take."""
    makers = [vars(each)["__init__"] for each in optimizer.__mro__ if "__init__" in vars(each)]
    parameters = [p for maker in makers for p in inspect.signature(maker).parameters.values()]
    return {p.name for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)}
