"""A synthetic volume as a DICOM MR series that says everywhere that nobody was scanned."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import UID, MRImageStorage

from plaqueview.imaging.dicom_slice import (
    HIGHEST_STORED,
    decimal_string,
    describe_plane,
    describe_stored_values,
    file_meta_of,
    uid_of,
)
from plaqueview.imaging.volume import Volume
from plaqueview.imaging.windowing import Window

ISSUER_OF_PATIENT_ID = "PLAQUEVIEW-SYNTHETIC"


@dataclass(frozen=True)
class SyntheticPatient:
    """Whom a study is about; `name` in DICOM's form."""

    name: str
    patient_id: str
    birth_date: str
    sex: str


@dataclass(frozen=True)
class Visit:
    """One study of a patient; date and time as DICOM writes them. `pixel_mm` and the like come from the volume."""

    patient: SyntheticPatient
    study_date: str
    study_time: str
    accession_number: str

    @property
    def key(self) -> str:
        """What the study's UIDs are made from."""
        return f"{self.patient.patient_id} {self.study_date} {self.study_time}"


@dataclass(frozen=True)
class Acquisition:
    """How a series was acquired; times in ms, attributes as in PS3.3 C.8.3.1."""

    number: int
    description: str
    image_type: tuple[str, ...]
    scanning_sequence: tuple[str, ...]
    sequence_variant: tuple[str, ...]
    scan_options: tuple[str, ...]
    sequence_name: str
    repetition_time_ms: float
    echo_time_ms: float
    inversion_time_ms: float | None
    echo_train_length: int
    flip_angle_degrees: float


FLAIR = Acquisition(
    number=3,
    description="t2_tirm_tra_dark-fluid",
    image_type=("ORIGINAL", "PRIMARY", "OTHER"),
    scanning_sequence=("SE", "IR"),
    sequence_variant=("SK", "SP", "MP"),
    scan_options=("PFP",),
    sequence_name="*tir2d1_16",
    repetition_time_ms=9000,
    echo_time_ms=120,
    inversion_time_ms=2500,
    echo_train_length=16,
    flip_angle_degrees=150,
)
T1 = Acquisition(
    number=2,
    description="t1_se_tra",
    image_type=("ORIGINAL", "PRIMARY", "OTHER"),
    scanning_sequence=("SE",),
    sequence_variant=("SP",),
    scan_options=("PFP",),
    sequence_name="*se2d1",
    repetition_time_ms=550,
    echo_time_ms=9,
    inversion_time_ms=None,
    echo_train_length=1,
    flip_angle_degrees=90,
)
LOCALIZER = Acquisition(
    number=1,
    description="localizer",
    image_type=("ORIGINAL", "PRIMARY", "OTHER"),
    scanning_sequence=("GR",),
    sequence_variant=("SP",),
    scan_options=("PFP",),
    sequence_name="*fl2d1",
    repetition_time_ms=8.6,
    echo_time_ms=4,
    inversion_time_ms=None,
    echo_train_length=1,
    flip_angle_degrees=20,
)


def write_dicom_series(folder: Path, volume: Volume, *, visit: Visit, acquisition: Acquisition = FLAIR) -> list[Path]:
    """Writes one MR Image Storage file a slice (uint16 voxels, axial, feet to head) and returns their paths.

    Everything, UIDs included, follows from the arguments: writing again gives the same bytes.

    Raises: ValueError when a voxel is not within 0 and 65535; nothing is written then.
    """
    low, high = volume.voxels.min(), volume.voxels.max()
    if not 0 <= low <= high <= HIGHEST_STORED:
        raise ValueError(f"voxels are from {low} to {high}, need 0 to {HIGHEST_STORED}")
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    window = brain_window(volume)
    for index in range(volume.shape[0]):
        path = folder / f"{index + 1:04}.dcm"
        dataset = instance_of(volume, index, visit=visit, acquisition=acquisition)
        dataset.WindowCenter, dataset.WindowWidth = decimal_string(window.center), decimal_string(window.width)
        dataset.save_as(path, enforce_file_format=True)
        paths.append(path)
    return paths


def instance_of(volume: Volume, index: int, *, visit: Visit, acquisition: Acquisition) -> Dataset:
    """Slice `index` as a dataset of the MR Image IOD (PS3.3 A.4) with its file meta information."""
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    describe_study(dataset, visit)
    describe_series(dataset, visit, acquisition)
    describe_acquisition(dataset, acquisition)
    describe_place(dataset, volume, index)
    describe_pixels(dataset, volume, index)
    dataset.FrameOfReferenceUID = synthetic_uid(f"{visit.key} frame of reference")
    dataset.SOPClassUID = MRImageStorage
    dataset.SOPInstanceUID = synthetic_uid(f"{visit.key} series {acquisition.number} instance {index + 1}")
    dataset.file_meta = file_meta_of(dataset)
    return dataset


