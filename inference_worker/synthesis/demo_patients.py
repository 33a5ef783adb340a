"""The synthetic patients of the demo: always the same, as DICOM series in folders."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from inference_worker.synthesis.dicom_series import (
    FLAIR,
    LOCALIZER,
    T1,
    SyntheticPatient,
    Visit,
    write_dicom_series,
)
from inference_worker.synthesis.person import Person, earlier
from inference_worker.synthesis.scanner import Slices
from inference_worker.synthesis.study import SynthesisRequest, acquire, acquire_t1, draw_patient, earlier_slices

LOCALIZER_SLICES = Slices(count=3, thickness_mm=2.6, spacing_mm=40.0)
T1_THICKNESS_MM = 2.6  # thinner slices take less time to draw


@dataclass(frozen=True)
class DemoPatient:
    """Who is drawn, how, from which seed, and when: visits in order, the last one being the present."""

    patient: SyntheticPatient
    request: SynthesisRequest
    seed: int
    visits: tuple[tuple[str, str, str], ...]  # study date, study time, accession number


DEMO_PATIENTS = (
    DemoPatient(
        SyntheticPatient("Synthetic^Anna", "SYN-0001", "19880412", "F"),
        SynthesisRequest(active_count=4, inactive_count=18),
        seed=1,
        visits=(("20230314", "101500", "SYN20230001"), ("20240903", "093000", "SYN20240001")),
    ),
    DemoPatient(
        SyntheticPatient("Synthetic^Boris", "SYN-0002", "19790827", "M"),
        SynthesisRequest(
            active_count=2,
            inactive_count=26,
            confluence=0.6,
            fat_suppressed=True,
            slices=Slices(count=25, rows=320, columns=320, pixel_mm=(0.72, 0.72), thickness_mm=4.0, spacing_mm=5.2),
        ),
        seed=2,
        visits=(("20240820", "141000", "SYN20240002"),),
    ),
)


def write_demo_patients(folder: Path) -> list[Path]:
    """Writes three studies of two patients, each with a localizer, a T1 and a FLAIR, and returns the files.

    Writing again gives the same bytes.
    """
    return [path for patient in DEMO_PATIENTS for path in write_patient(folder, patient)]


def write_patient(folder: Path, demo: DemoPatient) -> list[Path]:
    generator = np.random.default_rng(demo.seed)
    present = draw_patient(demo.request, generator)
    paths: list[Path] = []
    for number, (study_date, study_time, accession_number) in enumerate(demo.visits):
        is_present = number == len(demo.visits) - 1
        visit = Visit(demo.patient, study_date, study_time, accession_number)
        person = present if is_present else earlier(present, generator)
        slices = demo.request.slices if is_present else earlier_slices(demo.request.slices, generator)
        study_folder = folder / demo.patient.patient_id / study_date
        paths += write_study(study_folder, visit, person, slices=slices, generator=generator)
    return paths


def write_study(
    folder: Path, visit: Visit, person: Person, *, slices: Slices, generator: np.random.Generator
) -> list[Path]:
    """A localizer of three slices, a T1 and the FLAIR, as an examination has them."""
    series = (
        (LOCALIZER, acquire_t1(LOCALIZER_SLICES, person, generator)),
        (T1, acquire_t1(replace(slices, thickness_mm=T1_THICKNESS_MM), person, generator)),
        (FLAIR, acquire(slices, person, generator).flair),
    )
    paths: list[Path] = []
    for acquisition, volume in series:
        name = f"{acquisition.number:02}_{acquisition.description}"
        paths += write_dicom_series(folder / name, volume, visit=visit, acquisition=acquisition)
    return paths
