"""A NIfTI volume as a DICOM MR series, so that everything after the upload knows one format only."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import MRImageStorage

from plaqueview.imaging.dicom_slice import (
    HIGHEST_STORED,
    decimal_string,
    describe_plane,
    describe_stored_values,
    file_meta_of,
    uid_of,
)
from plaqueview.imaging.volume import Volume, axial_reorientation
from plaqueview.imaging.windowing import reading_window

# Row and column directions of DICOM are perpendicular (PS3.3 C.7.6.2.1.1); this is 0.06 degrees.
LARGEST_SHEAR_COSINE = 1e-3

# Beyond it a whole number does not fit the 16 bytes of a decimal string.
LARGEST_EXACT_INTERCEPT = 1e15

# Longest LO and PN component that DICOM allows (PS3.5 6.2).
LONGEST_NAME = 64


class NiftiConversionError(ValueError):
    """The volume has no place in a DICOM series."""


@dataclass(frozen=True, eq=False)
class _Scaled:
    """Intensities as `stored * slope + intercept`; `stored` is (slices, rows, columns) uint16."""

    stored: NDArray[np.uint16]
    slope: float
    intercept: float


def series_of(volume: Volume, *, source_sha256: str, source_name: str, patient_id: str = "") -> list[Dataset]:
    """The axial slices of the volume as MR Image Storage datasets, feet to head, each with file meta.

    Voxels are permuted and reversed, never resampled. Integers that span at most 65,535 are kept exactly; others are
    off by at most half a step of 1/65,535 of their range. UIDs follow from `source_sha256` (64 hex digits), so that
    the same file always becomes the same instances. What a NIfTI does not say stays empty; without a `patient_id` each
    file is of a patient of its own.

    Raises: NiftiConversionError when rows and columns are not perpendicular or a voxel is not finite.
    """
    axial = axial_reorientation(volume.affine).apply_to(volume)
    _check_perpendicular(axial)
    scaled = _scale(axial.voxels)
    common = _common(axial, scaled, source_sha256, source_name)
    if patient_id:
        common.PatientID = common.PatientName = _clean(patient_id)
    return [_instance(common, axial, scaled, index, source_sha256) for index in range(axial.shape[0])]


def _check_perpendicular(axial: Volume) -> None:
    rows, columns = axial.affine[:3, 1] / axial.spacing_mm[1], axial.affine[:3, 2] / axial.spacing_mm[2]
    if abs(rows @ columns) > LARGEST_SHEAR_COSINE:
        angle = np.degrees(np.arccos(abs(rows @ columns)))
        raise NiftiConversionError(f"rows and columns meet at {angle:.2f} degrees, DICOM needs 90")


def _scale(voxels: NDArray[Any]) -> _Scaled:  # Any: every dtype of NIfTI
    lowest, highest = float(voxels.min()), float(voxels.max())
    if not np.isfinite([lowest, highest]).all():
        raise NiftiConversionError(f"voxels run from {lowest} to {highest}, need finite intensities")
    is_whole = voxels.dtype.kind in "iub" or bool((voxels == np.rint(voxels)).all())
    if is_whole and highest - lowest <= HIGHEST_STORED and abs(lowest) < LARGEST_EXACT_INTERCEPT:
        intercept = 0.0 if lowest >= 0 and highest <= HIGHEST_STORED else lowest
        return _Scaled((voxels.astype(np.float64) - intercept).astype(np.uint16), 1.0, intercept)
    intercept = _decimal(lowest)
    if lowest == highest:
        return _Scaled(np.zeros(voxels.shape, np.uint16), 1.0, intercept)
    slope = _decimal((highest - intercept) / HIGHEST_STORED)
    stored = np.rint((voxels.astype(np.float64) - intercept) / slope)
    return _Scaled(np.clip(stored, 0, HIGHEST_STORED).astype(np.uint16), slope, intercept)


def _decimal(number: float) -> float:
    """The number as a decimal string of 16 bytes will give it back, so that stored values are rounded once."""
    return float(str(decimal_string(number)))


def _common(axial: Volume, scaled: _Scaled, source_sha256: str, source_name: str) -> Dataset:
    """What all instances share: MR Image IOD, PS3.3 A.4."""
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    _describe_patient_and_study(dataset, source_sha256, source_name)
    _describe_series(dataset, source_sha256, source_name)
    _describe_grid(dataset, axial, source_sha256)
    _describe_pixels(dataset, axial, scaled)
    return dataset


def _describe_patient_and_study(dataset: Dataset, source_sha256: str, source_name: str) -> None:
    dataset.PatientName = _clean(source_name.removesuffix(".gz").removesuffix(".nii"))
    dataset.PatientID = f"NIFTI-{source_sha256[:12]}"
    dataset.PatientBirthDate = dataset.PatientSex = ""
    dataset.StudyInstanceUID = uid_of(f"{source_sha256} study")
    dataset.StudyDate = dataset.StudyTime = dataset.AccessionNumber = dataset.StudyID = ""
    dataset.ReferringPhysicianName = ""
    dataset.StudyDescription = "NIfTI upload"


def _describe_series(dataset: Dataset, source_sha256: str, source_name: str) -> None:
    dataset.Modality = "MR"
    dataset.SeriesInstanceUID = uid_of(f"{source_sha256} series")
    dataset.SeriesNumber = 1
    dataset.SeriesDescription = _clean(source_name)
    dataset.BodyPartExamined = "HEAD"
    dataset.PatientPosition = dataset.Manufacturer = ""
    dataset.SOPClassUID = MRImageStorage
    dataset.ImageType = ["DERIVED", "SECONDARY", "OTHER"]
    dataset.DerivationDescription = "Written from a NIfTI file; axes permuted and reversed, not resampled"
    dataset.AcquisitionNumber = None
    # "Research mode" is the one defined term that claims no sequence; the rest is unknown.
    dataset.ScanningSequence, dataset.SequenceVariant, dataset.ScanOptions = "RM", "NONE", ""
    dataset.MRAcquisitionType = ""
    dataset.RepetitionTime = dataset.EchoTime = dataset.EchoTrainLength = None


def _describe_grid(dataset: Dataset, axial: Volume, source_sha256: str) -> None:
    dataset.FrameOfReferenceUID = uid_of(f"{source_sha256} frame of reference")
    dataset.PositionReferenceIndicator = ""
    describe_plane(dataset, axial)


def _describe_pixels(dataset: Dataset, axial: Volume, scaled: _Scaled) -> None:
    describe_stored_values(dataset, axial)
    dataset.RescaleSlope, dataset.RescaleIntercept = map(decimal_string, (scaled.slope, scaled.intercept))
    dataset.RescaleType = "US"
    window = reading_window(axial.voxels)
    dataset.WindowCenter, dataset.WindowWidth = decimal_string(window.center), decimal_string(window.width)
    dataset.VOILUTFunction = "LINEAR_EXACT"


def _instance(common: Dataset, axial: Volume, scaled: _Scaled, index: int, source_sha256: str) -> Dataset:
    dataset = Dataset()
    dataset.update(common)
    dataset.SOPInstanceUID = uid_of(f"{source_sha256} instance {index + 1}")
    dataset.InstanceNumber = index + 1
    position = axial.positions_mm(np.array([[index, 0, 0]]))[0]
    dataset.ImagePositionPatient = [decimal_string(coordinate) for coordinate in position]
    dataset.PixelData = np.ascontiguousarray(scaled.stored[index]).astype("<u2").tobytes()
    dataset["PixelData"].VR = "OW"
    dataset.file_meta = file_meta_of(dataset)
    return dataset


def _clean(name: str) -> str:
    """The name without what DICOM gives a meaning: backslash, caret, equals sign, control characters, folders."""
    words = " ".join(PurePath(name).parts)
    return re.sub(r"[\\^=/\x00-\x1f\x7f]+", " ", words).strip()[:LONGEST_NAME].strip()
