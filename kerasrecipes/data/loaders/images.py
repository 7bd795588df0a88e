"""A folder of images with one sub-folder per class."""

import concurrent.futures
import functools
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from kerasrecipes._checks import InputError, check_choice, check_int, fail
from kerasrecipes._fingerprint import fingerprint
from kerasrecipes.data.examples import Examples
from kerasrecipes.data.loaders._class_folders import files_of_classes, labels

SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png")
CHANNELS = {"rgb": 3, "grayscale": 1}


def load(base: Path, *, path: str, size: list[int] | None = None, color: str = "rgb") -> Examples:
    """Reads images as uint8; `size` = [height, width] resizes them, bilinear with antialias."""
    check_choice("data.color", color, CHANNELS)
    wanted = None if size is None else _check_size(size)
    files = files_of_classes(base, path, SUFFIXES)
    read = functools.partial(_read, size=wanted, channels=CHANNELS[color])
    with concurrent.futures.ThreadPoolExecutor() as pool:
        images = list(pool.map(read, [file for file, _ in files]))
    _check_same_size([file for file, _ in files], images)
    x, y = np.stack(images), labels(files)
    return Examples(x, y, None, f"images: {path}", fingerprint(x, y))


def _read(file: Path, *, size: tuple[int, int] | None, channels: int) -> np.ndarray:
    with tf.device("CPU:0"):
        try:
            image = tf.io.decode_image(
                tf.io.read_file(str(file)), channels=channels, expand_animations=False
            )
        except tf.errors.OpError as error:
            raise InputError(
                f"{file} cannot be read as an image: {str(error.message).splitlines()[0]} "
                "Replace it or remove it."
            ) from error
        if size is not None and tuple(image.shape[:2]) != size:
            resized = tf.image.resize(image, size, antialias=True)
            image = tf.cast(tf.clip_by_value(tf.round(resized), 0, 255), tf.uint8)
        return image.numpy()


def _check_size(size: Any) -> tuple[int, int]:
    if not isinstance(size, (list, tuple)) or len(size) != 2:
        fail("data.size", "[height, width]", size)
    height, width = (check_int("data.size", each, low=1) for each in size)
    return height, width


def _check_same_size(files: list[Path], images: list[np.ndarray]) -> None:
    first = images[0].shape[:2]
    for file, image in zip(files, images, strict=True):
        if image.shape[:2] != first:
            raise InputError(
                f"`data.size` = [height, width] is needed when images differ in size: {files[0]} "
                f"is {list(first)} and {file} is {list(image.shape[:2])}."
            )
