"""What the headers of DICOM datasets say of slices, without pixels, classic or multi-frame."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException
from pydicom.sequence import Sequence as DicomSequence
from pydicom.tag import BaseTag, Tag

from plaqueview.imaging.completeness import InstanceHeader, assess
from plaqueview.imaging.series_choice import SeriesHeader

# What pydicom raises for stored bytes that are no value of the attribute's type.
UNREADABLE = (BytesLengthException, NotImplementedError, OverflowError, TypeError, ValueError)


def instance_headers(dataset: Dataset) -> tuple[InstanceHeader, ...]:
    """One header for a single-frame instance, one per described frame for a multi-frame instance, in frame order.

    An attribute that is absent, empty, of the wrong length or not finite becomes None.
    """
    frame_count = whole(dataset, "NumberOfFrames") or 1
    described = len(_items(dataset, "PerFrameFunctionalGroupsSequence")) or 1  # not the number that a header claims
    return tuple(_instance_header(dataset, frame_number, frame_count) for frame_number in range(1, described + 1))


def series_header(datasets: Sequence[Dataset], *, is_nifti: bool) -> SeriesHeader:
    """What the instances of one series say of it, for `choose_flair`; sequence attributes are the first instance's.

    `is_nifti` says that the series was written from a NIfTI file. `datasets` holds at least one.
    """
    first = min(datasets, key=lambda dataset: whole(dataset, "InstanceNumber") or 0)
    places = frame_places(first, 1)
    slices = [header for dataset in datasets for header in instance_headers(dataset)]
    completeness = assess(slices)
    spacing, spacing_mm = slices[0].pixel_spacing, completeness.slice_spacing_mm
    return SeriesHeader(
        series_instance_uid=text(first, "SeriesInstanceUID"),
        modality=_text(places, "Modality"),
        series_number=whole(first, "SeriesNumber"),
        series_description=_text(places, "SeriesDescription"),
        protocol_name=_text(places, "ProtocolName"),
        body_part_examined=_text(places, "BodyPartExamined"),
        scanning_sequence=scanning_sequence(places),
        sequence_variant=first_words(places, "SequenceVariant"),
        scan_options=first_words(places, "ScanOptions"),
        sequence_name=_text(places, "SequenceName", "PulseSequenceName"),
        inversion_time_ms=first_number(places, "InversionTimes", "InversionTime"),
        echo_time_ms=first_number(places, "EffectiveEchoTime", "EchoTime"),
        repetition_time_ms=first_number(places, "RepetitionTime"),
        contrast_bolus_agent=_text(places, "ContrastBolusAgent"),
        image_type=slices[0].image_type,
        image_orientation_patient=slices[0].image_orientation_patient,
        slice_count=len(slices),
        spacing_mm=(spacing_mm, *spacing) if spacing and spacing_mm else None,
        is_complete=completeness.is_complete,
        acquired_at=_acquired_at(places),
        is_nifti=is_nifti,
    )


def scanning_sequence(places: Sequence[Dataset]) -> tuple[str, ...]:
    """Enhanced MR says by two other attributes what ScanningSequence says in classic MR (PS3.3 C.8.13.4)."""
    is_inverted = first_words(places, "InversionRecovery") == ("YES",)
    kind = {"SPIN": ("SE",), "GRADIENT": ("GR",), "BOTH": ("SE", "GR")}
    echo = first_words(places, "EchoPulseSequence")
    enhanced = (*kind.get(echo[0] if echo else "", ()), *(("IR",) if is_inverted else ()))
    return enhanced or first_words(places, "ScanningSequence")


def _acquired_at(places: Sequence[Dataset]) -> str:
    moment = _text(places, "AcquisitionDateTime", "FrameAcquisitionDateTime")
    day = _text(places, "AcquisitionDate", "SeriesDate", "StudyDate")
    return moment or day + _text(places, "AcquisitionTime", "SeriesTime", "StudyTime")


def _text(places: Sequence[Dataset], *keywords: str) -> str:
    return "\\".join(first_words(places, *keywords))


def _instance_header(dataset: Dataset, frame_number: int, frame_count: int) -> InstanceHeader:
    places = frame_places(dataset, frame_number)
    position = _first_numbers(places, "ImagePositionPatient", 3)
    orientation = _first_numbers(places, "ImageOrientationPatient", 6)
    spacing = _first_numbers(places, "PixelSpacing", 2)
    return InstanceHeader(
        sop_instance_uid=text(dataset, "SOPInstanceUID"),
        instance_number=whole(dataset, "InstanceNumber"),
        image_position_patient=(position[0], position[1], position[2]) if position else None,
        image_orientation_patient=_six(orientation) if orientation else None,
        pixel_spacing=(spacing[0], spacing[1]) if spacing else None,
        rows=whole(dataset, "Rows"),
        columns=whole(dataset, "Columns"),
        number_of_frames=frame_count,
        frame_number=frame_number,
        slice_thickness=first_number(places, "SliceThickness"),
        spacing_between_slices=first_number(places, "SpacingBetweenSlices"),
        echo_time_ms=first_number(places, "EffectiveEchoTime", "EchoTime"),
        inversion_time_ms=first_number(places, "InversionTimes", "InversionTime"),
        acquisition_number=whole(dataset, "AcquisitionNumber"),
        temporal_position_index=_first_whole(places, "TemporalPositionIndex", "TemporalPositionIdentifier"),
        image_type=first_words(places, "FrameType", "ImageType"),
        images_in_acquisition=whole(dataset, "ImagesInAcquisition") if frame_count == 1 else None,
    )


def frame_places(dataset: Dataset, frame_number: int) -> tuple[Dataset, ...]:
    """Where a frame's attributes may stand, nearest first: its own functional groups, the shared ones, the dataset.

    Source: PS3.3 C.7.6.16.
    """
    own = _items(dataset, "PerFrameFunctionalGroupsSequence")[frame_number - 1 : frame_number]
    shared = _items(dataset, "SharedFunctionalGroupsSequence")[:1]
    return (*(macro for group in (*own, *shared) for macro in _macros(group)), dataset)


def _items(dataset: Dataset, keyword: str) -> Sequence[Dataset]:
    value = _value(dataset, keyword)
    return value if isinstance(value, DicomSequence) else []


def _macros(group: Dataset) -> Iterator[Dataset]:
    """The items of a functional group's macros; those that refer to other images say nothing of this one."""
    for keyword in group.dir():
        if not keyword.startswith(("Referenced", "Derivation")):
            yield from _items(group, keyword)[:1]


