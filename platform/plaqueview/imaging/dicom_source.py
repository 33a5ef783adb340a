"""The headers of the series that a version was made over, as the objects written of the version refer to them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.valuerep import DA, TM

from plaqueview.imaging.dicom_header import instance_headers, text
from plaqueview.imaging.slice_stack import SliceStackError, stack_slices

# Type 2 of Patient and General Study: always there, empty where the series does not say. Source: PS3.3 C.7.1, C.7.2.
ALWAYS_PRESENT = (
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex",
    "StudyDate", "StudyTime", "AccessionNumber", "StudyID", "ReferringPhysicianName",
)  # fmt: skip

# What is kept beside them; private and vendor elements never leave the source.
KEPT = (
    "SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "Modality",
    "IssuerOfPatientID", "PatientAge", "PatientSize", "PatientWeight", "PatientIdentityRemoved",
    "DeidentificationMethod", "StudyDescription",
    "Manufacturer", "ManufacturerModelName", "DeviceSerialNumber", "InstitutionName", "StationName",
    "FrameOfReferenceUID", "PositionReferenceIndicator", "Rows", "Columns",
    "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness",
    "NumberOfFrames", "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence",
    "LossyImageCompression", "LossyImageCompressionRatio", "LossyImageCompressionMethod", "BurnedInAnnotation",
)  # fmt: skip

NAMES = ("PatientName", "ReferringPhysicianName")
SEXES = ("M", "F", "O")  # PS3.3 C.7.1.1
MOMENTS: Mapping[str, Callable[[str], object]] = {"PatientBirthDate": DA, "StudyDate": DA, "StudyTime": TM}

# How far two grids may differ in a step or at the first voxel and be the same, as a share of the smallest spacing.
TOLERANCE = 0.01


class DocumentError(ValueError):
    """The version cannot be written as a DICOM object of its series."""


@dataclass(frozen=True, eq=False)
class SourceSeries:
    """The headers of a series, and its grid.

    `headers` holds one dataset a slice in slice order, or the only one of a multi-frame series. Slice i is frame
    `frame_numbers[i]` (from 1) of the instance `sop_instance_uids[i]`. `affine` and `shape` are those of `Volume`.
    """

    headers: tuple[Dataset, ...]
    sop_instance_uids: tuple[str, ...]
    frame_numbers: tuple[int, ...]
    affine: NDArray[np.float64]
    shape: tuple[int, int, int]

    @property
    def is_multi_frame(self) -> bool:
        return _is_multi_frame(self.headers[0])

    def in_frame_order(self, voxels: NDArray[Any]) -> NDArray[Any]:  # Any: keeps the dtype it is given
        """(slices, rows, columns) in slice order as the source has them: one frame after the other."""
        if not self.is_multi_frame:
            return voxels
        return voxels[np.argsort(self.frame_numbers)]

    def require_grid(self, shape: tuple[int, int, int], affine: NDArray[np.float64]) -> None:
        """Raises: DocumentError when the version lies on another grid: nothing is resampled."""
        step_mm = TOLERANCE * float(np.linalg.norm(self.affine[:3, :3], axis=0).min())
        if shape != self.shape:
            raise DocumentError(f"the version lies on a grid of {shape} voxels, its series now has {self.shape}")
        if not np.allclose(affine, self.affine, rtol=0.0, atol=step_mm):
            raise DocumentError("the version lies on another grid than its series now has")


def source_series(datasets: Sequence[Dataset]) -> SourceSeries:
    """The series of all the datasets, whose pixels are not looked at.

    Raises: DocumentError when they are not one volume, are several multi-frame instances, or name no frame of
    reference, without which no viewer may lay one object over the other.
    """
    if len(datasets) > 1 and any(map(_is_multi_frame, datasets)):
        raise DocumentError(f"the series has {len(datasets)} multi-frame instances, need one")
    try:
        stack = stack_slices([header for dataset in datasets for header in instance_headers(dataset)])
    except SliceStackError as error:
        raise DocumentError(f"the series is not one volume: {error}") from error
    thickness_mm = float(np.linalg.norm(stack.affine[:3, 0]))
    kept = {text(dataset, "SOPInstanceUID"): _kept(dataset, thickness_mm) for dataset in datasets}
    if any(not text(header, "FrameOfReferenceUID") for header in kept.values()):
        raise DocumentError("the series names no frame of reference (0020,0052), which a DICOM object over it needs")
    uids = tuple(header.sop_instance_uid for header in stack.headers)
    return SourceSeries(
        headers=tuple(kept[uid] for uid in dict.fromkeys(uids)),
        sop_instance_uids=uids,
        frame_numbers=tuple(header.frame_number for header in stack.headers),
        affine=stack.affine,
        shape=stack.shape,
    )


def _is_multi_frame(dataset: Dataset) -> bool:
    return "PerFrameFunctionalGroupsSequence" in dataset


def _kept(dataset: Dataset, thickness_mm: float) -> Dataset:
    """The attributes that other objects repeat; a date, time or sex that is none becomes empty."""
    header = Dataset()
    for keyword in (*ALWAYS_PRESENT, *KEPT):
        if keyword in dataset:
            header[keyword] = dataset[keyword]
    for keyword in ALWAYS_PRESENT:
        value = _valid(keyword, text(dataset, keyword))
        header.pop(keyword, None)
        setattr(header, keyword, value)
    if not _is_multi_frame(dataset) and not text(dataset, "SliceThickness"):
        header.pop("SliceThickness", None)
        header.SliceThickness = round(thickness_mm, 6)
    return header


def _valid(keyword: str, value: str) -> str:
    if keyword == "PatientSex":
        return value if value in SEXES else ""
    try:
        MOMENTS.get(keyword, str)(value)
    except ValueError:
        return ""
    return value
