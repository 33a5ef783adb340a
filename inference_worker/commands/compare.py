"""Compares models on the patients that each of them was not trained on."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from inference_worker.comparison import (
    HELD_OUT_SPLIT,
    ComparisonError,
    check_studies,
    choose_models,
    compare,
    comparison_record,
    find_models,
)
from inference_worker.dataset import DatasetError, StudyFiles, named
from inference_worker.evaluation_data import EvaluationStudy, choose_studies, read_study
from inference_worker.held_out import HELD_OUT_NAME, HeldOutError
from inference_worker.labels import LabelError
from inference_worker.metrics import MetricError
from inference_worker.outputs import check_folder
from inference_worker.plots.report import write_report
from inference_worker.preprocessing import PreprocessingError
from inference_worker.progress import ProgressLine
from plaqueview.imaging.lesions import CountingRule, LesionError
from plaqueview.imaging.nifti import NiftiError
from plaqueview.imaging.png_pairs import PngPairsError

REFUSALS = (
    ComparisonError,
    DatasetError,
    HeldOutError,
    LabelError,
    LesionError,
    MetricError,
    NiftiError,
    PngPairsError,
    PreprocessingError,
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    rule = CountingRule()
    parser.add_argument(
        "runs",
        type=Path,
        nargs="+",
        metavar="RUNS",
        help=f"folder with one folder a model, each with one folder a fold, as `train --folds` writes them, with its "
        f"{HELD_OUT_NAME}; neither weights nor torch are needed",
    )
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        metavar="FOLDER",
        help="folder of the studies that the models were trained and held out on: flair.nii.gz and labels.nii.gz or "
        "lesion.nii.gz, or PNG pairs with spacing_mm.json, and ventricles.nii.gz where there is one",
    )
    parser.add_argument("--patients", default="", metavar="NAMES", help="only these patients, with commas between")
    parser.add_argument(
        "--models",
        default="",
        metavar="NAMES",
        help="only these models, with commas between, in this order (default: all by name); the first is the one that "
        "the others are tested against",
    )
    parser.add_argument("--minimum-volume", type=float, default=rule.minimum_volume_mm3, metavar="MM3")
    parser.add_argument("--output", type=Path, required=True, metavar="FOLDER", help="folder for JSON, tables, figures")


def run(arguments: argparse.Namespace) -> None:
    rule = CountingRule(minimum_volume_mm3=arguments.minimum_volume)
    models = choose_models(find_models(arguments.runs), names_of(arguments.models))
    files = choose_studies(arguments.data, names_of(arguments.patients))
    check_studies(models, [study.name for study in files])
    check_folder(arguments.output)
    studies = [read_named(study) for study in files]
    with ProgressLine() as line:
        results = compare(models, studies, rule=rule, on_progress=line.show)
    record = comparison_record(results, data=arguments.data.name, split=HELD_OUT_SPLIT, rule=rule)
    write_report(arguments.output, "comparison", record, results, studies)
    sys.stdout.write(json.dumps({"output": str(arguments.output), "models": [model.name for model in models]}) + "\n")


def read_named(files: StudyFiles) -> EvaluationStudy:
    """As `read_study`; what it raises says of which study."""
    with named(files.name):
        return read_study(files)


def names_of(text: str) -> list[str]:
    return [name for name in text.split(",") if name]
