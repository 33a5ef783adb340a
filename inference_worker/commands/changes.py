"""Finds what is new or enlarging between two FLAIRs of one patient, and scores it where an expert marked it."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np

from inference_worker.change_finding import ChangeTruthError, FoundChanges, check_truth, find_changes, scores
from inference_worker.flair_input import FlairInputError, read_flair
from inference_worker.graphs import DeviceError, WeightsError
from inference_worker.prediction import Segmenter
from inference_worker.preprocessing import PreprocessingError
from inference_worker.segmenter_arguments import add_segmenter_arguments, loaded_segmenter
from plaqueview.imaging.brightening import BrighteningRule
from plaqueview.imaging.claims import RESEARCH_NOTICE
from plaqueview.imaging.dicom_read import SeriesReadError
from plaqueview.imaging.lesions import LesionError
from plaqueview.imaging.matched_intensities import IntensityError
from plaqueview.imaging.nifti import NiftiError
from plaqueview.imaging.registration import RegistrationError

REFUSALS = (
    IntensityError,
    ChangeTruthError,
    DeviceError,
    FlairInputError,
    LesionError,
    NiftiError,
    PreprocessingError,
    RegistrationError,
    SeriesReadError,
    WeightsError,
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("prior", type=Path, metavar="PRIOR", help="NIfTI file, or folder with one DICOM series")
    parser.add_argument("current", type=Path, metavar="CURRENT", help="the same of the later visit")
    parser.add_argument(
        "--output",
        type=Path,
        metavar="MASK",
        help="NIfTI to write on the grid of CURRENT: 1 new or enlarging lesion, 2 became brighter, 3 both",
    )
    parser.add_argument(
        "--truth",
        type=Path,
        metavar="FILE",
        help="NIfTI on the grid of CURRENT with an expert's changes: 1 new or enlarging, 2 shrinking, 3 open",
    )
    add_segmenter_arguments(parser)


def run(arguments: argparse.Namespace) -> None:
    prior, current = read_flair(arguments.prior), read_flair(arguments.current)
    truth = read_flair(arguments.truth).volume if arguments.truth else None
    if truth is not None:
        check_truth(truth, current.volume)
    segmenter = loaded_segmenter(arguments)
    found = find_changes(current.volume, prior.volume, segmenter=segmenter)
    printed = summary(found, segmenter)
    if truth is not None:
        least_mm3 = segmenter.rule.minimum_volume_mm3
        scored = scores(found, truth, minimum_volume_mm3=least_mm3)
        printed["scores"] = {name: one.figures() for name, one in scored.items()}
    if arguments.output:
        current.write(arguments.output, found.grown.astype(np.uint8) + 2 * found.brightened.astype(np.uint8))
    sys.stdout.write(json.dumps(printed) + "\n")


def summary(found: FoundChanges, segmenter: Segmenter) -> dict[str, object]:
    """What the command prints, as JSON, but for the scores."""
    return {
        "model": segmenter.model.name,
        "version": segmenter.model.version,
        "sha256": segmenter.model.sha256,
        "similarity": round(found.registration.similarity, 4),
        "counts": {kind.value: count for kind, count in found.comparison.counts().items()},
        "change_rule": found.comparison.rule.sentence,
        "brightened_voxels": int(found.brightened.sum()),
        "brightening_rule": BrighteningRule().sentence,
        "counting_rule": segmenter.rule.sentence,
        "notice": RESEARCH_NOTICE,
    }
