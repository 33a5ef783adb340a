"""The figures that go with `comparison.json` and `evaluation.json`, drawn from the very record that these hold."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from inference_worker.comparison import ModelResult
from inference_worker.evaluation_data import EvaluationStudy
from inference_worker.paper_table import PAPER_METRICS, paper_rows
from inference_worker.plots.calibration_curve import draw_calibration
from inference_worker.plots.radar import Rows, draw_radar
from inference_worker.plots.style import write_figure
from inference_worker.plots.triptychs import Triptych, choose_rows, draw_triptychs
from inference_worker.tables import comparison_page

Record = Mapping[str, Any]  # Any: what JSON holds

OURS = "Ours: mean of patients, any plaque"
PAPER = "The paper's: its own images, average not stated"
PAPER_CAPTION = "The two sides do not measure the same thing: other patients, another split, another average."
TRIPTYCH_CAPTION = (
    "Of each study the slice with most true plaque, studies from the lightest to the heaviest load. Volume and Dice "
    "are of the whole study. Whether a plaque is active is not validated."
)


def write_report(
    folder: Path, name: str, record: Record, results: Sequence[ModelResult], studies: Iterable[EvaluationStudy]
) -> None:
    """`NAME.json`, `NAME.md`, `radar.png`, `radar.svg`, `calibration.png` and `triptychs.png` in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    (folder / f"{name}.md").write_text(comparison_page(record), encoding="utf-8")
    about = data_sentence(record)
    radar = draw_radar({OURS: table_of_means(record), PAPER: paper_rows()}, caption=f"{about} {PAPER_CAPTION}")
    for suffix in ("png", "svg"):
        write_figure(radar, folder / f"radar.{suffix}")
    calibrations = {model: figures["calibration"] for model, figures in record["models"].items()}
    write_figure(draw_calibration(calibrations, caption=about), folder / "calibration.png")
    triptychs = choose_rows([triptych_of(study, results, record) for study in studies])
    write_figure(draw_triptychs(triptychs, caption=f"{about} {TRIPTYCH_CAPTION}"), folder / "triptychs.png")


def data_sentence(record: Record) -> str:
    model = next(iter(record["models"].values()))
    return f"{record['claim']}. Data: {record['data']}, {model['studies']} studies ({record['split']})."


def table_of_means(record: Record) -> Rows:
    return {
        name: {metric: model["mean"][metric] for metric in PAPER_METRICS} for name, model in record["models"].items()
    }


def triptych_of(study: EvaluationStudy, results: Sequence[ModelResult], record: Record) -> Triptych:
    figures = {name: model["by_study"][study.name] for name, model in record["models"].items()}
    return Triptych(
        study=study.name,
        slice_index=study.chosen_slice,
        pixel_mm=study.flair.spacing_mm[1:],
        true_volume_ml=next(iter(figures.values()))["true_volume_ml"],
        flair=study.flair.voxels[study.chosen_slice].astype(np.float32),
        truth=study.labels[study.chosen_slice],
        predictions={result.name: result.chosen_slices[study.name] for result in results},
        dice={name: each["dice"] for name, each in figures.items()},
    )