def describe_study(dataset: Dataset, visit: Visit) -> None:
    dataset.PatientName = visit.patient.name
    dataset.PatientID = visit.patient.patient_id
    dataset.IssuerOfPatientID = ISSUER_OF_PATIENT_ID
    dataset.PatientBirthDate = visit.patient.birth_date
    dataset.PatientSex = visit.patient.sex
    dataset.PatientComments = "Synthetic: drawn by a program, not a person"
    dataset.StudyInstanceUID = synthetic_uid(f"{visit.key} study")
    dataset.StudyDate, dataset.StudyTime = visit.study_date, visit.study_time
    dataset.AccessionNumber = visit.accession_number
    dataset.StudyID = visit.accession_number[-8:]
    dataset.StudyDescription = "MR brain, multiple sclerosis (synthetic)"
    dataset.ReferringPhysicianName = ""


def describe_series(dataset: Dataset, visit: Visit, acquisition: Acquisition) -> None:
    dataset.Modality = "MR"
    dataset.SeriesInstanceUID = synthetic_uid(f"{visit.key} series {acquisition.number}")
    dataset.SeriesNumber = acquisition.number
    dataset.SeriesDescription = dataset.ProtocolName = acquisition.description
    dataset.SeriesDate = dataset.AcquisitionDate = dataset.ContentDate = visit.study_date
    minute = int(visit.study_time[:2]) * 60 + int(visit.study_time[2:4]) + 4 * acquisition.number
    time_of_day = f"{minute // 60:02}{minute % 60:02}{visit.study_time[4:6]}"
    dataset.SeriesTime = dataset.AcquisitionTime = dataset.ContentTime = time_of_day
    dataset.BodyPartExamined = "HEAD"
    dataset.PatientPosition = "HFS"
    dataset.Manufacturer = "PlaqueView"
    dataset.ManufacturerModelName = "Synthesis"
    dataset.InstitutionName = "Synthetic Hospital"
    dataset.PositionReferenceIndicator = ""


def describe_acquisition(dataset: Dataset, acquisition: Acquisition) -> None:
    dataset.ImageType = list(acquisition.image_type)
    dataset.ScanningSequence = list(acquisition.scanning_sequence)
    dataset.SequenceVariant = list(acquisition.sequence_variant)
    dataset.ScanOptions = list(acquisition.scan_options)
    dataset.SequenceName = acquisition.sequence_name
    dataset.MRAcquisitionType = "2D"
    dataset.MagneticFieldStrength = 1.5
    dataset.RepetitionTime = acquisition.repetition_time_ms
    dataset.EchoTime = acquisition.echo_time_ms
    if acquisition.inversion_time_ms is not None:
        dataset.InversionTime = acquisition.inversion_time_ms
    dataset.EchoTrainLength = acquisition.echo_train_length
    dataset.FlipAngle = acquisition.flip_angle_degrees
    dataset.AcquisitionNumber = 1


def describe_place(dataset: Dataset, volume: Volume, index: int) -> None:
    position = volume.positions_mm(np.array([[index, 0, 0]]))[0]
    _, row_step, column_step = volume.affine[:3, :3].T / np.reshape(volume.spacing_mm, (3, 1))
    dataset.InstanceNumber = index + 1
    describe_plane(dataset, volume)
    dataset.ImagePositionPatient = [decimal_string(coordinate) for coordinate in position]
    dataset.SliceLocation = decimal_string(position @ np.cross(column_step, row_step))


def describe_pixels(dataset: Dataset, volume: Volume, index: int) -> None:
    describe_stored_values(dataset, volume)
    dataset.PixelData = np.ascontiguousarray(volume.voxels[index]).astype("<u2").tobytes()
    dataset["PixelData"].VR = "OW"


def brain_window(volume: Volume) -> Window:
    """The window of a technician who looks at the brain: the median of what is brighter than air is brain."""
    level = float(np.median(volume.voxels[volume.voxels > volume.voxels.mean()]))
    return Window(center=1.1 * level, width=2.2 * level)


def synthetic_uid(name: str) -> UID:
    """A UID that the name decides, and that no other source of names makes."""
    return uid_of(f"plaqueview synthesis {name}")
