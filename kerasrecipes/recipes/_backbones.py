"""Backbones for `fine_tune`: where they come from, what they expect, and their groups of layers."""

import os
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import keras

from kerasrecipes._checks import InputError, check_choice, did_you_mean, fail
from kerasrecipes._find import find
from kerasrecipes.recipes._images import image_shape
from kerasrecipes.recipes.recipe_model import RecipeModel

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_DEVIATION = (0.229, 0.224, 0.225)
CAFFE_MEAN = (103.939, 116.779, 123.68)  # blue, green, red
# What the models expect, by the beginning of their names; all others rescale by themselves.
EXPECT = {
    "VGG": "caffe",
    "ResNet50V2": "tf",
    "ResNet101V2": "tf",
    "ResNet152V2": "tf",
    "ResNet": "caffe",
    "DenseNet": "torch",
    "MobileNetV3": "nothing",
    "MobileNet": "tf",
    "Inception": "tf",
    "Xception": "tf",
    "NASNet": "tf",
}


class Backbone(NamedTuple):
    """A network that gives features.

    Attributes:
        model: The network, from its inputs to its features.
        name: What it was made from, in a few words.
        preprocessing: Function from pixels of 0 to 255 to its inputs.
    """

    model: keras.Model
    name: str
    preprocessing: Callable[[Any], Any]


def get(backbone: Any, input_shape: Any, weights: Any, layer: str | None) -> Backbone:
    """Returns the backbone for a name, a path, a model or a function; see `fine_tune`."""
    names = applications()
    if isinstance(backbone, str) and not backbone.endswith(".keras"):
        key = check_choice("backbone", backbone, names, remedy="Or give a model, or a .keras file.")
        shape = image_shape(input_shape or (224, 224, 3))
        model = _attempt("backbone", _application, key, shape, weights)
        name, expects = key, expected_by(key)
    else:
        if input_shape is not None:
            remedy = "A model has its own. Leave it out."
            fail("input_shape", "for a name of `keras.applications` only", input_shape, remedy)
        model = _given(backbone)
        name, expects = str(model.name), "nothing"
    if weights is not None and weights != "imagenet":
        _load(model, weights)
    elif weights == "imagenet" and expects == "nothing" and name not in names:
        fail("weights", "a file, or None for a given model", weights)
    return Backbone(_features(model, layer), name, PREPROCESSING[expects])


def applications() -> list[str]:
    """Returns the names of the models of `keras.applications`."""
    return [name for name, each in vars(keras.applications).items() if _makes_model(name, each)]


def _makes_model(name: str, thing: Any) -> bool:
    return callable(thing) and name[:1].isupper()


def expected_by(name: str) -> str:
    """Returns how pixels are to be scaled for a model of `keras.applications`."""
    return next((kind for start, kind in EXPECT.items() if name.startswith(start)), "nothing")


def _application(name: str, shape: tuple[int, ...], weights: Any) -> keras.Model:
    start = "imagenet" if weights == "imagenet" else None
    return getattr(keras.applications, name)(include_top=False, weights=start, input_shape=shape)


def _given(backbone: Any) -> keras.Model:
    if isinstance(backbone, str):
        if not os.path.isfile(backbone):
            fail("backbone", "the path of a file that exists", backbone)
        backbone = _attempt("backbone", keras.saving.load_model, backbone)
    elif callable(backbone) and not isinstance(backbone, keras.Model):
        backbone = backbone()
    if not isinstance(backbone, keras.Model):
        remedy = f"A name is one of {', '.join(applications()[:5])}, ..."
        fail("backbone", "a Keras model, a name, a path, or a function", backbone, remedy)
    if not backbone.built or not getattr(backbone, "inputs", None):
        remedy = "Make it with the functional API, or as a `keras.Sequential` with an Input."
        fail("backbone", "a built model with known inputs", backbone, remedy)
    if len(backbone.inputs) != 1 or len(backbone.outputs) != 1:
        fail("backbone", "a model of one input and one output", backbone)
    return backbone


