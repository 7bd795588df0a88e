"""F5 to F8: layers that change images at random."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from kerasrecipes.doctor._probes.seen import Seen

_RNG = np.random.default_rng(0)


def _flip() -> Any:
    return keras.layers.RandomFlip("horizontal_and_vertical", seed=0)


def flips(layer: Callable[[], Any] = _flip) -> Seen:
    """How many of 100 images are turned along one axis only."""
    x = _RNG.uniform(size=(100, 3, 4, 1)).astype("float32")
    y = np.array(layer()(x, training=True))
    one_axis = sum(
        bool(np.allclose(after, before[::-1]) or np.allclose(after, before[:, ::-1]))
        for before, after in zip(x, y, strict=True)
    )
    return Seen(one_axis == 0, f"of 100 images {one_axis} were flipped along one axis, of about 50")


def _erasing() -> Any:
    return keras.layers.RandomErasing(factor=0.5, fill_value=0.0, seed=0)


def erasing(layer: Callable[[], Any] = _erasing) -> Seen:
    """The share of images that half a probability erases from."""
    x = np.full((1000, 16, 16, 1), 100.0, "float32")
    touched = float((np.array(layer()(x, training=True)) != 100).any((1, 2, 3)).mean())
    return Seen(touched < 0.4, f"factor=0.5 erases from {touched:.0%} of the images")


def _rand_augment() -> Any:
    return keras.layers.RandAugment(value_range=(0, 255), num_ops=1, factor=0.5, seed=0)


def rand_augment(layer: Callable[[], Any] = _rand_augment) -> Seen:
    """Grey images, which operations on colours change, and those that move pixels do not."""
    x, augment = np.full((16, 8, 8, 3), 100.0, "float32"), layer()
    mixed = 0
    for _ in range(20):
        changed = (np.array(augment(x, training=True)) != 100).any((1, 2, 3))
        mixed += bool(changed.any() and not changed.all())
    return Seen(
        mixed < 12, f"in {20 - mixed} of 20 batches all images got operations of the same kind"
    )


def _equalization() -> Any:
    return keras.layers.Equalization(value_range=(0, 255))


def equalization(layer: Callable[[], Any] = _equalization) -> Seen:
    """An image alone, and beside a bright one."""
    dark = _RNG.integers(0, 60, (16, 16, 3)).astype("float32")
    alone, among = layer()(dark[None]), layer()(np.stack([dark, 255 - dark]))
    moved = float(np.abs(np.array(alone)[0] - np.array(among)[0]).max())
    return Seen(
        moved > 5, f"an equalised pixel moves by {moved:.0f} if another image is in the batch"
    )


def _cut_mix(x: np.ndarray, y: np.ndarray) -> tuple[Any, Any]:
    found = keras.layers.CutMix(seed=0)({"images": x, "labels": y}, training=True)
    return found["images"], found["labels"]


def cut_mix(mix: Callable[[Any, Any], tuple[Any, Any]] = _cut_mix) -> Seen:
    """Images that are the number of their class, so that the pixels tell the right label."""
    count = 32
    x = np.broadcast_to(np.arange(count, dtype="float32")[:, None, None, None], (count, 16, 16, 1))
    images, labels = mix(np.ascontiguousarray(x), np.eye(count, dtype="float32"))
    own = (np.array(images) == x).mean((1, 2, 3))
    wrong = float(np.abs(own - np.diag(np.array(labels))).max())
    return Seen(wrong > 0.02, f"a label says up to {wrong:.0%} more or less than the pixels")
