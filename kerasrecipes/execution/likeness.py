"""What makes two models alike, so that one graph serves both."""

import hashlib
import inspect
import re
import sys
from collections.abc import Mapping, Sequence, Set
from typing import Any

import keras
import numpy as np
import tensorflow as tf

_NOT_OF_A_STEP = frozenset(
    (
        *("name", "_name", "path", "_path", "_parent_path"),
        *("seed", "_seed", "_initial_seed", "_init_seed"),  # a variable has what follows from it
        *("build", "quantize", "built", "_called", "_tracker", "_lock", "_call_signature"),
        *("_losses", "_loss_ids"),  # of the call before
        *("_inbound_nodes", "_outbound_nodes", "_nodes", "_nodes_by_depth"),  # see `_wiring`
        *("_operations", "_operations_by_depth", "_trainable_variables_indices"),
        *("_auto_config", "_compile_config", "_distribution_strategy", "_distribute_strategy"),
        *("train_function", "test_function", "predict_function", "_eval_epoch_iterator"),
        *("steps_per_execution", "stop_training", "_initial_epoch", "history"),
        *("recipe", "execution", "_executor", "_fast"),
    )
)
"""Attributes that do not change what a step computes."""


class Likeness:
    """Describes what a step of a model computes, but for the values of its variables.

    It goes over the attributes of the model, its layers, optimizer, loss and metrics.

    Args:
        model: A built model.

    Attributes:
        key: Equal for two models only if a graph of one fits the other; None where something is
            not understood, such as a layer or a function of somebody else.
        unknown: What is not understood, or "".
        variables: All variables; those of models with the same key correspond.
    """

    def __init__(self, model: keras.Model) -> None:
        self.key: str | None = None
        self.unknown = ""
        self.variables: list[Any] = []
        self._seen: dict[int, tuple[int, Any]] = {}  # the things too, or an `id` may come again
        config = keras.config
        settings = config.floatx(), config.epsilon(), config.image_data_format()
        try:
            described = repr((settings, self._describe(model)))
        except Exception as error:  # noqa: BLE001  # whatever it is, the model is not understood
            self.unknown = repr(error)
        else:
            self.key = hashlib.sha256(described.encode()).hexdigest()

    def _describe(self, thing: Any) -> Any:
        if thing is None or isinstance(thing, (bool, int, float, str, bytes, np.generic)):
            return thing
        if isinstance(thing, (np.dtype, tf.DType, slice)) or thing is Ellipsis:
            return repr(thing)
        if id(thing) in self._seen:
            return "again", self._seen[id(thing)][0]
        self._seen[id(thing)] = len(self._seen), thing
        if isinstance(thing, Mapping):
            return self._describe_mapping(thing)
        if isinstance(thing, Sequence):
            return [self._describe(each) for each in thing]
        if isinstance(thing, Set):
            return self._describe(sorted(thing))  # of strings or numbers; others have no order
        if isinstance(thing, keras.Variable):
            return self._describe_variable(thing)
        if isinstance(thing, (np.ndarray, tf.Tensor)):
            return self._describe_array(np.asarray(thing))
        return self._describe_code(thing)

    def _describe_variable(self, variable: keras.Variable) -> Any:
        self.variables.append(variable)
        tensor = variable.value
        of_updates = variable.regularizer, variable.constraint, variable.overwrite_with_gradient
        described = tensor.shape, tensor.dtype, tensor.device, variable.trainable
        return "variable", *described, self._describe(of_updates)

    def _describe_mapping(self, mapping: Mapping[Any, Any]) -> Any:
        if "class_name" in mapping and "config" in mapping:
            return self._describe_config(mapping)
        return [(self._describe(key), self._describe(mapping[key])) for key in mapping]

    def _describe_config(self, serialized: Mapping[str, Any]) -> Any:
        """Describes a serialized object without the number in its name, and without its seed."""
        config = {key: value for key, value in serialized["config"].items() if key != "seed"}
        if isinstance(config.get("name"), str):
            config["name"] = re.sub(r"_\d+$", "", config["name"])
        return serialized.get("module"), serialized["class_name"], self._describe(config)

    def _describe_array(self, array: np.ndarray) -> Any:
        if array.dtype.hasobject:
            raise _UnknownError("an array of objects")
        return "array", array.shape, array.dtype, hashlib.sha256(array.tobytes()).hexdigest()

    def _describe_code(self, thing: Any) -> Any:
        if inspect.ismodule(thing):
            return thing.__name__
        if inspect.ismethod(thing):
            if thing.__func__ is not getattr(type(thing.__self__), thing.__name__, None):
                raise _UnknownError(repr(thing))
            return self._describe(thing.__self__), thing.__name__
        if isinstance(thing, type) or inspect.isroutine(thing):
            if not _is_known(thing) or _looked_up(thing) is not thing:
                raise _UnknownError(repr(thing))
            return thing.__module__, thing.__qualname__
        return self._describe_object(thing)

    def _describe_object(self, thing: Any) -> Any:
        kind = type(thing)
        if isinstance(thing, keras.KerasTensor):
            return "symbol", thing.shape, thing.dtype
        if isinstance(thing, (keras.initializers.Initializer, keras.InputSpec)):
            return kind.__qualname__
        if not _is_known(kind) or not hasattr(thing, "__dict__"):
            raise _UnknownError(repr(kind))
        attributes = [
            (name, self._describe(value))
            for name, value in vars(thing).items()
            if value is not None and not _is_left_out(thing, name, value)
        ]
        wiring = self._wiring(thing) if hasattr(thing, "_operations") else ""
        return (
            kind.__module__,
            kind.__qualname__,
            id(getattr(kind, "call", None)),
            wiring,
            attributes,
        )

    def _wiring(self, model: keras.Model) -> Any:
        """Returns which operation of a functional model follows which, by their numbers."""
        config = model.get_config()
        if "input_layers" not in config:
            raise _UnknownError(repr(type(model)))
        number = {layer["name"]: at for at, layer in enumerate(config["layers"])}
        nodes = [layer["inbound_nodes"] for layer in config["layers"]]
        ends = config["input_layers"], config["output_layers"]
        links = keras.tree.map_structure(
            lambda leaf: number.get(leaf, leaf) if isinstance(leaf, str) else leaf, (nodes, *ends)
        )
        inputs = [each.name for each in model.inputs] if len(model.inputs) > 1 else ()
        steps = [
            self._describe_config(each)
            for each in config["layers"]
            if "layers" not in each["config"]  # a model, whose names are seen to among its own
        ]
        return repr(links), inputs, steps


class _UnknownError(Exception):
    """Says what is not understood."""


def _is_known(code: Any) -> bool:
    return f"{code.__module__}.".startswith(("keras.", "kerasrecipes."))


def _looked_up(code: Any) -> Any:
    """Returns what has the name of a function or class in its module; wrappers copy names."""
    found = sys.modules[code.__module__]
    for name in code.__qualname__.split("."):
        found = getattr(found, name, None)
    return found


def _is_left_out(thing: Any, name: str, value: Any) -> bool:
    if name == "name" and isinstance(thing, keras.Metric):
        return False  # it is a key of the logs
    if name == "output_names":
        return len(value) == 1
    return name in _NOT_OF_A_STEP or name.startswith("_self_")