def _load(model: keras.Model, weights: Any) -> None:
    if not isinstance(weights, (str, os.PathLike)) or not os.path.isfile(weights):
        remedy = "Give the path of a .weights.h5 or .h5 file."
        fail("weights", "a file that exists, 'imagenet' or None", weights, remedy)
    _attempt("weights", model.load_weights, str(weights))


def _attempt(argument: str, function: Callable[..., Any], *args: Any) -> Any:
    """Returns what a function of Keras does; what it refuses is an `InputError`."""
    try:
        return function(*args)
    except Exception as error:
        first = str(error).strip().splitlines()[0][:300]
        raise InputError(f"`{argument}` cannot be used: {first}") from error


def _features(model: keras.Model, layer: str | None) -> keras.Model:
    if layer is not None:
        names = [each.name for each in model.layers]
        if layer not in names:
            hint = did_you_mean(layer, names)
            fail("layer", f"one of {', '.join(names[-8:])}", layer, hint)
        return _part(model, model.get_layer(layer).output)
    if isinstance(model, RecipeModel):
        return _part(model, model.get_layer("head").input)
    last = model.layers[-1]
    if _gives_probabilities(last):
        raise InputError(
            f"`backbone` must give features, but its last layer, {last.name!r}, gives class "
            "probabilities. Name the layer before them: "
            f"layer={[each.name for each in model.layers][-2]!r}."
        )
    return model


def _gives_probabilities(layer: Any) -> bool:
    activation = getattr(layer, "activation", None)
    name = getattr(activation, "__name__", "")
    return isinstance(layer, keras.layers.Softmax) or name in ("softmax", "sigmoid")


def _part(model: keras.Model, output: Any) -> keras.Model:
    return keras.Model(model.inputs[0], output, name=str(model.name))


def _rescaled(x: Any) -> Any:
    return keras.layers.Rescaling(1 / 127.5, -1.0, name="rescaling")(x)


def _standardized(x: Any) -> Any:
    scale = [1 / (255 * each) for each in IMAGENET_DEVIATION]
    pairs = zip(IMAGENET_MEAN, IMAGENET_DEVIATION, strict=True)
    offset = [-mean / deviation for mean, deviation in pairs]
    return keras.layers.Rescaling(scale, offset, name="rescaling")(x)


def _centered(x: Any) -> Any:
    x = keras.ops.flip(x, axis=-1)  # these were trained on blue, green, red
    return keras.layers.Rescaling(1.0, [-each for each in CAFFE_MEAN], name="centering")(x)


PREPROCESSING: dict[str, Callable[[Any], Any]] = {
    "tf": _rescaled,
    "torch": _standardized,
    "caffe": _centered,
    "nothing": lambda x: x,
}


def freeze_normalization(model: keras.Model) -> None:
    """Freezes every batch normalisation inside a model."""
    for each in find(model, keras.layers.BatchNormalization):
        each.trainable = False


def pooled(features: Any) -> Any:
    """Returns a vector for each row: the mean over all positions, if there are any."""
    rank = len(features.shape)
    if rank == 4:
        return keras.layers.GlobalAveragePooling2D(name="mean")(features)
    if rank == 3:
        return keras.layers.GlobalAveragePooling1D(name="mean")(features)
    if rank != 2:
        fail("backbone", "a model with vectors or maps as features", tuple(features.shape))
    return features


def groups(model: keras.Model, count: int) -> list[list[str]]:
    """Returns patterns of paths of layers, in groups of like size, the last layers first."""
    layers = [each for each in reversed(_layers(model)) if each.weights]
    count = min(count, len(layers))
    edges = [round(i * len(layers) / count) for i in range(count + 1)] if count else []
    parts = [layers[a:b] for a, b in zip(edges, edges[1:], strict=False)]
    return [[f"(^|/){re.escape(each.name)}(/|$)" for each in part] for part in parts]


def _layers(model: keras.Model) -> list[Any]:
    """Returns the layers of a model; those of the model within it, if there is but one."""
    layers = [each for each in model.layers if each.weights]
    if len(layers) == 1 and isinstance(layers[0], keras.Model):
        return _layers(layers[0])
    return layers
