"""What a probe returns."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Seen:
    """What a probe has seen.

    Attributes:
        there: Whether the fault is there.
        what: What was seen, with numbers, such as "gradient norm 2.0 instead of 1.0".
    """

    there: bool
    what: str
