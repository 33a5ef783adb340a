"""Prepares one FLAIR series as the network sees it."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference_worker.flair_input import FlairInputError, read_flair
from inference_worker.network_grid import SourceWindow
from inference_worker.preprocessing import Preprocessing, PreprocessingError
from plaqueview.imaging.dicom_read import SeriesReadError
from plaqueview.imaging.nifti import NiftiError, write_volume_nifti
from plaqueview.imaging.volume import Volume, axial_reorientation

REFUSALS = (FlairInputError, NiftiError, PreprocessingError, SeriesReadError)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("input", type=Path, metavar="INPUT", help="NIfTI file, or folder with one DICOM series")
    parser.add_argument(
        "--output",
        type=Path,
        required=True,
        metavar="FILE",
        help="NIfTI to write of the slices that the network sees: 256x256, 0 to 1, axial, masked, in their place",
    )
    parser.add_argument(
        "--brain-mask", type=Path, metavar="FILE", help="NIfTI to write of the brain mask, 0 or 1, on INPUT's own grid"
    )


def run(arguments: argparse.Namespace) -> None:
    flair = read_flair(arguments.input)
    reorientation = axial_reorientation(flair.volume.affine)
    axial = reorientation.apply_to(flair.volume)
    prepared = Preprocessing().prepare(axial)
    write_volume_nifti(arguments.output, Volume(prepared.slices, affine_of_squares(axial.affine, prepared.window)))
    if arguments.brain_mask:
        flair.write(arguments.brain_mask, reorientation.undo(prepared.brain_mask))
    record = {
        "preprocessing_version": prepared.version,
        "seconds": {step: round(seconds, 4) for step, seconds in prepared.seconds.items()},
        "brain_volume_ml": round(float(prepared.brain_mask.sum()) * axial.voxel_volume_ml, 1),
        "pixel_mm": prepared.window.grid.pixel_mm,
    }
    sys.stdout.write(json.dumps(record) + "\n")


def affine_of_squares(affine: NDArray[np.float64], window: SourceWindow) -> NDArray[np.float64]:
    """(slice, row, column) of the network's squares to mm, LPS; they share their centre with the source's rectangle."""
    grid = window.grid
    squares = affine.copy()
    squares[:3, 1] *= grid.pixel_mm / grid.spacing_mm[0]
    squares[:3, 2] *= grid.pixel_mm / grid.spacing_mm[1]
    middle = affine @ [0.0, window.top + (grid.rows - 1) / 2.0, window.left + (grid.columns - 1) / 2.0, 1.0]
    squares[:3, 3] = middle[:3] - (squares[:3, 1] + squares[:3, 2]) * (grid.size - 1) / 2.0
    return squares
