"""The operations of RandAugment on float32 images (batch, height, width, channels) in [0, 255].

Each takes one magnitude per image where it takes any, and looks at one image at a time. Those of
`keras.layers.RandAugment` do not: one draw of operations serves the whole batch, `Equalization`
takes one histogram of all images, and rotation goes one way only, by up to 180 degrees.
"""

import math
from typing import Any

from keras import ops

GRAY = (0.299, 0.587, 0.114)
SMOOTH = ((1.0, 1.0, 1.0), (1.0, 5.0, 1.0), (1.0, 1.0, 1.0))


def per_image(values: Any) -> Any:
    """Returns one value per image so that it multiplies images."""
    return ops.reshape(values, (-1, 1, 1, 1))


def grayscale(images: Any) -> Any:
    """Returns luma in every channel; images without three channels stay as they are."""
    if images.shape[-1] != 3:
        return images
    luma = ops.sum(images * ops.convert_to_tensor(GRAY, images.dtype), axis=-1, keepdims=True)
    return ops.broadcast_to(luma, ops.shape(images))


def mean_gray(images: Any) -> Any:
    """Returns the mean luma of each image in every pixel."""
    mean = ops.mean(grayscale(images), axis=(1, 2, 3), keepdims=True)
    return ops.broadcast_to(mean, ops.shape(images))


def smooth(images: Any) -> Any:
    """Returns the images blurred by a 3 x 3 kernel; the border stays as it is."""
    height, width = ops.shape(images)[1], ops.shape(images)[2]
    total = ops.zeros_like(images[:, 2:, 2:])
    for row, weights in enumerate(SMOOTH):
        for column, weight in enumerate(weights):
            part = images[:, row : height - 2 + row, column : width - 2 + column]
            total = total + weight / 13.0 * part
    middle = ops.concatenate([images[:, 1:-1, :1], total, images[:, 1:-1, -1:]], axis=2)
    return ops.concatenate([images[:, :1], middle, images[:, -1:]], axis=1)


def blend(degenerate: Any, images: Any, factor: Any) -> Any:
    """Returns `degenerate + factor * (images - degenerate)`, clipped."""
    return ops.clip(degenerate + per_image(factor) * (images - degenerate), 0.0, 255.0)


def posterize(images: Any, bits: int) -> Any:
    """Returns the images rounded, with the lowest `bits` of 8 bits set to 0."""
    if bits == 0:
        return images
    return ops.floor(ops.round(images) / 2**bits) * 2**bits  # 7.9999 comes of rescaling an 8


def solarize(images: Any, threshold: float) -> Any:
    """Returns the images with values of `threshold` and above inverted."""
    return ops.where(ops.round(images) < threshold, images, 255.0 - images)


def auto_contrast(images: Any) -> Any:
    """Returns each channel of each image stretched to [0, 255]; a constant one stays."""
    low = ops.min(images, axis=(1, 2), keepdims=True)
    spread = ops.max(images, axis=(1, 2), keepdims=True) - low
    scale = 255.0 / ops.where(spread > 0, spread, ops.ones_like(spread))
    return ops.where(spread > 0, (images - low) * scale, images)


def equalize(images: Any) -> Any:
    """Returns each channel of each image, rounded, with an even histogram.

    With N pixels, N_last of them in the highest bin in use, and N_v of them below value v:
        step = (N - N_last) // 255
        value = min(255, (step // 2 + N_v) // step), or v if step is 0
    """
    shape = ops.shape(images)
    channels = ops.transpose(ops.round(images), (0, 3, 1, 2))
    pixels = ops.reshape(ops.cast(channels, "int32"), (shape[0] * shape[3], -1))
    table = _equalization_table(pixels)
    found = ops.take_along_axis(table, pixels, axis=1)
    found = ops.reshape(found, (shape[0], shape[3], shape[1], shape[2]))
    return ops.cast(ops.transpose(found, (0, 2, 3, 1)), images.dtype)


def _equalization_table(pixels: Any) -> Any:
    """Returns the new value for each old one, (rows, 256), of int32 pixels (rows, count)."""
    rows = ops.shape(pixels)[0]
    keys = ops.reshape(pixels + 256 * ops.arange(rows, dtype="int32")[:, None], (-1,))
    counts = ops.segment_sum(ops.ones_like(keys), keys, num_segments=rows * 256)
    counts = ops.reshape(counts, (rows, 256))
    below = ops.cumsum(counts, axis=1) - counts
    last = ops.take_along_axis(counts, ops.max(pixels, axis=1, keepdims=True), axis=1)
    step = (ops.sum(counts, axis=1, keepdims=True) - last) // 255
    even = (step // 2 + below) // ops.maximum(step, 1)
    return ops.where(step == 0, ops.arange(256, dtype="int32")[None], ops.minimum(even, 255))


def affine(images: Any, kind: Any, amount: Any, fill_mode: str) -> Any:
    """Returns each image sheared, moved or turned, by the operation that `kind` names.

    Args:
        images: Float32 (batch, height, width, channels).
        kind: The columns "shear_x", "shear_y", "translate_x", "translate_y" and "rotate" of a
            dict: float32 (batch,), 1.0 for the images to do it to, else 0.0.
        amount: Float32 (batch,), the magnitude in [-1, 1].
        fill_mode: As for `keras.layers.RandomTranslation`.
    """
    height, width = ops.shape(images)[1], ops.shape(images)[2]
    height, width = ops.cast(height, "float32"), ops.cast(width, "float32")
    angle = amount * kind["rotate"] * (MAX_DEGREES * math.pi / 180)
    cosine, sine = ops.cos(angle), ops.sin(angle)
    shear_x = amount * kind["shear_x"] * MAX_SHEAR
    shear_y = amount * kind["shear_y"] * MAX_SHEAR
    # Around the centre; the two kinds of linear part never meet, so their sum is exact.
    rows = ((cosine, shear_x - sine), (sine + shear_y, cosine))
    centre_x, centre_y = (width - 1) / 2, (height - 1) / 2
    move_x = amount * kind["translate_x"] * MAX_TRANSLATION * width
    move_y = amount * kind["translate_y"] * MAX_TRANSLATION * height
    (a0, a1), (b0, b1) = rows
    a2 = centre_x - a0 * centre_x - a1 * centre_y - move_x
    b2 = centre_y - b0 * centre_x - b1 * centre_y - move_y
    zero = ops.zeros_like(a0)
    transform = ops.stack([a0, a1, a2, b0, b1, b2, zero, zero], axis=1)
    return ops.image.affine_transform(
        images,
        transform,
        interpolation="bilinear",
        fill_mode=fill_mode,
        data_format="channels_last",
    )


MAX_DEGREES = 30.0
MAX_SHEAR = 0.3
MAX_TRANSLATION = 150 / 331
