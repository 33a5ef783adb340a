"""A version of known content over a series of known headers, and what peers say of the objects written of it."""

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset

from plaqueview.imaging.dicom_document import Algorithm, Approval, Stamp
from plaqueview.imaging.dicom_source import SourceSeries, source_series
from plaqueview.imaging.dicom_sr import ReportedLesion, ReportedMeasures
from plaqueview.imaging.lesions import CountingRule, LesionTable, measure_lesions
from plaqueview.imaging.volume import Volume
from tests.imaging.phantoms import labels_on, paint_sphere, stack_of

SHAPE = (6, 32, 32)
CREATED = datetime(2026, 3, 4, 5, 6, 7, 890, tzinfo=UTC)
ALGORITHM = Algorithm(name="phantom-reader", version="1.0", sha256="ab" * 32)
APPROVAL = Approval(by="Kovač^Ana", organization="Ljubljana", at=datetime(2026, 3, 5, 9, 0, tzinfo=UTC))
WHO_AND_WHEN = {
    "SpecificCharacterSet": "ISO_IR 100",
    "PatientName": "Müller^Änne",
    "PatientID": "P-1",
    "PatientBirthDate": "19800131",
    "PatientSex": "F",
    "StudyInstanceUID": "1.2.840.99.1",
    "SeriesInstanceUID": "1.2.840.99.1.1",
    "StudyDate": "20240203",
    "StudyTime": "101112",
    "AccessionNumber": "A-17",
    "StudyID": "7",
    "ReferringPhysicianName": "",
    "FrameOfReferenceUID": "1.2.840.99.1.2",
    "Manufacturer": "Scanners",
    "SoftwareVersions": "9",
}


def datasets(**changes) -> list[Dataset]:
    """Slices from head to feet, as files come in any order; slice i of the volume shows i everywhere."""
    pixels = np.stack([np.full(SHAPE[1:], index, np.uint16) for index in range(SHAPE[0])])
    attributes = {"PixelSpacing": [1.0, 1.0], "SliceThickness": 4.0, **WHO_AND_WHEN, **changes}
    return stack_of(pixels, step_mm=4.0, **attributes)[::-1]


def source(**changes) -> SourceSeries:
    return source_series(datasets(**changes))


def labels() -> Volume:
    """Two inactive spheres and an active one on the grid of `datasets`; two of them meet the same slices."""
    volume = labels_on(SHAPE, source().affine)
    x, y = -10.0, -20.0
    paint_sphere(volume, centre_mm=(x + 8.0, y + 8.0, 8.0), radius_mm=4.5, label=1)
    paint_sphere(volume, centre_mm=(x + 24.0, y + 8.0, 12.0), radius_mm=3.5, label=1)
    paint_sphere(volume, centre_mm=(x + 16.0, y + 24.0, 12.0), radius_mm=5.5, label=2)
    return volume


def table() -> LesionTable:
    return measure_lesions(labels(), None, rule=CountingRule())


def measures() -> ReportedMeasures:
    found = table()
    return ReportedMeasures(
        lesions=[
            ReportedLesion(
                tracking=f"row {one.number}",
                number=one.number,
                lesion_class=one.lesion_class,
                volume_ml=one.volume_ml,
                longest_axis_mm=one.longest_axis_mm,
                in_plane_axis_mm=one.in_plane_axis_mm,
                slice_indices=one.slice_indices,
                basis=f"basis of {one.number}",
            )
            for one in found.lesions
        ],
        counts=found.counts(),
        volumes_ml=found.volumes_ml(),
    )


def stamp(**changes) -> Stamp:
    """A prediction that no reader has seen."""
    fields = {
        "annotation_id": "0b5b6f0e-0000-4000-8000-000000000001",
        "version": 3,
        "created": CREATED,
        "reader": "",
        "algorithm": ALGORITHM,
        "approval": None,
        "is_active_predicted": True,
        "counting_rule": CountingRule().sentence,
        "notice": "Research use only, not a medical device.",
        "device": "site-1",
        "software_version": "0.1.0",
    }
    return Stamp(**{**fields, **changes})


def approved() -> Stamp:
    """A reader's version in which every active lesion is confirmed."""
    return stamp(reader="Novak^Ana", approval=APPROVAL, is_active_predicted=False)


def dciodvfy_errors(path: Path) -> list[str]:
    """What dicom3tools says against the file; it must have known the object for what it is."""
    found = subprocess.run(["dciodvfy", "-new", path], capture_output=True, text=True, check=False, errors="replace")
    assert found.stderr.splitlines() != []
    return [line for line in found.stderr.splitlines() if line.startswith("Error")]
