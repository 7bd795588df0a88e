"""The parts of an examination."""

import dataclasses

HAS_IT, MENDED, NOT_PROBED = "has it", "mended", "not probed"


@dataclasses.dataclass(frozen=True)
class Device:
    """A device that TensorFlow sees.

    Attributes:
        name: TensorFlow's name, such as "GPU:0".
        kind: The make, or the number of cores.
        memory: Bytes of memory, or None if it is not known.

    Example:
    >>> Device("CPU:0", "2 cores", 8 * 2**30).gibibytes
    '8.0 GiB'
    """

    name: str
    kind: str
    memory: int | None = None

    @property
    def gibibytes(self) -> str:
        """The memory, in words."""
        return "" if self.memory is None else f"{self.memory / 2**30:.1f} GiB"


@dataclasses.dataclass(frozen=True)
class Strategy:
    """A strategy of `tf.distribute`, and how far it went on this machine with plain Keras.

    Attributes:
        name: Its name, and where it was tried.
        made: Whether it could be made.
        trains: Whether a model was trained by a step under it.
        seen: The loss, or the error.

    Example:
    >>> Strategy("MirroredStrategy", made=True, trains=True, seen="1 replica(s), loss 0.9").trains
    True
    """

    name: str
    made: bool
    trains: bool
    seen: str


@dataclasses.dataclass(frozen=True)
class Fault:
    """A known fault, and whether the installed Keras or KerasTuner has it.

    Attributes:
        id: As in docs/defects.md, such as "D2".
        what: What it is.
        state: "has it", "mended" or "not probed".
        seen: What was seen, or why it could not be probed.
        instead: What kerasrecipes does instead.

    Example:
    >>> Fault("C2", "A NaN is the best value", "mended", "epoch 2 is the best", "ours").state
    'mended'
    """

    id: str
    what: str
    state: str
    seen: str
    instead: str
