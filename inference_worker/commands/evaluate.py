"""Compares a model's predictions with labels, by study."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference_worker.comparison import ModelResult, comparison_record
from inference_worker.dataset import DatasetError, StudyFiles, named
from inference_worker.evaluation import StudyFigures, evaluate_study
from inference_worker.evaluation_data import choose_studies, read_study
from inference_worker.graphs import DeviceError, WeightsError
from inference_worker.labels import LabelError
from inference_worker.metrics import MetricError
from inference_worker.outputs import check_file, check_folder
from inference_worker.prediction import Segmenter
from inference_worker.preprocessing import PreprocessingError
from inference_worker.progress import ProgressLine
from inference_worker.segmenter_arguments import add_segmenter_arguments, loaded_segmenter
from inference_worker.summary import summarise
from inference_worker.tables import markdown_table
from plaqueview.imaging.lesions import CountingRule, LesionError
from plaqueview.imaging.nifti import NiftiError
from plaqueview.imaging.png_pairs import PngPairsError

UNKNOWN_SPLIT = "whether the model was trained on them is the caller's to know"
REFUSALS = (
    DatasetError,
    DeviceError,
    LabelError,
    LesionError,
    MetricError,
    NiftiError,
    PngPairsError,
    PreprocessingError,
    WeightsError,
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    rule = CountingRule()
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        metavar="FOLDER",
        help="folder of studies, each with flair.nii.gz and labels.nii.gz (0/1/2 or 0/127/255) or lesion.nii.gz "
        "(plaques without class), or PNG pairs with spacing_mm.json",
    )
    parser.add_argument("--patients", default="", metavar="NAMES", help="only these patients, with commas between")
    add_segmenter_arguments(parser)
    parser.add_argument("--minimum-volume", type=float, default=rule.minimum_volume_mm3, metavar="MM3")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="also write the figures as a Markdown table")
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FOLDER",
        help="also write evaluation.json, evaluation.md and figures as PNG and SVG (needs the extra 'training')",
    )


def run(arguments: argparse.Namespace) -> None:
    report = importlib.import_module("inference_worker.plots.report") if arguments.output else None
    rule = CountingRule(minimum_volume_mm3=arguments.minimum_volume)
    if arguments.markdown:
        check_file(arguments.markdown)
    if arguments.output:
        check_folder(arguments.output)
    segmenter = loaded_segmenter(arguments, rule=rule)
    files = choose_studies(arguments.data, [name for name in arguments.patients.split(",") if name])
    with ProgressLine() as line:
        result = evaluate(segmenter, files, line)
    record = {"model": segmenter.model.name, "version": segmenter.model.version, "sha256": segmenter.model.sha256}
    figures = {**record, "counting_rule": rule.sentence, **summarise(result.studies)}
    sys.stdout.write(json.dumps(figures, indent=1) + "\n")
    if arguments.markdown:
        arguments.markdown.write_text(markdown_table(result.studies), encoding="utf-8")
    if report:
        shown = comparison_record([result], data=arguments.data.name, split=UNKNOWN_SPLIT, rule=rule)
        report.write_report(arguments.output, "evaluation", {**record, **shown}, [result], map(read_study, files))


def evaluate(segmenter: Segmenter, files: Sequence[StudyFiles], line: ProgressLine) -> ModelResult:
    """The model's figures of every study, one after the other: one volume is in memory at a time."""
    figures: list[StudyFigures] = []
    chosen_slices: dict[str, NDArray[np.uint8]] = {}
    for done, each in enumerate(files):
        line.show(f"{done}/{len(files)}  {each.name}")
        with named(each.name):
            study = read_study(each)
            found = segmenter.segment(study.flair)
        chosen_slices[study.name] = found.labels.voxels[study.chosen_slice].copy()
        figures.append(
            evaluate_study(study.name, found, study.labels, patient=study.patient, ventricles=study.ventricles)
        )
    return ModelResult(f"{segmenter.model.name} {segmenter.model.version}", tuple(figures), chosen_slices)
