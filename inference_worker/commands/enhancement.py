"""Finds the lesions that took up contrast agent, from T1s of the same visit before and after it."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np

from inference_worker.flair_input import FlairInputError, read_flair
from inference_worker.graphs import DeviceError, WeightsError
from inference_worker.prediction import Segmenter
from inference_worker.preprocessing import PreprocessingError
from inference_worker.segmenter_arguments import add_segmenter_arguments, loaded_segmenter
from inference_worker.uptake_finding import paired
from plaqueview.imaging.claims import RESEARCH_NOTICE
from plaqueview.imaging.dicom_read import SeriesReadError
from plaqueview.imaging.enhancement import SUGGESTION, EnhancementRule, Uptake, find_uptakes
from plaqueview.imaging.lesions import LesionError, LesionTable, measure_lesions
from plaqueview.imaging.matched_intensities import IntensityError
from plaqueview.imaging.nifti import NiftiError
from plaqueview.imaging.registration import RegistrationError
from plaqueview.imaging.segmentation import Segmentation
from plaqueview.imaging.volume import Volume


class LesionMaskError(ValueError):
    """The lesions do not belong to the FLAIR."""


REFUSALS = (
    DeviceError,
    FlairInputError,
    IntensityError,
    LesionError,
    LesionMaskError,
    NiftiError,
    PreprocessingError,
    RegistrationError,
    SeriesReadError,
    WeightsError,
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("flair", type=Path, metavar="FLAIR", help="NIfTI file, or folder with one DICOM series")
    parser.add_argument("before", type=Path, metavar="BEFORE", help="the same of the T1 before contrast agent")
    parser.add_argument("after", type=Path, metavar="AFTER", help="the same of the T1 after it")
    parser.add_argument(
        "--lesions", type=Path, metavar="MASK", help="NIfTI on the grid of FLAIR to ask about (default: the network's)"
    )
    add_segmenter_arguments(parser)


def run(arguments: argparse.Namespace) -> None:
    flair, before, after = (read_flair(path).volume for path in (arguments.flair, arguments.before, arguments.after))
    mask = read_flair(arguments.lesions).volume if arguments.lesions else None
    if mask is not None:
        check_grid(mask, flair)
    segmenter = loaded_segmenter(arguments)
    found = segmenter.segment(flair)
    table = found.lesions if mask is None else lesions_of(mask, segmenter)
    movement, pair = paired(before, after)
    uptakes = find_uptakes(flair.with_voxels(table.lesion_numbers), pair, found.brain_mask, rule=EnhancementRule())
    sys.stdout.write(json.dumps(summary(table, uptakes, found, segmenter) | {"similarity": movement.similarity}) + "\n")


def check_grid(mask: Volume, flair: Volume) -> None:
    """Raises: LesionMaskError when the lesions lie on another grid than the FLAIR."""
    if not mask.lies_on(flair):
        raise LesionMaskError(f"lesions have shape {mask.shape} or another place, need the grid {flair.shape}")


def lesions_of(mask: Volume, segmenter: Segmenter) -> LesionTable:
    """The lesions of a mask, whatever their class."""
    return measure_lesions(mask.with_voxels((mask.voxels > 0).astype(np.uint8)), None, rule=segmenter.rule)


def summary(
    table: LesionTable, uptakes: tuple[Uptake, ...], found: Segmentation, segmenter: Segmenter
) -> dict[str, object]:
    """What the command prints, as JSON."""
    return {
        "model": segmenter.model.name,
        "version": segmenter.model.version,
        "sha256": segmenter.model.sha256,
        "lesions": len(table.lesions),
        "enhancing": sorted({one.lesion for one in uptakes}),
        "uptakes": [asdict(one) for one in uptakes],
        "enhancement_rule": EnhancementRule().sentence,
        "suggestion": SUGGESTION,
        "counting_rule": found.lesions.rule.sentence,
        "notice": RESEARCH_NOTICE,
    }
