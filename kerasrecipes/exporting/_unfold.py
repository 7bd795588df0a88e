"""From a model to the same computation by stock layers."""

from collections.abc import Callable
from typing import Any

import keras

from kerasrecipes import layers
from kerasrecipes._checks import InputError, fail
from kerasrecipes._keras_internals import mask_of, name_apart, put_mask, run_through
from kerasrecipes.data.augment.image_policy import ImagePolicy
from kerasrecipes.data.augment.rand_augment import RandAugment
from kerasrecipes.data.augment.word_dropout import WordDropout
from kerasrecipes.data.augment.word_swap import WordSwap
from kerasrecipes.exporting import _blocks, _tables
from kerasrecipes.exporting._copies import is_stock, placed, stock_config, values
from kerasrecipes.layers._block import Block

RULES: dict[type, Callable[..., Any]] = {
    Block: _blocks.block,
    layers.FusedBatchNormalization: _blocks.batch_normalization,
    layers.MaskedBatchNormalization: _blocks.batch_normalization,
    layers.HashDropout: _blocks.dropout,
    layers.ScheduledDropout: _blocks.dropout,
    layers.StochasticDepth: _blocks.stochastic_depth,
    layers.ChannelPReLU: _blocks.channel_prelu,
    layers.RReLU: _blocks.rrelu,
    layers.SqueezeExcite: _blocks.squeeze_excite,
    layers.WeightNormalization: _blocks.effective_kernel,
    layers.WeightStandardization: _blocks.effective_kernel,
    layers.BlurPool: _blocks.traced,
    layers.EnsembleMean: _blocks.traced,
    layers.MissingIndicator: _blocks.traced,
    layers.PredictionClip: _blocks.traced,
    layers.RobustScale: _blocks.traced,
    layers.CategoryEmbedding: _tables.category_embedding,
    layers.EnsembleDense: _tables.ensemble_dense,
    layers.EnsembleHead: _tables.ensemble_head,
    layers.FeatureScale: _tables.feature_scale,
    layers.NTKDense: _tables.ntk_dense,
    layers.ParametricActivation: _tables.parametric_activation,
    layers.PeriodicEmbedding: _tables.periodic_embedding,
    layers.PiecewiseLinearEmbedding: _tables.piecewise_linear_embedding,
    layers.PositionEncoding: _tables.position_encoding,
    ImagePolicy: _blocks.left_out,
    RandAugment: _blocks.left_out,
    WordDropout: _blocks.left_out,
    WordSwap: _blocks.left_out,
}
"""Layers of this package, and how each is written with stock ones."""


class Unfolding:
    """Makes the copy of one model, layer by layer.

    Args:
        rules: By type of layer, how it is written. Defaults to None, with stock layers.
        keep: Whether all other layers stay as they are; else they are copied, and what is not
            Keras's own is an error.
    """

    def __init__(
        self, rules: dict[type, Callable[..., Any]] | None = None, *, keep: bool = False
    ) -> None:
        self.keep = keep
        self.rules = dict(RULES if rules is None else rules)
        self._names: set[str] = set()
        self._copies: dict[int, Any] = {}

    def outputs(self, model: keras.Model, inputs: Any) -> Any:
        """Returns the outputs of a functional model for symbolic tensors."""
        y = run_through(model, inputs, self)
        name_apart(y)
        return y

    def __call__(self, operation: Any, *args: Any, within: str = "", **kwargs: Any) -> Any:
        """Returns the outputs of a layer or operation, of one inside another named for both."""
        if not isinstance(operation, keras.layers.Layer):
            return type(operation).from_config(_unnamed(operation))(*args, **kwargs)
        kwargs = {name: value for name, value in kwargs.items() if name != "training"}
        for kind in type(operation).__mro__:
            if kind in self.rules:
                y = self.rules[kind](_Within(self, within), operation, *args, **kwargs)
                return _masked_alike(operation, args[0], y)
        if self.keep:
            return operation(*args, **kwargs)
        if isinstance(operation, keras.Model) and functional(operation) is not None:
            return self._once(operation, self._nested)(*args, **kwargs)
        if is_stock(operation):
            return self._stock(operation, within, *args, **kwargs)
        raise InputError(
            "`model` must be made of layers that are Keras's own or have a counterpart in stock "
            f"Keras. Layer {operation.name!r} is a {type(operation).__module__}."
            f"{type(operation).__name__}, which has none. Save the model as it is, and import the "
            "layer's module before `keras.saving.load_model`."
        )

    def reserve(self, inputs: Any) -> None:
        """Keeps the names of inputs for these."""
        self._names |= {each.name for each in keras.tree.flatten(inputs)}

    def name(self, *parts: str) -> str:
        """Returns a name for a layer that no other one has."""
        base = name = "_".join(part for part in parts if part)
        count = 1
        while name in self._names:
            count += 1
            name = f"{base}_{count}"
        self._names.add(name)
        return name

    def _stock(self, layer: Any, within: str, *args: Any, **kwargs: Any) -> Any:
        if hasattr(layer, "adapt"):  # it holds statistics or words, and nothing that is trained
            self._names.add(layer.name)
            return layer(*args, **kwargs)
        function = getattr(layer, "activation", None)
        is_custom = callable(function) and not is_stock(function)
        copy = self._once(layer, lambda each: self._copy(each, within, is_custom))
        if isinstance(layer, keras.layers.MultiHeadAttention):
            kwargs = {**_attention_mask(*args), **kwargs}
        y = placed(copy, values(*layer.weights), *args, **kwargs)
        return function(y) if is_custom and callable(function) else y

    def _copy(self, layer: Any, within: str, linear: bool) -> Any:
        config = {**layer.get_config(), "name": self.name(within, layer.name)}
        if linear:
            config["activation"] = "linear"
        return type(layer).from_config(stock_config(layer, config))

    def _nested(self, model: keras.Model) -> keras.Model:
        graph = functional(model)
        return graph_of(graph, Unfolding(self.rules), name=self.name(model.name))

    def _once(self, layer: Any, make: Callable[[Any], Any]) -> Any:
        if id(layer) not in self._copies:
            self._copies[id(layer)] = make(layer)
        return self._copies[id(layer)]


