"""From rows to the arrays that an exported model takes."""

from typing import Any

import keras
import numpy as np

from kerasrecipes._checks import check_choice
from kerasrecipes._export import export
from kerasrecipes.data.vectorization import as_texts
from kerasrecipes.exporting import _columns, _texts
from kerasrecipes.exporting._unfold import checked_model
from kerasrecipes.recipes.table_model import TableModel
from kerasrecipes.recipes.text_model import TextModel


@export("exporting", saved=False)
def encode(model: keras.Model, x: Any, *, raw: bool = False) -> Any:
    """Returns rows as the arrays that an export of a model takes.

    Args:
        model: The model that was exported.
        x: What `model.predict` takes: a table, texts, or an array.
        raw: Whether the export takes raw columns or texts, as SavedModel and plain Keras models do
            unless told otherwise, and ONNX and LiteRT never do. Defaults to False.

    Returns: For tables a dict of "numeric" and "categorical", or with `raw=True` of a column each;
        for texts a dict with an array for each of the model's encodings, or with `raw=True` an
        array of texts; else `x` as an array of the model's dtype.

    Example:
    >>> import kerasrecipes as kr
    >>> table = {"size": [1.0, 2.0, None], "kind": ["a", "b", "a"]}
    >>> model = kr.recipes.tabular(table, "binary", form="mlp", hidden=(8,))
    >>> {name: array.tolist() for name, array in encode(model, table).items()}
    {'categorical': [[1], [2], [1]], 'numeric': [[1.0], [2.0], [nan]]}
    >>> encode(model, {"size": [5.0], "kind": [None]}, raw=True)
    {'size': array([5.], dtype=float32), 'kind': array([''], dtype=object)}
    """
    check_choice("raw", raw, (True, False))
    model = checked_model(model)
    if isinstance(model, TableModel) and model.schema is not None:
        return _columns.raw_columns(model.schema, x) if raw else model.encode(x)
    if isinstance(model, TextModel):
        texts = as_texts("x", x)
        return texts if raw else _texts.encoded_texts(model, texts)
    if isinstance(model.input, keras.KerasTensor):
        return np.asarray(x, model.input.dtype)
    return x


def encoding_of(model: keras.Model) -> dict[str, Any] | None:
    """Returns how rows become inputs, as a dict that JSON can hold; None where they are inputs."""
    if isinstance(model, TableModel) and model.schema is not None:
        categories = {each.name: list(each.categories) for each in model.schema.categorical}
        return {"numeric": [each.name for each in model.schema.numeric], "categorical": categories}
    if isinstance(model, TextModel):
        return {layer.name: _vectorization(layer) for layer in _texts.encoders_of(model)}
    return None


def _vectorization(layer: Any) -> dict[str, Any]:
    config = layer.get_config()
    kept = ("standardize", "split", "ngrams", "output_mode", "output_sequence_length")
    found = {name: config[name] for name in kept}
    found["vocabulary"] = [str(each) for each in layer.get_vocabulary()]
    if config["output_mode"] == "tf_idf":
        known = [float(each) for each in config["idf_weights"]]
        found["idf_weights"] = [sum(known) / len(known), *known]  # the first for what is not known
    return found
