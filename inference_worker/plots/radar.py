"""The source paper's Figure 6: networks over six metrics, ours beside the paper's."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure, SubFigure
from matplotlib.projections.polar import PolarAxes

from inference_worker.paper_table import PAPER_METRICS
from inference_worker.plots.style import looks, new_figure, styled

BEHIND_NUMBERS = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.8}
Rows = Mapping[str, Mapping[str, float]]  # name of a network or an average -> metric -> value


@styled
def draw_radar(panels: Mapping[str, Rows], *, caption: str) -> Figure:
    """One panel a title, side by side, all with the same radial axis; the caption is told where it begins."""
    low = lowest_ring(panels)
    rows = max(len(panel) for panel in panels.values())
    text = f"{caption} The radial axis runs from {low:g} to 1."
    figure, body = new_figure(5.4 * len(panels), 4.6 + 0.22 * rows, text)
    for number, (title, panel) in enumerate(panels.items(), start=1):
        draw_panel(body, (1, len(panels), number), title, panel, low)
    return figure


def lowest_ring(panels: Mapping[str, Rows]) -> float:
    """The tenth below every value, and at least -1, the lowest that a metric (MCC) can be."""
    lowest = min(value for panel in panels.values() for row in panel.values() for value in row.values())
    return max(-1.0, float(np.floor((lowest - 0.02) * 10.0) / 10.0))


def draw_panel(body: SubFigure, place: tuple[int, int, int], title: str, panel: Rows, low: float) -> None:
    axes = body.add_subplot(*place, projection="polar")
    assert isinstance(axes, PolarAxes)
    angles = np.linspace(0.0, 2.0 * np.pi, len(PAPER_METRICS), endpoint=False)
    for (name, row), look in zip(panel.items(), looks(len(panel)), strict=True):
        values = [row[metric] for metric in PAPER_METRICS]
        label = f"{name} (Dice {row['dice']:.3f})"
        axes.plot([*angles, angles[0]], [*values, values[0]], label=label, linewidth=1.6, markersize=4, **look)
    axes.set_theta_offset(np.pi / 2.0)
    axes.set_theta_direction(-1)
    axes.set_xticks(angles, list(PAPER_METRICS.values()), size=10)
    axes.tick_params(axis="x", pad=8)
    axes.set_ylim(low, 1.0)
    rings = np.arange(low, 1.0 + 1e-9, 0.1 if low >= 0.3 else 0.2)
    axes.set_yticks(rings, [""] * len(rings))
    for ring in rings[1:]:  # as texts, since labels of an axis lie under the curves
        axes.text(angles[1] / 2.0, ring, f"{ring:.1f}", size=8, ha="center", va="center", bbox=BEHIND_NUMBERS, zorder=6)
    axes.spines["polar"].set_color("#BBBBBB")
    axes.set_title(title, pad=18)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.12), fontsize=8, handlelength=3.2)