class _Within:
    """The unfolding, for the parts of one layer: names begin with that of what it is within."""

    def __init__(self, unfolding: Unfolding, outer: str) -> None:
        self._unfolding = unfolding
        self._outer = outer

    def __call__(self, layer: Any, x: Any, *, within: str, **kwargs: Any) -> Any:
        path = "_".join(part for part in (self._outer, within) if part)
        return self._unfolding(layer, x, within=path, **kwargs)

    def name(self, *parts: str) -> str:
        return self._unfolding.name(self._outer, *parts)


def _masked_alike(layer: keras.layers.Layer, x: Any, y: Any) -> Any:
    """Returns the output with the mask that the layer would have given it.

    Keras hands masks on from layer to layer, but operations that are no layers lose them.
    """
    mask = mask_of(x)
    if layer.supports_masking and mask is not None and mask_of(y) is None:
        put_mask(y, layer.compute_mask(x, mask))
    return y


def _attention_mask(query: Any, value: Any, *_: Any) -> dict[str, Any]:
    """Returns the mask of an attention as an argument; Keras finds it only if no layer lost it."""
    asking, asked = mask_of(query), mask_of(value)
    if asking is None or asked is None:
        return {}
    both = keras.ops.logical_and(keras.ops.expand_dims(asking, 2), keras.ops.expand_dims(asked, 1))
    return {"attention_mask": both}


def graph_of(model: keras.Model, unfolding: Unfolding, *, name: str) -> keras.Model:
    """Returns a functional model of stock layers with the inputs and outputs of `model`."""
    inputs = keras.tree.map_structure(_input_like, model.input)
    unfolding.reserve(inputs)
    outputs = unfolding.outputs(model, inputs)
    return keras.Model(inputs, outputs, name=name)


def checked_model(model: Any) -> keras.Model:
    """Returns a functional model as it is, a sequential one as such; refuses others."""
    remedy = "Give what a recipe returned, or `keras.saving.load_model` of its file."
    if not isinstance(model, keras.Model):
        fail("model", "a Keras model", model, remedy)
    found = functional(model)
    if found is None:
        fail("model", "a built functional or sequential model", model, remedy)
    return found


def functional(model: keras.Model) -> keras.Model | None:
    """Returns the model as a functional one; None if it is no graph of layers, or not built."""
    try:
        if isinstance(model, keras.Sequential):
            return keras.Model(model.inputs[0], model.outputs[0], name=model.name)
        return model if model.input is not None else None
    except (AttributeError, ValueError):
        return None


def _input_like(tensor: Any) -> Any:
    return keras.Input(batch_shape=tensor.shape, dtype=tensor.dtype, name=tensor.name)


def _unnamed(operation: Any) -> dict[str, Any]:
    return {key: value for key, value in operation.get_config().items() if key != "name"}
