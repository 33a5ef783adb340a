"""What all figures share: colours that colour-blind readers tell apart, dark text on white, a caption, the file."""

from __future__ import annotations

import textwrap
from itertools import cycle
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure, SubFigure

from plaqueview.imaging.claims import RESEARCH_NOTICE

# Source: Okabe and Ito, "Color Universal Design" (2008), without its yellow, which is faint on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000", "#56B4E9", "#E69F00")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")  # colour is never the only difference
LINES = ("-", "--", "-.", ":")
TEXT = "#222222"
FAINT = "#8C8C8C"
PIXELS_PER_INCH = 160
CAPTION_SIZE = 7.5
CAPTION_INCHES = 0.14  # of one line
LETTERS_PER_INCH = 17

# A decorator for every function that draws, so that no other user of matplotlib in the process sees a change.
styled = mpl.rc_context(
    {
        "axes.edgecolor": FAINT,
        "axes.labelcolor": TEXT,
        "axes.spines.right": False,
        "axes.spines.top": False,
        "axes.titlecolor": TEXT,
        "axes.titlesize": 10,
        "figure.facecolor": "white",
        "font.family": "DejaVu Sans",
        "font.size": 9,
        "grid.color": "#DDDDDD",
        "grid.linewidth": 0.7,
        "legend.frameon": False,
        "savefig.facecolor": "white",
        "svg.fonttype": "none",
        "svg.hashsalt": "plaqueview",
        "text.color": TEXT,
        "xtick.color": TEXT,
        "ytick.color": TEXT,
    }
)


def new_figure(width: float, height: float, caption: str) -> tuple[Figure, SubFigure]:
    """A figure and the part of it, of the given size in inches, to draw on; the caption stands below that.

    Every caption ends with what the figure is for.
    """
    lines = textwrap.wrap(f"{caption} {RESEARCH_NOTICE}", int(width * LETTERS_PER_INCH), break_on_hyphens=False)
    below = len(lines) * CAPTION_INCHES + 0.12
    figure = Figure(figsize=(width, height + below), dpi=PIXELS_PER_INCH, layout="constrained")
    body, foot = figure.subfigures(2, 1, squeeze=False, height_ratios=(height, below))[:, 0]
    foot.text(0.012, 0.98, "\n".join(lines), size=CAPTION_SIZE, va="top", linespacing=1.25)
    return figure, body


def looks(count: int) -> list[dict[str, Any]]:  # Any: arguments of matplotlib's `plot`
    """Colour, marker and line of each of `count` curves."""
    kinds = zip(cycle(COLOURS), cycle(MARKERS), cycle(LINES), range(count), strict=False)
    return [{"color": colour, "marker": marker, "linestyle": line} for colour, marker, line, _ in kinds]


@styled
def write_figure(figure: Figure, path: Path) -> None:
    """Writes a PNG or an SVG, by the path's suffix; the same figure gives the same bytes."""
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else {"Software": None})
