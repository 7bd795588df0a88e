"""What an export has written."""

import dataclasses
from pathlib import Path
from typing import Any

from kerasrecipes._export import export

_LOADING = {
    "keras": 'keras.saving.load_model("{path}").predict({rows})',
    "tf_saved_model": 'model = tf.saved_model.load("{path}"); model.serve({rows})',
    "onnx": 'onnxruntime.InferenceSession("{path}").run(None, {rows})[0]',
    "litert": 'ai_edge_litert.interpreter.Interpreter("{path}").get_signature_runner()(**{rows})',
}


@export("exporting", saved=False)
@dataclasses.dataclass(frozen=True)
class TensorSpec:
    """An input or output of an exported model.

    Attributes:
        name: Its name.
        dtype: Its dtype, such as "float32".
        shape: Its shape; None for an axis of any length.

    Example:
    >>> print(TensorSpec("inputs", "float32", (None, 8)))
    inputs: float32 (None, 8)
    """

    name: str
    dtype: str
    shape: tuple[int | None, ...]

    def __str__(self) -> str:
        """Shows name, dtype and shape."""
        return f"{self.name}: {self.dtype} {self.shape}"


@export("exporting", saved=False)
@dataclasses.dataclass(frozen=True)
class Exported:
    """What an export has written, and how to use it.

    Attributes:
        path: The file or folder.
        format: "keras", "tf_saved_model", "onnx" or "litert".
        inputs: A `TensorSpec` for each input.
        outputs: A `TensorSpec` for each output.
        takes_dict: Whether the Keras model takes its inputs as a dict by name.
        encoding: How rows become the inputs, as a dict that JSON can hold, where the exported model
            starts after that (`kerasrecipes.exporting.encode` does it); else None.

    Example:
    >>> from pathlib import Path
    >>> inputs = TensorSpec("inputs", "float32", (None, 8))
    >>> outputs = TensorSpec("output_0", "float32", (None, 1))
    >>> print(Exported(Path("a.onnx"), "onnx", (inputs,), (outputs,)))
    a.onnx (onnx)
    input   inputs: float32 (None, 8)
    output  output_0: float32 (None, 1)
    load    onnxruntime.InferenceSession("a.onnx").run(None, {"inputs": ...})[0]
    """

    path: Path
    format: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    takes_dict: bool = False
    encoding: dict[str, Any] | None = None

    @property
    def how_to_load(self) -> str:
        """A line of Python that loads the model and predicts."""
        by_name = self.takes_dict or self.format in ("onnx", "litert")
        named = "{" + ", ".join(f'"{each.name}": ...' for each in self.inputs) + "}"
        rows = named if by_name else "[" + ", ".join("..." for _ in self.inputs) + "]"
        single = len(self.inputs) == 1 and not by_name
        return _LOADING[self.format].format(path=self.path, rows="..." if single else rows)

    def __str__(self) -> str:
        """Shows the path, the inputs and outputs, and how to load it."""
        lines = [f"{self.path} ({self.format})"]
        lines += [f"input   {each}" for each in self.inputs]
        lines += [f"output  {each}" for each in self.outputs]
        return "\n".join([*lines, f"load    {self.how_to_load}"])
