"""Compares a model's predictions with labels, by study."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from inference_worker.dataset import DatasetError, StudyFiles
from inference_worker.evaluation import StudyFigures, evaluate_study
from inference_worker.evaluation_data import choose_studies, read_study
from inference_worker.labels import LabelError
from inference_worker.metrics import MetricError
from inference_worker.prediction import PROVIDERS, DeviceError, Segmenter, WeightsError
from inference_worker.preprocessing import PreprocessingError
from inference_worker.progress import ProgressLine
from inference_worker.summary import summarise
from inference_worker.tables import markdown_table
from plaqueview.imaging.lesions import CountingRule
from plaqueview.imaging.nifti import NiftiError

REFUSALS = (DatasetError, DeviceError, LabelError, MetricError, NiftiError, PreprocessingError, WeightsError)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    rule = CountingRule()
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        metavar="FOLDER",
        help="folder of studies, each with flair.nii.gz and labels.nii.gz (0/1/2) or lesion.nii.gz (no class)",
    )
    parser.add_argument("--patients", default="", metavar="NAMES", help="only these patients, with commas between")
    parser.add_argument("--weights", type=Path, metavar="FILE", help="ONNX weights (default: those that ship)")
    parser.add_argument("--device", choices=sorted(PROVIDERS), default="cpu")
    parser.add_argument("--threads", type=int, metavar="N", help="threads of the network (default: one a core)")
    parser.add_argument("--minimum-volume", type=float, default=rule.minimum_volume_mm3, metavar="MM3")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="also write the figures as a Markdown table")


def run(arguments: argparse.Namespace) -> None:
    rule = CountingRule(minimum_volume_mm3=arguments.minimum_volume)
    segmenter = Segmenter.load(arguments.weights, device=arguments.device, threads=arguments.threads, rule=rule)
    chosen = choose_studies(arguments.data, [name for name in arguments.patients.split(",") if name])
    studies = []
    with ProgressLine() as line:
        for done, files in enumerate(chosen):
            line.show(f"{done}/{len(chosen)}  {files.name}")
            studies.append(evaluate(segmenter, files))
    record = {"model": segmenter.model.name, "version": segmenter.model.version, "sha256": segmenter.model.sha256}
    sys.stdout.write(json.dumps({**record, "counting_rule": rule.sentence, **summarise(studies)}, indent=1) + "\n")
    if arguments.markdown:
        arguments.markdown.write_text(markdown_table(studies), encoding="utf-8")


def evaluate(segmenter: Segmenter, files: StudyFiles) -> StudyFigures:
    study = read_study(files)
    found = segmenter.segment(study.flair)
    return evaluate_study(study.name, found, study.labels, patient=study.patient, ventricles=study.ventricles)
