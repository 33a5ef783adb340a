"""DICOM studies of known content, as datasets, bytes and files on the store's disk."""

import zipfile
from io import BytesIO
from pathlib import Path

import numpy as np
from django.conf import settings
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from plaqueview.accounts.models import Site
from plaqueview.accounts.services import create_site
from plaqueview.studies.arrivals import Arrival, Received, Source
from plaqueview.studies.receiving import receive_all
from tests.imaging.phantoms import instance

WHO_AND_WHEN = {
    "PatientName": "Novak^Ana",
    "PatientBirthDate": "19800131",
    "PatientSex": "F",
    "StudyDate": "20240203",
    "StudyTime": "101112",
    "AccessionNumber": "A-17",
    "StudyDescription": "MR head",
}
FLAIR = {
    "SeriesDescription": "t2 flair tra",
    "SeriesNumber": 3,
    "ScanningSequence": ["SE", "IR"],
    "SequenceVariant": ["SK", "SP"],
    "InversionTime": 2500.0,
    "EchoTime": 120.0,
    "RepetitionTime": 9000.0,
    "ImageType": ["ORIGINAL", "PRIMARY", "M", "ND"],
}
T1 = {
    "SeriesDescription": "t1 mprage",
    "SeriesNumber": 4,
    "ScanningSequence": ["GR", "IR"],
    "InversionTime": 900.0,
    "EchoTime": 3.0,
    "RepetitionTime": 2000.0,
    "ImageType": ["ORIGINAL", "PRIMARY", "M", "ND"],
}


def series(
    count: int = 10,
    *,
    study_uid: str | None = None,
    patient_id: str = "P1",
    side: int = 16,
    step_mm: float = 5.0,
    **attributes,
) -> list[Dataset]:
    """An axial FLAIR series of a study of its own; slice i shows the value 100 + i."""
    study_uid, series_uid = study_uid or generate_uid(), generate_uid()
    pixels = [np.full((side, side), 100 + index, np.uint16) for index in range(count)]
    return [
        instance(
            index,
            pixels[index],
            position=(-10.0, -20.0, index * step_mm),
            StudyInstanceUID=study_uid,
            SeriesInstanceUID=series_uid,
            SOPInstanceUID=generate_uid(),
            PatientID=patient_id,
            **{**WHO_AND_WHEN, **FLAIR, **attributes},
        )
        for index in range(count)
    ]


def encoded(dataset: Dataset, *, syntax: str = ExplicitVRLittleEndian) -> bytes:
    """A Part 10 file."""
    dataset.file_meta.TransferSyntaxUID = syntax
    stream = BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def incoming(content: bytes) -> Path:
    """The bytes in a new file on the store's own disk."""
    folder = settings.STORAGE_DIR / "incoming"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / generate_uid()
    path.write_bytes(content)
    return path


def ljubljana() -> Site:
    return create_site(name="Ljubljana")


def receive_bytes(*contents: bytes, site: Site | None = None, study_uid: str = "") -> list[Received]:
    arrival = Arrival(site or ljubljana(), Source.UPLOAD, None, study_uid)
    return receive_all(paths=[incoming(content) for content in contents], arrival=arrival)


def receive_series(datasets: list[Dataset], *, site: Site | None = None) -> list[Received]:
    return receive_bytes(*map(encoded, datasets), site=site)


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()