def numbers(dataset: Dataset, keyword: str) -> tuple[float, ...]:
    """The finite numbers of an attribute; none when it is absent, empty or one of them cannot be read."""
    value = _value(dataset, keyword)
    values = [] if value is None or value == "" else value if isinstance(value, Sequence) else [value]
    try:
        found = tuple(float(item) for item in values)
    except (TypeError, ValueError):
        return ()
    return found if all(math.isfinite(number) for number in found) else ()


def words(dataset: Dataset, keyword: str) -> tuple[str, ...]:
    """The values of an attribute as text, without padding."""
    value = _value(dataset, keyword)
    if value is None or value == "":
        return ()
    values = [value] if isinstance(value, str) or not isinstance(value, Sequence) else value
    return tuple(str(item).strip() for item in values)


def text(dataset: Dataset, keyword: str) -> str:
    """All values of an attribute as DICOM writes them, between backslashes; empty when it says nothing."""
    return "\\".join(words(dataset, keyword))


def whole(dataset: Dataset, keyword: str) -> int | None:
    found = numbers(dataset, keyword)
    return int(found[0]) if found else None


def first_number(places: Sequence[Dataset], *keywords: str) -> float | None:
    """The first value of the first keyword that any of the places holds, nearest place first."""
    found = (numbers(place, keyword) for keyword in keywords for place in places)
    return next((values[0] for values in found if values), None)


def first_words(places: Sequence[Dataset], *keywords: str) -> tuple[str, ...]:
    found = (words(place, keyword) for keyword in keywords for place in places)
    return next((values for values in found if values), ())


def _first_whole(places: Sequence[Dataset], *keywords: str) -> int | None:
    number = first_number(places, *keywords)
    return None if number is None else int(number)


def _first_numbers(places: Sequence[Dataset], keyword: str, length: int) -> tuple[float, ...] | None:
    found = (numbers(place, keyword) for place in places)
    return next((values for values in found if len(values) == length), None)


def _six(values: tuple[float, ...]) -> tuple[float, float, float, float, float, float]:
    return values[0], values[1], values[2], values[3], values[4], values[5]


def _value(dataset: Dataset, keyword: str) -> Any:  # Any: pydicom's values have the type of their VR
    """None also where the stored bytes are no value of the attribute's type."""
    tag = _tag(keyword)
    if tag not in dataset:  # most are not, and pydicom takes ten times as long to say so of a keyword
        return None
    try:
        value = dataset[tag].value
    except UNREADABLE:
        return None
    return None if isinstance(value, bytes) else value


@cache
def _tag(keyword: str) -> BaseTag:
    return Tag(keyword)
