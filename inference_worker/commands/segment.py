"""Marks the plaques of one FLAIR series."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from inference_worker.flair_input import FlairInputError, read_flair
from inference_worker.graphs import DeviceError, WeightsError
from inference_worker.outputs import check_file
from inference_worker.prediction import ModelIdentity
from inference_worker.preprocessing import PreprocessingError
from inference_worker.progress import ProgressLine
from inference_worker.segmenter_arguments import add_segmenter_arguments, loaded_segmenter
from plaqueview.imaging.claims import PREDICTION_CLAIM, RESEARCH_NOTICE
from plaqueview.imaging.dicom_read import SeriesReadError
from plaqueview.imaging.lesions import CountingRule, LesionError
from plaqueview.imaging.nifti import NiftiError
from plaqueview.imaging.segmentation import Segmentation

REFUSALS = (
    DeviceError,
    FlairInputError,
    LesionError,
    NiftiError,
    PreprocessingError,
    SeriesReadError,
    WeightsError,
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    rule = CountingRule()
    parser.add_argument("input", type=Path, metavar="INPUT", help="NIfTI file, or folder with one DICOM series")
    parser.add_argument(
        "--output",
        type=Path,
        required=True,
        metavar="MASK",
        help="NIfTI of labels to write: 0 background, 1 inactive, 2 active, on the grid and affine of INPUT",
    )
    parser.add_argument("--probabilities", type=Path, metavar="FILE", help="NIfTI to write of P(inactive) + P(active)")
    parser.add_argument("--brain-mask", type=Path, metavar="FILE", help="NIfTI to write of the brain mask, 0 or 1")
    add_segmenter_arguments(parser)
    parser.add_argument(
        "--minimum-volume",
        type=float,
        default=rule.minimum_volume_mm3,
        metavar="MM3",
        help=f"volume below which a component is no lesion (default: {rule.minimum_volume_mm3:g} mm³)",
    )


def run(arguments: argparse.Namespace) -> None:
    for path in filter(None, (arguments.output, arguments.probabilities, arguments.brain_mask)):
        check_file(path)
    flair = read_flair(arguments.input)
    rule = CountingRule(minimum_volume_mm3=arguments.minimum_volume)
    segmenter = loaded_segmenter(arguments, rule=rule)
    with ProgressLine() as line:
        found = segmenter.segment(flair.volume, on_progress=lambda share: line.show(f"{share:4.0%}"))
    flair.write(arguments.output, found.labels.voxels)
    if arguments.probabilities:
        flair.write(arguments.probabilities, found.plaque_probability)
    if arguments.brain_mask:
        flair.write(arguments.brain_mask, found.brain_mask)
    sys.stdout.write(json.dumps(summary(found, segmenter.model)) + "\n")


def summary(found: Segmentation, model: ModelIdentity) -> dict[str, object]:
    """What the command prints, as JSON."""
    return {
        "model": model.name,
        "version": model.version,
        "sha256": model.sha256,
        "computation": found.computation,
        "preprocessing_version": model.preprocessing_version,
        "reading": asdict(model.reading),
        "seconds": {step: round(seconds, 4) for step, seconds in found.seconds.items()},
        "lesion_counts": {kind.value: count for kind, count in found.lesions.counts().items()},
        "lesion_volumes_ml": {kind.value: round(ml, 4) for kind, ml in found.lesions.volumes_ml().items()},
        "counting_rule": found.lesions.rule.sentence,
        "claim": PREDICTION_CLAIM,
        "notice": RESEARCH_NOTICE,
        "warnings": list(found.warnings),
    }
