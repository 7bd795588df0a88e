"""`kerasrecipes export`."""

from pathlib import Path

import click

from kerasrecipes.cli import _options
from kerasrecipes.cli._quiet_import import quiet_import

_NAMES = {
    "keras": "plain.keras",
    "tf_saved_model": "saved_model",
    "onnx": "model.onnx",
    "litert": "model.tflite",
}
_EXAMPLES = """
\b
Examples:
  kerasrecipes export runs/digits-mlp/20260102-030405 --format onnx
  kerasrecipes export runs/digits-mlp/20260102-030405 --out model.tflite
"""


@click.command(epilog=_EXAMPLES)
@_options.RUN
@click.option(
    "--format",
    "format_",
    type=click.Choice(["auto", *_NAMES]),
    default="auto",
    show_default=True,
    help="keras is a file of Keras's own layers, which loads without this package; "
    "tf_saved_model a folder; auto what the suffix of --out says.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="Write there; replaces an earlier export. [default: in the run folder, named for the "
    "format]",
)
def export(run: str, format_: str, out: Path | None) -> None:
    """Write a run's model for other runtimes, or for plain Keras.

    RUN is a run folder. What was written is told with its inputs and outputs. ONNX and LiteRT have
    no strings: models for tables and texts start after the encoding there, and a file
    PATH.encoding.json says how to compute that.
    """
    if format_ == "auto" and out is None:
        raise click.UsageError("Say --format or --out.")
    evaluation = quiet_import("kerasrecipes.runs.evaluation")
    folder = quiet_import("kerasrecipes.runs.folder")
    exporting = quiet_import("kerasrecipes.exporting")
    path = folder.check(run)
    target = path / _NAMES[format_] if out is None else out
    written = exporting.export(evaluation.load_model(path), target, format=format_)
    click.echo(written)
    if written.encoding is not None:
        beside = target.with_name(f"{target.name}.encoding.json")
        folder.write_json(beside, written.encoding)
        click.echo(f"encode  rows as {beside} says")
