"""The look of every figure, on light and on dark paper."""

import io
import warnings
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure


@dataclass(frozen=True)
class Style:
    """Colours of a figure; blue and orange stay apart for colour-blind readers.

    Attributes:
        paper: Background.
        ink: Text.
        rule: Axes and grid.
        train: Training curves and points.
        validation: Validation curves.
        palette: Curves of several runs.
    """

    paper: str
    ink: str
    rule: str
    train: str
    validation: str
    palette: tuple[str, ...]

    @property
    def ramp(self) -> LinearSegmentedColormap:
        """Colours of shares, from nothing to all."""
        return LinearSegmentedColormap.from_list("shares", [self.paper, self.train])


LIGHT = Style(
    *("#ffffff", "#1f2328", "#d0d7de", "#2a6fbb", "#d9730d"),
    palette=("#2a6fbb", "#d9730d", "#1f8a5b", "#a23ea8", "#806515", "#c23b4b", "#5b6470"),
)
DARK = Style(
    *("#161b22", "#e6edf3", "#3d444d", "#6cb0ff", "#ffa657"),
    palette=("#6cb0ff", "#ffa657", "#56d39b", "#e28ae8", "#e0c055", "#ff8a94", "#a9b2bd"),
)


_MARGIN = 0.09  # inches around each panel


def new_figure(width: float, height: float, style: Style) -> Figure:
    """Returns an empty figure that no window owns, in inches."""
    figure = Figure(figsize=(width, height), facecolor=style.paper)
    figure.set_layout_engine("constrained", w_pad=_MARGIN, h_pad=_MARGIN)
    FigureCanvasAgg(figure)
    return figure


def dress(axes: Axes, style: Style, *, title: str, x_label: str, y_label: str = "") -> None:
    """Gives axes their colours, title and labels, and takes the box away."""
    axes.set_facecolor(style.paper)
    axes.set_title(title, loc="left", color=style.ink, fontsize=11)
    axes.set_xlabel(x_label, color=style.ink)
    axes.set_ylabel(y_label, color=style.ink)
    axes.tick_params(colors=style.ink, labelsize=9)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(style.rule)
    axes.grid(True, color=style.rule, linewidth=0.6, alpha=0.6)
    axes.set_axisbelow(True)


def legend(axes: Axes, style: Style, **arguments: Any) -> None:
    """Adds a legend without a frame."""
    axes.legend(frameon=False, fontsize=9, labelcolor=style.ink, **arguments)


def to_png(figure: Figure, *, dpi: int = 150) -> bytes:
    """Returns the figure as a PNG file's bytes, the same bytes for the same figure."""
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # Names of classes and columns may be in a script that the font lacks.
        warnings.filterwarnings("ignore", "Glyph .* missing from", UserWarning)
        figure.savefig(buffer, format="png", dpi=dpi, metadata={"Software": None})
    return buffer.getvalue()
