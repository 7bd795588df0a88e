"""What the recipes for images share: the way in, the augmentation, the stem and the blocks."""

from collections.abc import Callable, Sequence
from typing import Any

import keras

from kerasrecipes._checks import check_choice, check_int, check_ints, fail
from kerasrecipes._export import bind
from kerasrecipes._seeds import child_seed
from kerasrecipes.data.augment.image_policy import POLICIES, ImagePolicy
from kerasrecipes.layers import _parts
from kerasrecipes.layers.blur_pool import BlurPool
from kerasrecipes.layers.conv_block import ConvBlock
from kerasrecipes.layers.fused_batch_normalization import FusedBatchNormalization
from kerasrecipes.recipes._compile import check_input_shape
from kerasrecipes.recipes._start import Start, check_preprocessing

SHAPE_REMEDY = "Give (height, width, channels) of one image, channels last, such as (28, 28, 1)."
MANY_ROWS = 50_000
LARGE = 96
LEARNING_RATE = 5e-3
WIDTHS = ((16, (32, 64, 128)), (48, (16, 32, 64, 128)), (None, (16, 32, 64, 128, 256)))
MOMENTUM = 0.9


def start(
    input_shape: Any, augmentation: Any, rows: int | None, preprocessing: Any, seed: int | None
) -> Start:
    """Returns the input and the images that it stands for; (height, width) is one channel."""
    shape = image_shape(input_shape)
    check_preprocessing(preprocessing)
    inputs = keras.Input(check_input_shape(input_shape), name="inputs")
    x = inputs
    if x.shape[1:] != shape:
        x = keras.layers.Reshape(shape, name="images")(x)
    layer = augmentation_layer(augmentation, rows, seed)
    if layer is not None:
        x = layer(x)
    return Start(inputs, x if preprocessing is None else preprocessing(x))


def image_shape(input_shape: Any) -> tuple[int, int, int]:
    """Returns (height, width, channels) of one image."""
    shape = check_input_shape(input_shape)
    if len(shape) == 2:
        shape = (*shape, 1)
    if len(shape) != 3:
        fail("input_shape", "the shape of an image", input_shape, SHAPE_REMEDY)
    if shape[0] in (1, 3) and min(shape[1:]) > 4:
        fail("input_shape", "an image with its channels last", input_shape, SHAPE_REMEDY)
    return shape  # type: ignore[return-value]


def augmentation_layer(
    augmentation: Any, rows: int | None, seed: int | None
) -> keras.layers.Layer | None:
    """Returns the layer for "auto", a policy's name, a dict with a "name", a layer or None."""
    if rows is not None:
        check_int("rows", rows, low=1)
    if isinstance(augmentation, keras.layers.Layer):
        return augmentation
    if augmentation == "auto":
        few = rows is None or rows < MANY_ROWS
        augmentation = {"name": "light", "flip": False} if few else None
    if augmentation is None:
        return None
    arguments = dict(augmentation) if isinstance(augmentation, dict) else {"name": augmentation}
    remedy = "Or give a dict with such a name and arguments, a layer, or None."
    policy = check_choice(
        "augmentation", arguments.pop("name", None), ["auto", *POLICIES], remedy=remedy
    )
    own = {"policy": policy, "seed": child_seed(seed, "augmentation"), "name": "augmentation"}
    return bind("augmentation", ImagePolicy, {**arguments, **own})


def widths_of(filters: Any, shape: tuple[int, ...], stem: str) -> tuple[int, ...]:
    """Returns the channels of each stage: as given, else by the side of the image."""
    if filters is None:
        side = max(shape[:2]) // (4 if stem == "large" else 1)
        return next(widths for most, widths in WIDTHS if most is None or side <= most)
    remedy = "Give the channels of each stage, such as (32, 64, 128)."
    return tuple(check_ints("filters", filters, low=1, remedy=remedy))


def stem_of(stem: str, shape: tuple[int, ...]) -> str:
    """Returns "small" or "large"."""
    if check_choice("stem", stem, ["auto", "small", "large"]) != "auto":
        return stem
    return "large" if max(shape[:2]) >= LARGE else "small"


def counts_of(argument: str, counts: Any, stages: int) -> list[int]:
    """Returns one integer >= 1 for each stage."""
    if not isinstance(counts, (tuple, list)):
        counts = [counts] * stages
    if len(counts) != stages:
        fail(argument, f"one integer, or one for each of the {stages} stages", counts)
    return [check_int(argument, count, low=1) for count in counts]


class Blocks:
    """Makes the convolutions of one network, which differ in little.

    Args:
        seed: Seed of the network, or None.
        normalization: As recipes take it; "batch" is the fused kernel.
        **shared: Arguments of `ConvBlock`.
    """

    def __init__(self, seed: int | None, *, normalization: Any, **shared: Any) -> None:
        self._seed = seed
        self._normalization = normalization
        self._shared = shared

    def __call__(self, x: Any, name: str, filters: int, kernel_size: Any = 3, **own: Any) -> Any:
        """Returns `x` after a convolution with its normalisation and activation."""
        arguments = {"normalization": _fused(self._normalization), **self._shared, **own}
        block = ConvBlock(
            filters, kernel_size, **arguments, seed=child_seed(self._seed, name), name=name
        )
        return block(x)

    def from_zero(self) -> dict[str, Any]:
        """Returns the arguments of a block whose output is zero at first."""
        spec = self._normalization
        zeros = {"gamma_initializer": "zeros"}
        if spec == "batch":
            return {"normalization": _fused(spec, **zeros)}
        if spec in ("layer", "group"):
            return {"normalization": {"name": spec, **zeros}}
        return {"kernel_initializer": "zeros"}

    def activate(self, x: Any, name: str) -> Any:
        """Returns the activation of `x`, with a layer named for `name`."""
        seed = child_seed(self._seed, name, "activation")
        spec = _parts.template(self._shared["activation"])
        layer = _parts.named_activation(spec, seed, f"{name}_activation")
        return x if layer is None else layer(x)


def _fused(normalization: Any, **arguments: Any) -> Any:
    if normalization != "batch":
        return normalization
    return FusedBatchNormalization(momentum=MOMENTUM, **arguments)


def enter(x: Any, stem: str, width: int, block: Blocks) -> Any:
    """Returns the images after the stem: as they are, or at a quarter of their size."""
    if stem == "small":
        return x
    x = block(x, "stem", width, 7, strides=2)
    return keras.layers.MaxPooling2D(3, strides=2, padding="same", name="stem_pool")(x)


def _blurred(name: str) -> Callable[[Any], Any]:
    sharp = keras.layers.MaxPooling2D(2, strides=1, padding="same", name=f"{name}_max")
    blur = BlurPool(3, padding="same", name=name)
    return lambda x: blur(sharp(x))


POOLS: dict[str, Callable[[str], Callable[[Any], Any]]] = {
    "max": lambda name: keras.layers.MaxPooling2D(2, padding="same", name=name),
    "average": lambda name: keras.layers.AveragePooling2D(2, padding="same", name=name),
    "blur": _blurred,
}


def stages(widths: Sequence[int]) -> list[tuple[str, int, bool]]:
    """Returns the name and the channels of each stage, and whether another one follows."""
    last = len(widths) - 1
    return [(f"stage_{i + 1}", width, i < last) for i, width in enumerate(widths)]
