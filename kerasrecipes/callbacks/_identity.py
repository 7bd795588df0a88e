"""What a training is, so that one with another model, data or recipe is not taken for it."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import keras

from kerasrecipes._checks import InputError
from kerasrecipes.callbacks._variables import model_variables

_SHOWN = 5
ANY = "any"


def identify(model: keras.Model, *, steps: int | None, data: Any) -> dict[str, Any]:
    """Returns what the fit of a model is, as JSON values.

    Args:
        model: Compiled model, before its first update in this fit.
        steps: Steps per epoch, if known.
        data: What the data is, as JSON values.
    """
    recipe = getattr(model, "recipe", None)
    found = {
        "data": data,
        "recipe": None if recipe is None else _call(recipe),
        "steps per epoch": steps,
        "model": _unnamed(_plain(_config(model))),
        "weights": [[list(each.shape), str(each.dtype)] for each in model_variables(model)],
        "compile": _compiled(model),
    }
    return json.loads(json.dumps(found, default=str))


def check_same(was: Mapping[str, Any], now: Mapping[str, Any], where: Any) -> None:
    """Raises InputError, which names the differences, if a training is not the one that was."""
    for part in now:
        differences = list(_differences(part, was.get(part), now[part]))
        if differences:
            more = len(differences) - _SHOWN
            shown = "; ".join(differences[:_SHOWN]) + (f"; and {more} more" if more > 0 else "")
            raise InputError(
                f"The checkpoint {where} is of another training: {shown}. Restore what was "
                "changed, or give the new training a checkpoint folder of its own."
            )


def _config(model: keras.Model) -> Any:
    """Returns the config, or None for a class that has none of its own."""
    try:
        return model.get_config()
    except NotImplementedError:
        return None


def _compiled(model: keras.Model) -> Any:
    """Returns the arguments of `compile`, or None if Keras cannot write them down.

    A constant rate and the decay count in the first fit only; later they may have been changed.
    """
    try:
        config = _unnamed(_plain(model.get_compile_config()))
    except (TypeError, ValueError):
        return None
    settings = config["optimizer"].get("config", {})
    begun = int(keras.ops.convert_to_numpy(model.optimizer.iterations)) > 0
    for name in ("learning_rate", "weight_decay"):
        if begun and isinstance(settings.get(name), float):
            settings[name] = ANY
    return config


def _call(recipe: Any) -> dict[str, Any]:
    return {"name": recipe.name, "arguments": _unnamed(_plain(recipe.arguments))}


def _plain(thing: Any) -> Any:
    return keras.saving.serialize_keras_object(thing)


def _unnamed(config: Any) -> Any:
    """Returns a config with names of layers and variables replaced by their order.

    Keras counts in its names how many layers a process has made, so a notebook that builds its
    model again has other names.
    """
    order: dict[str, str] = {}
    for name in _names({"config": config}):
        order.setdefault(name, f"#{len(order)}")
    return _renamed(config, order)


def _names(config: Any) -> Iterator[str]:
    if isinstance(config, dict):
        for key, value in config.items():
            named = isinstance(value, dict) and (key == "config" or "layers" in value)
            if named and isinstance(value.get("name"), str):
                yield value["name"]
            yield from _names(value)
    elif isinstance(config, (list, tuple)):
        for value in config:
            yield from _names(value)


def _renamed(config: Any, order: Mapping[str, str]) -> Any:
    if isinstance(config, dict) and config.get("class_name") == "__lambda__":
        return "a lambda"  # its code has line numbers in it
    if isinstance(config, dict):
        return {key: _renamed(value, order) for key, value in config.items()}
    if isinstance(config, (list, tuple)):
        return [_renamed(value, order) for value in config]
    return order.get(config, config) if isinstance(config, str) else config


def _differences(path: str, was: Any, now: Any) -> Iterator[str]:
    if isinstance(was, dict) and isinstance(now, dict):
        for key in dict.fromkeys([*was, *now]):
            inside = path if key in ("config", "arguments", "__tuple__") else f"{path}.{key}"
            yield from _differences(inside, was.get(key), now.get(key))
    elif isinstance(was, list) and isinstance(now, list) and len(was) == len(now):
        for index, pair in enumerate(zip(was, now, strict=True)):
            yield from _differences(f"{path}[{index}]", *pair)
    elif ANY not in (was, now) and json.dumps(was) != json.dumps(now):  # NaN equals NaN
        if path.endswith("sha256"):
            yield f"{path.removesuffix('sha256').strip('. ')} has changed"
        else:
            yield f"{path} was {_short(was)} and is {_short(now)}"


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."
