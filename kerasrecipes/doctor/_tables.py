"""The tables of an examination."""

from collections.abc import Mapping, Sequence

from rich.table import Table
from rich.text import Text

from kerasrecipes.doctor.findings import HAS_IT, MENDED, NOT_PROBED, Device, Fault, Strategy

_COLORS = {HAS_IT: "yellow", MENDED: "green", NOT_PROBED: "dim"}


def versions(found: Mapping[str, str | None]) -> Table:
    """Returns the versions in two columns."""
    table = _table("Versions", "what", "version")
    for name, version in found.items():
        table.add_row(name, Text(version or "not installed", style="" if version else "dim"))
    return table


def devices(found: Sequence[Device]) -> Table:
    """Returns a row per device."""
    table = _table("Devices", "device", "kind", "memory")
    for device in found:
        table.add_row(device.name, Text(device.kind), device.gibibytes)
    return table


def strategies(found: Sequence[Strategy]) -> Table:
    """Returns a row per strategy."""
    table = _table("Strategies of tf.distribute, with plain Keras", "strategy", "works", "seen")
    for each in found:
        works = "yes" if each.trains else "made, does not train" if each.made else "no"
        color = "green" if each.trains else "yellow"
        table.add_row(Text(each.name), Text(works, style=color), Text(each.seen))
    return table


def faults(found: Sequence[Fault]) -> Table:
    """Returns a row per fault: what it is, what was seen, and what to use instead."""
    table = _table("Known faults of Keras and KerasTuner", "id", "here", "what, seen, instead")
    for fault in found:
        state = Text(fault.state, style=_COLORS[fault.state])
        said = Text.assemble(
            fault.what, ("\n" + fault.seen, "dim"), ("\n-> " + fault.instead, "cyan")
        )
        table.add_row(fault.id, state, said)
    return table


def _table(title: str, *columns: str) -> Table:
    table = Table(
        title=title, title_justify="left", title_style="bold", box=None, pad_edge=False,
        header_style="dim",
    )  # fmt: skip
    for name in columns:
        table.add_column(name, no_wrap=name in ("id", "here"), overflow="fold")
    return table
