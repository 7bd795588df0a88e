"""The devices of Keras's backend."""

import keras


def device_names() -> list[str]:
    """Returns what the backend can train on, such as "cpu:0"; Keras knows no device of PyTorch."""
    if keras.config.backend() != "torch":
        return keras.distribution.list_devices()
    import torch

    return [f"gpu:{index}" for index in range(torch.cuda.device_count())] or ["cpu:0"]
