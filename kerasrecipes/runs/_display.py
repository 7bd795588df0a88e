"""What a run shows on the screen."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from kerasrecipes.diagnosis.diagnose import diagnose
from kerasrecipes.reporting.html import duration, mean_of_networks, result_rows


def new_console(quiet: bool = False) -> Console:
    """Returns a console that never breaks a line by itself, so that paths can be copied."""
    return Console(highlight=False, soft_wrap=True, quiet=quiet)


def facts(console: Console, rows: Sequence[tuple[str, str]]) -> None:
    """Prints names and values in two columns."""
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        console.print(f"[dim]{name:<{width}}[/]  ", end="")
        console.print(value, markup=False)


def results(console: Console, metrics: Mapping[str, Mapping[str, float]]) -> None:
    """Prints a row per quantity and a column per split."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("")
    for split in metrics:
        table.add_column(split, justify="right")
    for row in result_rows(metrics):
        table.add_row(row["title"], *row["cells"])
    console.print(table)


def before(console: Console, plan: Mapping[str, Any], folder: Path) -> None:
    """Says what is about to happen; `plan` is the part of the metrics that is known by then."""
    data, fit = plan["data"], plan["fit"]
    rows = ", ".join(f"{split} {count:,}" for split, count in data["rows"].items())
    title = f"[bold]{escape(plan['name'])}[/]"
    console.print(f"{title}: {escape(plan['summary'])}" if plan["summary"] else title)
    given = ", ".join(f"{name} {value}" for name, value in plan["model"].items())
    facts(
        console,
        [
            ("recipe", f"{plan['recipe']}, {plan['parameters']:,} parameters"),
            ("model", given or "as the recipe has it"),
            ("data", f"{data['source']}, rows of shape {data['shape']}"),
            ("rows", rows),
            ("target", plan["target"]["kind"]),
            (
                "fit",
                f"up to {fit['epochs']} epochs, batch size {fit['batch_size']}, "
                f"patience {fit['patience']} on {plan['monitor']}",
            ),
            ("seed", str(plan["seed"])),
            ("device", plan["device"]),
            ("folder", str(folder)),
        ],
    )
    console.print()


def after(console: Console, metrics: Mapping[str, Any], folder: Path) -> None:
    """Shows the results, what is wrong with them, and where they are."""
    if console.quiet:
        return
    epochs = metrics["epochs"]
    console.print()
    if metrics["interrupted"]:
        console.print(
            f"[yellow]Interrupted in epoch {epochs['run']}.[/] The weights of the best epoch, "
            f"{epochs['best']}, are kept, and everything is saved. Go on: kerasrecipes train "
            f"--resume {folder}"
        )
    if epochs["best"] is None:
        console.print(f"[red]{metrics['monitor']} was never finite:[/] this model is of no use.")
    results(console, metrics["metrics"])
    console.print()
    facts(
        console,
        [
            (
                "best epoch",
                f"{epochs['best'] or 'none'} of {epochs['run']}, by {metrics['monitor']}",
            ),
            ("stopped", metrics["stopped"]),
            *([("trained", metrics["execution"])] if metrics.get("execution") else []),
            *([("went on", metrics["resumed"])] if metrics.get("resumed") else []),
            (
                "time",
                f"{duration(metrics['seconds']['fit'])} for the fit, "
                f"{duration(metrics['seconds']['total'])} in all",
            ),
            ("diagnosis", _diagnosis(folder)),
            ("run folder", str(folder)),
            ("report", str(folder / "report.html")),
        ],
    )


def inferred(console: Console, notes: Sequence[tuple[str, str]]) -> None:
    """Says what was inferred of the data, and how to say otherwise."""
    for what, how in notes:
        console.print(f"Inferred: {what}.{f' Else: {how}' if how else ''}", markup=False)


def compared(console: Console, found: Mapping[str, Any]) -> None:
    """Shows the network's scores beside those of the simplest model."""
    if console.quiet:
        return
    if found["networks"] > 1:
        console.print(f"\nThe network is {mean_of_networks(found['networks'])}.")
    if found["name"] is None:
        return
    names = {"network": "network", "baseline": found["name"], "mean": "mean of both"}
    console.print(f"\nKept: {names[found['kept']]}, for its validation loss.")
    results(console, {names[name]: each["test"] for name, each in found["scores"].items()})


def _diagnosis(folder: Path) -> str:
    """Returns what the curves of a run warn of, in a few words."""
    found = diagnose(folder).findings
    titles = [finding.title.lower() for finding in found if finding.severity == "warning"]
    more = f"; see kerasrecipes diagnose {folder}" if found else ""
    return f"{', '.join(titles) or 'no warning'}{more}"
