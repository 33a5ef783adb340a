"""The calibration curve of P(any plaque), with the number of voxels that each point stands for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from inference_worker.plots.style import FAINT, looks, new_figure, styled

Record = Mapping[str, Any]  # Any: a model's `calibration` as JSON holds it


@styled
def draw_calibration(models: Mapping[str, Record], *, caption: str) -> Figure:
    figure, body = new_figure(6.0, 6.4 + 0.2 * len(models), caption)
    curve, counts = body.subplots(2, 1, sharex=True, height_ratios=(3.0, 1.0))
    curve.plot([0, 1], [0, 1], color=FAINT, linewidth=1, linestyle=":", label="perfect")
    for (name, calibration), look in zip(models.items(), looks(len(models)), strict=True):
        draw_curve(curve, counts, name, calibration, look)
    curve.set(xlim=(0, 1), ylim=(0, 1), ylabel="share of voxels that are plaque")
    curve.set_title("Calibration inside the brain mask")
    body.legend(handles=curve.lines, loc="outside lower center", fontsize=8, handlelength=3.0)
    counts.set(yscale="log", xlabel="predicted probability of any plaque", ylabel="voxels")
    for axes in (curve, counts):
        axes.grid(visible=True)
        axes.set_axisbelow(True)
    return figure


def draw_curve(curve: Axes, counts: Axes, name: str, calibration: Record, look: Mapping[str, Any]) -> None:
    filled = [each for each in calibration["bins"] if each["voxels"]]
    means = [each["mean_probability"] for each in filled]
    label = f"{name} (expected calibration error {calibration['expected_calibration_error']:.4f})"
    curve.plot(means, [each["plaque_share"] for each in filled], label=label, linewidth=1.6, markersize=5, **look)
    counts.plot(means, [each["voxels"] for each in filled], linewidth=1.2, markersize=4, **look)
