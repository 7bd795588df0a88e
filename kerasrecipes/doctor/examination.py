"""What `examine` returns."""

import dataclasses
import io
import json
from collections.abc import Mapping
from typing import Any

from rich.console import Console, Group

from kerasrecipes.doctor import _tables
from kerasrecipes.doctor.findings import HAS_IT, MENDED, NOT_PROBED, Device, Fault, Strategy

_WIDTH = 120


@dataclasses.dataclass(frozen=True)
class Examination:
    """Versions, devices, strategies and faults; it prints as tables.

    Attributes:
        versions: Versions by name; None for what is not installed.
        devices: The devices that TensorFlow sees.
        strategies: The strategies of `tf.distribute`, tried with plain Keras.
        faults: The known faults of Keras and KerasTuner.
        seconds: How long it took.

    Example:
    >>> fault = Fault("C2", "A NaN is the best value", "mended", "epoch 2 is the best", "ours")
    >>> found = Examination({"keras": "4.0"}, (), (), (fault,), 1.0)
    >>> found["C2"].state, found.count("has it")
    ('mended', 0)
    """

    versions: Mapping[str, str | None]
    devices: tuple[Device, ...]
    strategies: tuple[Strategy, ...]
    faults: tuple[Fault, ...]
    seconds: float

    def __getitem__(self, id: str) -> Fault:
        """Returns a fault by its id; a `KeyError` if there is none of that id."""
        return {fault.id: fault for fault in self.faults}[id]

    def count(self, state: str) -> int:
        """Returns how many faults are in a state: "has it", "mended" or "not probed"."""
        return sum(fault.state == state for fault in self.faults)

    def to_dict(self) -> dict[str, Any]:
        """Returns it as JSON values."""
        return {**dataclasses.asdict(self), "versions": dict(self.versions)}

    def to_json(self) -> str:
        """Returns it as JSON, for a report of a bug."""
        return json.dumps(self.to_dict(), indent=1)

    def __rich__(self) -> Group:
        """Returns tables for `rich`."""
        counts = (
            f"The installed Keras and KerasTuner have {self.count(HAS_IT)} of {len(self.faults)} "
            f"known faults; {self.count(MENDED)} are mended, {self.count(NOT_PROBED)} could not be "
            f"probed. {self.seconds:.0f} s."
        )
        tables = [
            _tables.versions(self.versions),
            _tables.devices(self.devices),
            _tables.strategies(self.strategies),
            _tables.faults(self.faults),
        ]
        return Group(*(part for table in tables for part in (table, "")), counts)

    def __str__(self) -> str:
        """Returns the tables as text."""
        console = Console(file=io.StringIO(), width=_WIDTH, color_system=None)
        with console.capture() as captured:
            console.print(self)
        return "\n".join(line.rstrip() for line in captured.get().splitlines())
