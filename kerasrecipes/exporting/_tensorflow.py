"""What exports share that go through a TensorFlow function."""

import re
from typing import Any

import keras

from kerasrecipes._checks import InputError
from kerasrecipes.exporting.exported import TensorSpec


def check_backend(format: str) -> None:
    """Refuses backends other than TensorFlow."""
    if keras.config.backend() != "tensorflow":
        raise InputError(
            f"`format` {format!r} needs the TensorFlow backend. Received: "
            f"{keras.config.backend()!r}. Run with KERAS_BACKEND=tensorflow, or call Keras's own "
            "`export` on `kerasrecipes.exporting.plain_model(model, raw=False)`."
        )


def signature_of(model: keras.Model, batch_size: int | None) -> list[Any]:
    """Returns the signature of the one argument, whose names every runtime takes."""
    import tensorflow as tf

    names: set[str] = set()

    def spec(tensor: Any) -> Any:
        shape = (batch_size, *tensor.shape[1:])
        return tf.TensorSpec(shape, tensor.dtype, name=_new_name(tensor.name, names))

    return [keras.tree.map_structure(spec, model.input)]


def _new_name(name: str, taken: set[str]) -> str:
    name = clean = re.sub(r"^[^A-Za-z0-9]|[^A-Za-z0-9_]", "_", name).lstrip("_") or "column"
    count = 1
    while name in taken:
        count += 1
        name = f"{clean}_{count}"
    taken.add(name)
    return name


def inputs_of(signature: list[Any]) -> tuple[TensorSpec, ...]:
    """Returns the specs of the inputs."""
    specs = keras.tree.flatten(signature)
    return tuple(TensorSpec(each.name, each.dtype.name, tuple(each.shape)) for each in specs)


def outputs_of(model: keras.Model, batch_size: int | None) -> tuple[TensorSpec, ...]:
    """Returns the specs of the outputs, under the names that TensorFlow gives them."""
    named = model.output if isinstance(model.output, dict) else None
    tensors = keras.tree.flatten(model.output)
    names = sorted(named) if named else [f"output_{index}" for index in range(len(tensors))]
    return tuple(
        TensorSpec(name, tensor.dtype, (batch_size, *tensor.shape[1:]))
        for name, tensor in zip(names, tensors, strict=True)
    )
