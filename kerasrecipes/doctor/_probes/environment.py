"""The versions that are imported, and the devices that TensorFlow sees."""

import dataclasses
from typing import Any

import keras
import numpy as np

from kerasrecipes._devices import device_names


@dataclasses.dataclass(frozen=True)
class Facts:
    """Versions by name, and the names and makes of devices."""

    versions: dict[str, str]
    devices: list[tuple[str, str]]


def facts() -> Facts:
    """Returns what Keras and its backend say of themselves."""
    versions = {"keras": keras.__version__, "numpy": np.__version__}
    versions["backend"] = keras.config.backend()
    if versions["backend"] != "tensorflow":
        return Facts(versions, [(name, "") for name in device_names()])
    import tensorflow as tf

    def make(device: Any) -> str:
        return tf.config.experimental.get_device_details(device).get("device_name", "")

    devices = tf.config.list_physical_devices()
    return Facts(
        {"tensorflow": tf.__version__, **versions},
        [(device.name.split(":", 1)[1], make(device)) for device in devices],
    )
