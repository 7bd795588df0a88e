"""ImagePolicy."""

from typing import Any

import keras

from kerasrecipes._checks import check_choice, check_int, check_number, fail
from kerasrecipes._export import export
from kerasrecipes._seeds import child_seed
from kerasrecipes.data.augment._images import FILL_MODES, check_images_shape, check_value_range
from kerasrecipes.data.augment.rand_augment import RandAugment

FLIPS = (False, "horizontal", "vertical", "horizontal_and_vertical")
POLICIES = {
    "none": {"flip": False, "crop": 0.0, "factor": 0.0, "erasing": 0.0},
    "light": {"flip": "horizontal", "crop": 0.125, "factor": 0.0, "erasing": 0.0},
    "standard": {"flip": "horizontal", "crop": 0.125, "factor": 0.3, "erasing": 0.0},
    "strong": {"flip": "horizontal", "crop": 0.125, "factor": 0.5, "erasing": 0.25},
}


@export("augment")
class ImagePolicy(keras.layers.Layer):
    """Augments images by a policy with a name: flip, shifted crop, RandAugment, erasing.

    The steps, in this order, on each image on its own, in training only:
        flip      left-right, upside down, or each of both, with probability 1/2
        crop      moved by U(-crop, crop) of the height and of the width, rounded to pixels, and
                  cut to its size: what padding and a random crop give
        factor    `RandAugment(num_ops, factor)`
        erasing   with this probability a box is filled with the middle of `value_range`; each
                  side takes the square root of U(0.02, 0.33) of the image's

    | policy | flip | crop | factor | erasing |
    |---|---|---|---|---|
    | "none" | False | 0 | 0 | 0 |
    | "light" | "horizontal" | 0.125 | 0 | 0 |
    | "standard" | "horizontal" | 0.125 | 0.3 | 0 |
    | "strong" | "horizontal" | 0.125 | 0.5 | 0.25 |

    Set `flip=False` for digits, letters and whatever else means something else in a mirror.
    Inference gives the images back, in the layer's dtype. Put it first in the model, or use it
    in `kerasrecipes.data.augment.apply`; its seed then gives way to that of `apply`.

    Args:
        policy: "none", "light", "standard" or "strong". Defaults to "standard".
        flip: False, "horizontal", "vertical" or "horizontal_and_vertical"; None takes the
            policy's. Defaults to None.
        crop: Share in [0, 1) of height and width; None takes the policy's. Defaults to None.
        factor: Strength of RandAugment in [0, 1], 0 for none of it; None takes the policy's.
            Defaults to None.
        num_ops: Operations of RandAugment per image, int >= 1. Defaults to 2.
        erasing: Probability in [0, 1]; None takes the policy's. Defaults to None.
        value_range: Lowest and highest value of a pixel, such as (0, 255). It must be given if
            there is RandAugment or erasing, which would ruin images of another range.
        fill_mode: What comes in from outside the image: "reflect", "constant" (the lowest value,
            or 0 if there is no `value_range`), "nearest" or "wrap". Defaults to "reflect".
        seed: Integer for reproducible draws, or None. Defaults to None.
        **kwargs: Arguments of `keras.layers.Layer`, such as `name` and `dtype`.

    Call arguments:
        inputs: Images (batch, height, width, channels), of any dtype and number of channels.
        training: Whether to augment.

    Returns: Images of the same shape in the layer's compute dtype. The work is done in float32.

    Raises: InputError for arguments out of range, or inputs that are not of rank 4.

    Example:
    >>> import numpy as np
    >>> layer = ImagePolicy("light", flip=False, seed=0)
    >>> digits = np.arange(64, dtype="uint8").reshape(1, 8, 8, 1)
    >>> bool(np.all(np.array(layer(digits)) == digits))
    True
    >>> [each.name for each in ImagePolicy("strong", value_range=(0, 255)).steps]
    ['flip_horizontal', 'crop', 'rand_augment', 'erasing']

    Reference: Cubuk et al. 2020, arXiv:1909.13719; Zhong et al. 2017, arXiv:1708.04896.
    """

    def __init__(
        self,
        policy: str = "standard",
        *,
        flip: bool | str | None = None,
        crop: float | None = None,
        factor: float | None = None,
        num_ops: int = 2,
        erasing: float | None = None,
        value_range: Any = None,
        fill_mode: str = "reflect",
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        own = POLICIES[check_choice("policy", policy, POLICIES)]
        self.policy = policy
        self.flip = check_choice("flip", own["flip"] if flip is None else flip, FLIPS)
        self.crop = check_number(
            "crop", own["crop"] if crop is None else crop, low=0, high=1, open_high=True
        )
        self.factor = check_number(
            "factor", own["factor"] if factor is None else factor, low=0, high=1
        )
        self.num_ops = check_int("num_ops", num_ops, low=1)
        self.erasing = check_number(
            "erasing", own["erasing"] if erasing is None else erasing, low=0, high=1
        )
        self.value_range = None if value_range is None else check_value_range(value_range)
        if value_range is None and (self.factor or self.erasing):
            remedy = "Give (0, 255) for bytes; (0, 1) or (-1, 1) after rescaling."
            fail("value_range", "given for RandAugment and erasing", None, remedy)
        self.fill_mode = check_choice("fill_mode", fill_mode, FILL_MODES)
        self.seed = None if seed is None else check_int("seed", seed)
        self.steps = self._steps()
        self.supports_jit = False  # nor does the affine transform of TensorFlow

    def _steps(self) -> list[keras.layers.Layer]:
        def common(name: str) -> dict[str, Any]:
            # In float32 whatever the policy: in float16 other, coarser boxes would be drawn.
            return {"seed": child_seed(self.seed, name), "name": name, "dtype": "float32"}

        steps: list[keras.layers.Layer] = []
        # Two layers, since `RandomFlip("horizontal_and_vertical")` of Keras 3.15 flips along both
        # axes or along none.
        for mode in ("horizontal", "vertical"):
            if self.flip and mode in self.flip:
                steps.append(keras.layers.RandomFlip(mode, **common(f"flip_{mode}")))
        if self.crop:
            steps.append(self._crop(common("crop")))
        if self.factor:
            steps.append(
                RandAugment(
                    self.num_ops,
                    self.factor,
                    value_range=self.value_range,
                    fill_mode=self.fill_mode,
                    **common("rand_augment"),
                )
            )
        if self.erasing:
            steps.append(self._erasing(common("erasing")))
        return steps

    def _crop(self, common: dict[str, Any]) -> keras.layers.Layer:
        # Not `RandomCrop`, which cuts all images of a batch at the same place.
        return keras.layers.RandomTranslation(
            self.crop,
            self.crop,
            fill_mode=self.fill_mode,
            interpolation="nearest",
            fill_value=0.0 if self.value_range is None else self.value_range[0],
            **common,
        )

    def _erasing(self, common: dict[str, Any]) -> keras.layers.Layer:
        # A pair, since Keras draws the probability from U(0, factor) for a single number. A fill
        # value, since its noise is N(0, 1) times the highest value, of which half is clipped to 0.
        low, high = self.value_range  # type: ignore[misc]
        return keras.layers.RandomErasing(
            factor=(self.erasing, self.erasing),
            fill_value=(low + high) / 2,
            value_range=self.value_range,
            **common,
        )

    def build(self, input_shape: tuple[Any, ...]) -> None:
        """Checks that the inputs are images, and builds the steps."""
        check_images_shape(input_shape)
        for step in self.steps:
            step.build(input_shape)

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Returns `inputs` after the steps of the policy."""
        if not training:
            return keras.ops.cast(inputs, self.compute_dtype)
        images = keras.ops.cast(inputs, "float32")
        for step in self.steps:
            images = step(images, training=True)
        return keras.ops.cast(images, self.compute_dtype)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Returns `input_shape`."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {
            **super().get_config(),
            "policy": self.policy,
            "flip": self.flip,
            "crop": self.crop,
            "factor": self.factor,
            "num_ops": self.num_ops,
            "erasing": self.erasing,
            "value_range": self.value_range,
            "fill_mode": self.fill_mode,
            "seed": self.seed,
        }
