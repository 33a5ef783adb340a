"""Makes FLAIR studies with plaques of known place, size and class."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np

from inference_worker.argument_types import not_negative, positive
from inference_worker.synthesis import (
    SyntheticPatient,
    SyntheticStudy,
    Visit,
    draw_request,
    synthesise,
    write_demo_patients,
    write_dicom_series,
)
from plaqueview.imaging.nifti import NiftiError, write_volume_nifti

REFUSALS = (NiftiError,)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    place = parser.add_mutually_exclusive_group(required=True)
    place.add_argument("--output", type=Path, metavar="FOLDER", help="folder to write studies of new persons to")
    place.add_argument(
        "--demo-patients", type=Path, metavar="FOLDER", help="folder to write the demo's two patients to, as DICOM"
    )
    parser.add_argument("--count", type=positive, default=1, metavar="N", help="studies to write to --output (1)")
    parser.add_argument(
        "--seed", type=not_negative, default=0, metavar="N", help="of the first study; each has its own (0)"
    )
    parser.add_argument(
        "--format",
        choices=("nifti", "dicom"),
        default="nifti",
        help="flair.nii.gz, or a folder flair of DICOM instances; labels.nii.gz and lesions.json either way (nifti)",
    )


def run(arguments: argparse.Namespace) -> None:
    if arguments.demo_patients:
        paths = write_demo_patients(arguments.demo_patients)
        sys.stdout.write(json.dumps({"files": len(paths)}) + "\n")
        return
    for seed in range(arguments.seed, arguments.seed + arguments.count):
        generator = np.random.default_rng(seed)
        study = synthesise(draw_request(generator), generator)
        write_study(arguments.output / f"synthetic{seed:05}", study, seed=seed, as_dicom=arguments.format == "dicom")
        record = {"seed": seed, "shape": study.flair.shape, "lesions": len(study.lesions)}
        sys.stdout.write(json.dumps(record) + "\n")


def write_study(folder: Path, study: SyntheticStudy, *, seed: int, as_dicom: bool) -> None:
    """The FLAIR, its labels (0 background, 1 inactive, 2 active) on the same grid, and the plaques that are in it."""
    folder.mkdir(parents=True, exist_ok=True)
    if as_dicom:
        patient = SyntheticPatient(f"Synthetic^Seed {seed}", f"SYN-SEED-{seed:05}", "19900101", "O")
        visit = Visit(patient, study_date="20240101", study_time="120000", accession_number=f"SYNSEED{seed:05}")
        write_dicom_series(folder / "flair", study.flair, visit=visit)
    else:
        write_volume_nifti(folder / "flair.nii.gz", study.flair)
    write_volume_nifti(folder / "labels.nii.gz", study.labels)
    lesions = json.dumps([asdict(lesion) for lesion in study.lesions], indent=1)
    (folder / "lesions.json").write_text(lesions + "\n", encoding="utf-8")
