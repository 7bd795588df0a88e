"""What `compile` can be given for several replicas."""

from typing import Any

from kerasrecipes._checks import InputError


def check_compilation(arguments: dict[str, Any]) -> None:
    """Sets what works on several replicas; refuses what was asked for and does not (D6).

    Args:
        arguments: Those of `compile` by name, with their defaults.

    Raises: InputError for `steps_per_execution` above 1 and for `jit_compile=True`.
    """
    steps = arguments["steps_per_execution"]
    if steps not in (None, 1):
        raise InputError(
            f"`steps_per_execution` must be 1 on several replicas, where Keras 3 fails with more. "
            f"Received: {steps}. Leave it out."
        )
    if arguments["jit_compile"] is True:
        raise InputError(
            "`jit_compile` must be False on several replicas, where TensorFlow does not compile "
            "the sums over replicas. Received: True. Leave it out."
        )
    arguments["jit_compile"] = False
