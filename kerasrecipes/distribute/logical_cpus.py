"""Several devices on a host without GPUs."""

from kerasrecipes._checks import InputError, check_int
from kerasrecipes._export import export
from kerasrecipes.distribute._tensorflow import tensorflow


@export("distribute", saved=False)
def logical_cpus(count: int) -> None:
    """Makes TensorFlow see this host's CPU as several devices, to try replicas without GPUs.

    The replicas share the cores, so this is for tests, not for speed. Call it before anything of
    TensorFlow has run.

    Args:
        count: Number of devices, int >= 1.

    Raises: InputError if TensorFlow has started with another number of devices.

    Example:
    >>> logical_cpus(1)
    """
    tf = tensorflow()
    check_int("count", count, low=1)
    cpu = tf.config.list_physical_devices("CPU")[0]
    devices = [tf.config.LogicalDeviceConfiguration() for _ in range(count)]
    try:
        tf.config.set_logical_device_configuration(cpu, devices)
    except RuntimeError as error:
        if len(tf.config.list_logical_devices("CPU")) != count:
            raise InputError(
                "`logical_cpus` must be called at the start of the program: TensorFlow has its "
                f"devices already, {len(tf.config.list_logical_devices('CPU'))} CPU(s)."
            ) from error
