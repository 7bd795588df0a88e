"""RandAugment."""

from typing import Any

import keras
from keras import ops

from kerasrecipes._checks import check_choice, check_int, check_number
from kerasrecipes._export import export
from kerasrecipes._seeds import child_seed
from kerasrecipes.data.augment import _image_operations as operations
from kerasrecipes.data.augment._images import FILL_MODES, check_images_shape, check_value_range

OPERATIONS = (
    "identity",
    "auto_contrast",
    "equalize",
    "rotate",
    "solarize",
    "color",
    "posterize",
    "contrast",
    "brightness",
    "sharpness",
    "shear_x",
    "shear_y",
    "translate_x",
    "translate_y",
)


@export("augment")
class RandAugment(keras.layers.Layer):
    """Draws `num_ops` operations for each image in training, one after the other.

    Each is one of the paper's 14, all equally likely. On values scaled to [0, 255], with factor
    m in [0, 1] (the paper's magnitude / 30) and a random sign s:
        shear_x, shear_y          0.3 m s pixels per pixel, around the centre
        translate_x, translate_y  150/331 m s of the width or height
        rotate                    30 m s degrees, around the centre
        brightness                x -> v x                          with v = 1 + 0.9 m s
        color, contrast           x -> g + v (x - g), g the gray pixel, or the image's mean gray
        sharpness                 x -> b + v (x - b), b the image blurred by 3 x 3
        solarize                  x -> 255 - x where x >= 256 (1 - m)
        posterize                 the lowest round(4 m) of 8 bits set to 0
        auto_contrast             each channel stretched to [0, 255]
        equalize                  each channel with an even histogram
        identity                  nothing
    Inference leaves the images alone. Without three channels `color` does nothing.

    It differs from `keras.layers.RandAugment` (3.15), which applies one draw of operations to the
    whole batch, turns and moves images one way only, turns by up to 360 m degrees, and takes one
    histogram over all images of a batch.

    Args:
        num_ops: Operations per image, int >= 1. Defaults to 2.
        factor: m in [0, 1]. Defaults to 0.3.
        value_range: Lowest and highest value of a pixel: (0, 255), (0, 1), (-1, 1).
        fill_mode: What comes in from outside the image: "reflect", "constant" (the lowest value),
            "nearest" or "wrap". Defaults to "reflect".
        seed: Integer for reproducible draws, or None. Defaults to None.
        **kwargs: Arguments of `keras.layers.Layer`, such as `name` and `dtype`.

    Call arguments:
        inputs: Images (batch, height, width, channels), height and width >= 2, of any dtype.
        training: Whether to augment.

    Returns: Images of the same shape in the layer's compute dtype. The work is done in float32.

    Raises: InputError for arguments out of range, or inputs that are not of rank 4.

    Example:
    >>> import numpy as np
    >>> layer = RandAugment(value_range=(0, 255), seed=0)
    >>> images = np.full((4, 8, 8, 3), 100, "uint8")
    >>> y = layer(images, training=True)
    >>> tuple(y.shape), str(keras.backend.standardize_dtype(y.dtype))
    ((4, 8, 8, 3), 'float32')
    >>> bool(np.all(np.array(layer(images)) == images))
    True

    Reference: Cubuk et al. 2020, arXiv:1909.13719.
    """

    def __init__(
        self,
        num_ops: int = 2,
        factor: float = 0.3,
        *,
        value_range: Any,
        fill_mode: str = "reflect",
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.num_ops = check_int("num_ops", num_ops, low=1)
        self.factor = check_number("factor", factor, low=0, high=1)
        self.value_range = check_value_range(value_range)
        self.fill_mode = check_choice("fill_mode", fill_mode, FILL_MODES)
        self.seed = None if seed is None else check_int("seed", seed)
        self.seed_generator = keras.random.SeedGenerator(child_seed(self.seed, "rand_augment"))
        self.supports_jit = False  # nor does the affine transform of TensorFlow

    def build(self, input_shape: tuple[Any, ...]) -> None:
        """Checks that the inputs are images."""
        check_images_shape(input_shape)

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Returns `inputs` after the operations drawn for each image."""
        if not training:
            return ops.cast(inputs, self.compute_dtype)
        low, high = self.value_range
        images = (ops.cast(inputs, "float32") - low) * (255.0 / (high - low))
        images = ops.clip(images, 0.0, 255.0)
        for _ in range(self.num_ops):
            images = self._one_operation(images)
        return ops.cast(images * ((high - low) / 255.0) + low, self.compute_dtype)

    def _one_operation(self, images: Any) -> Any:
        batch = (ops.shape(images)[0],)
        drawn = keras.random.randint(batch, 0, len(OPERATIONS), seed=self.seed_generator)
        sign = keras.random.randint(batch, 0, 2, seed=self.seed_generator)
        amount = self.factor * ops.cast(2 * sign - 1, "float32")
        return perform(images, drawn, amount, self.factor, self.fill_mode)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Returns `input_shape`."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {
            **super().get_config(),
            "num_ops": self.num_ops,
            "factor": self.factor,
            "value_range": self.value_range,
            "fill_mode": self.fill_mode,
            "seed": self.seed,
        }


def perform(images: Any, drawn: Any, amount: Any, factor: float, fill_mode: str) -> Any:
    """Returns float32 images in [0, 255], each after one operation.

    Args:
        images: Float32 (batch, height, width, channels) in [0, 255].
        drawn: Int (batch,), the place of each image's operation in `OPERATIONS`.
        amount: Float32 (batch,), the signed magnitude in [-1, 1].
        factor: The magnitude of the operations without a sign.
        fill_mode: As for `RandAugment`.
    """

    def chosen(name: str) -> Any:
        return operations.per_image(drawn == OPERATIONS.index(name))

    degenerate = ops.zeros_like(images)
    degenerate = ops.where(chosen("color"), operations.grayscale(images), degenerate)
    degenerate = ops.where(chosen("contrast"), operations.mean_gray(images), degenerate)
    degenerate = ops.where(chosen("sharpness"), operations.smooth(images), degenerate)
    blended = operations.blend(degenerate, images, 1 + 0.9 * amount)
    found = images
    for name in ("color", "contrast", "brightness", "sharpness"):
        found = ops.where(chosen(name), blended, found)
    bits = round(4 * factor)
    found = ops.where(chosen("posterize"), operations.posterize(images, bits), found)
    solarized = operations.solarize(images, 256.0 * (1 - factor))
    found = ops.where(chosen("solarize"), solarized, found)
    found = ops.where(chosen("auto_contrast"), operations.auto_contrast(images), found)
    found = ops.where(chosen("equalize"), operations.equalize(images), found)
    kind = {name: ops.cast(drawn == OPERATIONS.index(name), "float32") for name in _AFFINE}
    return operations.affine(found, kind, amount, fill_mode)


_AFFINE = ("shear_x", "shear_y", "translate_x", "translate_y", "rotate")
