"""Execution."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Execution:
    """How a model was trained last, and why.

    Attributes:
        in_graph: Whether many batches were trained on in one graph at a time.
        chunk: Batches in one call of the graph; None for as many as the time allows.
        jit: Whether XLA compiled it.
        reason: Why, in words.

    Example:
    >>> print(Execution(True, 512, False, "the rows are in memory"))
    512 batches in a graph, since the rows are in memory
    >>> print(Execution(True, None, False, "they come one by one"))
    a moment's batches in a graph, since they come one by one
    """

    in_graph: bool = False
    chunk: int | None = 1
    jit: bool = False
    reason: str = ""

    def __str__(self) -> str:
        if not self.in_graph:
            return f"batch by batch, since {self.reason}"
        batches = "a moment's" if self.chunk is None else self.chunk
        compiled = " that XLA compiles" if self.jit else ""
        return f"{batches} batches in a graph{compiled}, since {self.reason}"
