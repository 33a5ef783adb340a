"""The plaques of a version burned into its slices, for a PACS that knows no SEG. Source: PS3.3 A.8.1 and C.8.6."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from highdicom.sc import SCImage
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as DicomSequence
from pydicom.uid import ExplicitVRLittleEndian

from plaqueview.imaging.dicom_document import CHARACTER_SET, COLORS, Stamp, quiet
from plaqueview.imaging.dicom_header import text
from plaqueview.imaging.dicom_slice import decimal_string
from plaqueview.imaging.dicom_source import SourceSeries
from plaqueview.imaging.lesion_class import LesionClass
from plaqueview.imaging.overlay_picture import LegendEntry, draw, size_of
from plaqueview.imaging.volume import Volume
from plaqueview.imaging.windowing import Window, apply_window

SERIES_NUMBER: Final = 9300

# The letters of PS3.3 C.7.6.1.1.1 by axis of LPS, forwards and backwards.
LETTERS: Final = (("L", "R"), ("P", "A"), ("H", "F"))


@dataclass(frozen=True, eq=False)
class Slices:
    """What is drawn: intensities, labels 0, 1, 2 on their grid, the window, and how many lesions touch each slice."""

    volume: Volume
    labels: NDArray[np.uint8]
    window: Window
    counts: Mapping[LesionClass, int]
    counts_by_slice: Mapping[LesionClass, Sequence[int]]


def captures_of(slices: Slices, source: SourceSeries, stamp: Stamp) -> Iterator[SCImage]:
    """One Secondary Capture a slice, all of one series, numbered as the slices are.

    Raises: DocumentError when the volume does not lie on the grid of the source.
    """
    source.require_grid(slices.volume.shape, slices.volume.affine)
    for index in range(slices.volume.shape[0]):
        picture = draw(
            apply_window(slices.volume.voxels[index], slices.window),
            slices.labels[index],
            spacing_mm=_spacing_mm(source),
            legend=_legend(slices, index, stamp),
            colors=COLORS,
        )
        yield _capture(picture, index, source, stamp)


def _legend(slices: Slices, index: int, stamp: Stamp) -> list[LegendEntry]:
    counts = [
        LegendEntry(
            f"{stamp.label_of(kind)}: {slices.counts_by_slice[kind][index]} on this slice, "
            f"{slices.counts[kind]} in the study",
            kind,
        )
        for kind in (LesionClass.ACTIVE, LesionClass.INACTIVE)
    ]
    place = f"Slice {index + 1} of {slices.volume.shape[0]}, version {stamp.version}. {stamp.notice}"
    words = (place, f"Counted: {stamp.counting_rule}", *stamp.authors())
    return [*counts, *map(LegendEntry, words)]


def _capture(picture: NDArray[np.uint8], index: int, source: SourceSeries, stamp: Stamp) -> SCImage:
    header = source.headers[0 if source.is_multi_frame else index]
    with quiet():
        capture = SCImage.from_ref_dataset(
            ref_dataset=header,
            pixel_array=picture,
            photometric_interpretation="RGB",
            bits_allocated=8,
            coordinate_system="PATIENT",
            patient_orientation=_orientation(source),
            series_instance_uid=stamp.uid("sc series"),
            series_number=SERIES_NUMBER + stamp.version,
            sop_instance_uid=stamp.uid(f"sc {index + 1}"),
            instance_number=index + 1,
            series_description=stamp.describe("MS plaques burned in"),
            transfer_syntax_uid=ExplicitVRLittleEndian,
            specific_character_set=CHARACTER_SET,
            **stamp.equipment(),
        )
    _describe(capture, index, source)
    return capture


def _describe(capture: SCImage, index: int, source: SourceSeries) -> None:
    """Where the picture comes from.

    The legend names no patient, so that Burned In Annotation, which asks whether the pixels identify the patient, is
    what the source says of its own; where that says nothing, neither does this. Source: PS3.3 C.7.6.1.
    """
    header = source.headers[0 if source.is_multi_frame else index]
    capture.BodyPartExamined = "HEAD"
    capture.ConversionType = "WSD"
    burned_in = text(header, "BurnedInAnnotation")
    if burned_in in {"YES", "NO"}:
        capture.BurnedInAnnotation = burned_in
    _describe_loss(capture, header)
    capture.DerivationDescription = "Plaques and a legend drawn over the enlarged slice; not for measurement"
    capture.SourceImageSequence = DicomSequence([_reference(header, index, source)])
    capture.PixelSpacing = [decimal_string(step_mm) for step_mm in _drawn_spacing_mm(source)]


def _spacing_mm(source: SourceSeries) -> tuple[float, float]:
    """Between rows and between columns."""
    between_rows, between_columns = np.linalg.norm(source.affine[:3, 1:3], axis=0)
    return float(between_rows), float(between_columns)


def _drawn_spacing_mm(source: SourceSeries) -> list[float]:
    spacing_mm, shape = _spacing_mm(source), source.shape[1:]
    size = size_of(shape, spacing_mm)
    return [step_mm * steps / drawn for step_mm, steps, drawn in zip(spacing_mm, shape, size, strict=True)]


def _describe_loss(capture: SCImage, header: Dataset) -> None:
    """What was lost before stays lost, and is told as the source tells it. Source: PS3.3 C.7.6.1.1.5."""
    capture.LossyImageCompression = text(header, "LossyImageCompression") or "00"
    if capture.LossyImageCompression == "01":
        for keyword in ("LossyImageCompressionRatio", "LossyImageCompressionMethod"):
            if keyword in header:
                setattr(capture, keyword, header[keyword].value)


def _reference(header: Dataset, index: int, source: SourceSeries) -> Dataset:
    reference = Dataset()
    reference.ReferencedSOPClassUID = header.SOPClassUID
    reference.ReferencedSOPInstanceUID = source.sop_instance_uids[index]
    if source.is_multi_frame:
        reference.ReferencedFrameNumber = source.frame_numbers[index]
    return reference


def _orientation(source: SourceSeries) -> tuple[Any, Any]:  # Any: highdicom takes the letter, its types an enumeration
    """Towards what columns and rows run, by the nearest axis of the patient."""
    return _letter(source.affine[:3, 2]), _letter(source.affine[:3, 1])


def _letter(direction: NDArray[np.float64]) -> str:
    axis = int(np.abs(direction).argmax())
    return LETTERS[axis][int(direction[axis] < 0)]
