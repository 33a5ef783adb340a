"""Draws the figures that show what the preprocessing does."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from inference_worker.dataset import FLAIR_NAME, DatasetError
from inference_worker.flair_input import FlairInputError, read_flair
from inference_worker.mask_measures import RULE, measure_masks
from inference_worker.plots.brain_masks import draw_brain_masks, mask_row
from inference_worker.plots.preprocessing_steps import draw_steps, steps_of_three_slices
from inference_worker.plots.style import write_figure
from inference_worker.preprocessing import Preprocessing, PreprocessingError
from inference_worker.progress import ProgressLine
from plaqueview.imaging.dicom_read import SeriesReadError
from plaqueview.imaging.nifti import NiftiError
from plaqueview.imaging.volume import axial_reorientation

REFUSALS = (DatasetError, FlairInputError, NiftiError, PreprocessingError, SeriesReadError)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "figure",
        choices=FIGURES,
        help="preprocessing: every step on three slices of one study (figure 1 of the source paper); brain-masks: the "
        "brain mask on the lowest and highest slices of every study of a folder, with the share of the expert's "
        "lesions inside it and its Dice with a given brain_mask.nii.gz or brainmask.nii.gz, also as JSON",
    )
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        metavar="STUDY",
        help=f"preprocessing: NIfTI file, folder with {FLAIR_NAME} or with one DICOM series; brain-masks: folder of "
        "studies, each with flair*.nii.gz",
    )
    parser.add_argument("--output", type=Path, required=True, metavar="FILE", help="PNG or SVG to write")


def run(arguments: argparse.Namespace) -> None:
    if arguments.output.suffix not in (".png", ".svg"):
        raise DatasetError(f"figure {arguments.output.name} has another suffix, need .png or .svg")
    FIGURES[arguments.figure](arguments.data, arguments.output)


def preprocessing(study: Path, output: Path) -> None:
    nifti = study / FLAIR_NAME
    volume = read_flair(nifti if nifti.is_file() else study).volume
    axial = axial_reorientation(volume.affine).apply_to(volume)
    slices = steps_of_three_slices(axial)
    version = Preprocessing().version
    caption = (
        f"Steps of the preprocessing, version {version}, on slices of {study.name}: grey value ranges under each "
        "picture, whose darkest value is black and whose brightest is white."
    )
    write_figure(draw_steps(slices, axial.spacing_mm[1:], caption=caption), output)
    sys.stdout.write(json.dumps({"preprocessing_version": version, "slices": [index + 1 for index in slices]}) + "\n")


def brain_masks(folder: Path, output: Path) -> None:
    rows = []
    with ProgressLine() as line:
        for study in measure_masks(folder):
            line.show(study.measure.study)
            rows.append(mask_row(study))
    version = Preprocessing().version
    caption = f"Brain mask, preprocessing version {version}, on {folder.name}; slice numbers in the corners."
    write_figure(draw_brain_masks(rows, caption=caption), output)
    record = {"preprocessing_version": version, "rule": RULE, "studies": [row.measure.record() for row in rows]}
    sys.stdout.write(json.dumps(record, indent=1) + "\n")


FIGURES: Mapping[str, Callable[[Path, Path], None]] = {"preprocessing": preprocessing, "brain-masks": brain_masks}
