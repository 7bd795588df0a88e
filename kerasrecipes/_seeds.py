"""Seeds for the parts of a thing that has one seed."""

import hashlib


def child_seed(seed: int | None, *path: str | int) -> int | None:
    """Returns a seed for the part named by `path`, or None if there is no seed.

    Different paths give independent streams, so that two random parts of one layer never draw the
    same numbers, which they would if both took `seed` itself. The result depends on nothing else,
    so a part keeps its stream when others are added.

    Example:
    >>> child_seed(0, "kernel") == child_seed(0, "kernel")
    True
    >>> child_seed(0, "kernel") == child_seed(0, "dropout")
    False
    """
    if seed is None:
        return None
    digest = hashlib.blake2b(repr((seed, *path)).encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big") >> 1
