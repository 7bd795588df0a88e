"""ONNX, by tf2onnx."""

import contextlib
import importlib
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np

from kerasrecipes._checks import InputError
from kerasrecipes.exporting.exported import TensorSpec


def write(
    model: keras.Model,
    path: Path,
    signature: list[Any],
    inputs: tuple[TensorSpec, ...],
    outputs: tuple[TensorSpec, ...],
) -> None:
    """Writes a model with inputs and outputs of these names.

    Keras's own export leaves statistics of a `Normalization` to the caller as inputs (3.15), and
    operations that ONNX lacks in the file; here all values are constants, and the file is checked.
    """
    tf2onnx, onnx = _extra("tf2onnx"), _extra("onnx")
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    function = tf.function(
        lambda x: model(x, training=False), input_signature=signature, autograph=False
    )
    frozen = convert_variables_to_constants_v2(
        function.get_concrete_function(), lower_control_flow=False, aggressive_inlining=True
    )
    taken, given = [[each.name for each in part] for part in (frozen.inputs, frozen.outputs)]
    new_names = [each.name for each in (*inputs, *outputs)]
    with _quiet():
        proto, _ = tf2onnx.convert.from_graph_def(
            frozen.graph.as_graph_def(add_shapes=True),
            name=model.name,
            input_names=taken,
            output_names=given,
            tensors_to_rename=dict(zip([*taken, *given], new_names, strict=True)),
            custom_op_handlers={"Erfc": (_erfc, []), "Log1p": (_log1p, [])},
        )
    try:
        onnx.checker.check_model(proto)
    except onnx.checker.ValidationError as error:
        raise InputError(
            "`model` must be made of operations that ONNX has. tf2onnx could not write one of "
            f"them: {str(error).splitlines()[0]} Take format='tf_saved_model', or another layer."
        ) from error
    onnx.save_model(proto, path)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Holds back TensorFlow's warnings that tf2onnx uses names of its first version."""
    logger = logging.getLogger("tensorflow")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def _extra(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise InputError(
            f"`format` 'onnx' needs the package {name}, which is not installed. Run "
            '`pip install "kerasrecipes[onnx]"`.'
        ) from error


def _erfc(graph: Any, node: Any, name: str, args: Any) -> None:
    """Writes erfc(x) as 1 + -erf(x)."""
    node.type = "Erf"
    negative = graph.insert_new_node_on_output("Neg", node.output[0])
    _plus_one(graph, negative)


def _log1p(graph: Any, node: Any, name: str, args: Any) -> None:
    """Writes log1p(x) as log(1 + x), which is exact enough for what is not near 0."""
    x = node.input[0]
    total = graph.make_node("Add", [x, _one(graph, x)])
    graph.replace_input(node, x, total.output[0])
    node.type = "Log"


def _plus_one(graph: Any, node: Any) -> None:
    y = node.output[0]
    one = _one(graph, y)
    total = graph.insert_new_node_on_output("Add", y)
    graph.replace_inputs(total, [y, one])


def _one(graph: Any, tensor: str) -> str:
    from tf2onnx import utils

    dtype = utils.map_onnx_to_numpy_type(graph.get_dtype(tensor))
    return graph.make_const(utils.make_name("one"), np.ones((), dtype)).output[0]
