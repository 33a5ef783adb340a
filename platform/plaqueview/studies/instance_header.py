"""What a received instance says of itself, as the tables keep it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime, time
from functools import cached_property
from math import prod
from pathlib import Path
from typing import Any

from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.uid import EnhancedMRImageStorage, LegacyConvertedEnhancedMRImageStorage

from plaqueview.imaging.completeness import InstanceHeader
from plaqueview.imaging.dicom_header import (
    first_number,
    first_words,
    frame_places,
    instance_headers,
    numbers,
    whole,
    words,
)
from plaqueview.imaging.series_choice import SeriesHeader
from plaqueview.patients.services import PatientIdentity
from plaqueview.studies.instance_file import (
    UNREADABLE,
    InstanceFile,
    Refusal,
    RefusedError,
    read_instance_file,
)

# Source: PS3.5 9.1, digits and full stops, at most 64; leading zeros are forbidden there and common in the field.
UID_PATTERN = re.compile(r"[0-9.]{1,64}")
LARGEST_INTEGER = 2**31 - 1
MOST_FRAMES = 65_536

MULTI_FRAME_MR = {EnhancedMRImageStorage, LegacyConvertedEnhancedMRImageStorage}
FUNCTIONAL_GROUPS = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")
KEYWORDS = (  # noqa: SIM905  # one a line would hide the file's idea under fifty lines
    "SpecificCharacterSet ImageType SOPClassUID SOPInstanceUID StudyDate SeriesDate AcquisitionDate StudyTime "
    "SeriesTime AcquisitionTime AcquisitionDateTime AccessionNumber Modality InstitutionName StudyDescription "
    "SeriesDescription PatientName PatientID IssuerOfPatientID PatientBirthDate PatientSex ContrastBolusAgent "
    "BodyPartExamined ScanningSequence SequenceVariant ScanOptions SequenceName SliceThickness RepetitionTime "
    "EchoTime InversionTime SpacingBetweenSlices ProtocolName StudyInstanceUID SeriesInstanceUID SeriesNumber "
    "AcquisitionNumber InstanceNumber ImagePositionPatient ImageOrientationPatient TemporalPositionIdentifier "
    "ImagesInAcquisition SamplesPerPixel NumberOfFrames Rows Columns PixelSpacing BitsAllocated WindowCenter "
    "WindowWidth"
).split()


def _tags(keywords: tuple[str, ...] | list[str]) -> list[int]:
    return [tag for keyword in keywords if (tag := tag_for_keyword(keyword)) is not None]


TAGS = _tags(KEYWORDS)
TAGS_OF_FRAMES = _tags([*KEYWORDS, *FUNCTIONAL_GROUPS])


@dataclass(frozen=True)
class StudyHeader:
    study_date: date | None
    study_time: time | None
    accession_number: str
    study_description: str
    institution_name: str


@dataclass(frozen=True, eq=False)
class ReceivedInstance:
    """One readable instance that is about to be kept; `slices` are its frames where it is an MR image.

    What only the first instance of a study or series is asked for is read from the header then.
    """

    path: Path
    header: Dataset
    file: InstanceFile
    sop_instance_uid: str
    sop_class_uid: str
    series_instance_uid: str
    study_instance_uid: str
    patient: PatientIdentity
    slices: tuple[InstanceHeader, ...]
    number_of_frames: int

    @cached_property
    def instance_number(self) -> int | None:
        return _integer(self.header, "InstanceNumber")

    @cached_property
    def rows(self) -> int | None:
        return _integer(self.header, "Rows")

    @cached_property
    def columns(self) -> int | None:
        return _integer(self.header, "Columns")

    @cached_property
    def frame_bytes(self) -> int | None:
        """The length of each native frame; None where frames are not whole bytes at their place in the file."""
        others = (_integer(self.header, keyword) for keyword in ("SamplesPerPixel", "BitsAllocated"))
        bits = prod(factor or 0 for factor in (self.rows, self.columns, *others))
        announced = bits // 8 * self.number_of_frames
        is_there = self.file.pixel_bytes is not None and 0 < announced <= self.file.pixel_bytes
        return bits // 8 if is_there and bits % 8 == 0 else None

    def window(self) -> tuple[float, float] | None:
        """Center and width of the first window that the first frame names."""
        places = frame_places(self.header, 1)
        center, width = first_number(places, "WindowCenter"), first_number(places, "WindowWidth")
        return None if center is None or width is None else (center, width)

    def study(self) -> StudyHeader:
        return _study(self.header)

    def series(self) -> SeriesHeader:
        return _series(self.header, self.slices[:1])


def read_received_instance(path: Path) -> ReceivedInstance:
    """The instance in a Part 10 file.

    Raises: RefusedError when the file is no readable instance or lacks one of the four identifiers.
    """
    file = read_instance_file(path, TAGS)
    if _text(file.header, "SOPClassUID") in MULTI_FRAME_MR:
        file = read_instance_file(path, TAGS_OF_FRAMES)
    try:
        return _received(path, file)
    except UNREADABLE as error:
        if isinstance(error, RefusedError):
            raise
        raise RefusedError(Refusal.MALFORMED, f"malformed DICOM: {type(error).__name__} in the header") from error


def _received(path: Path, file: InstanceFile) -> ReceivedInstance:
    header = file.header
    frame_count = whole(header, "NumberOfFrames") or 1
    if not 0 < frame_count <= MOST_FRAMES:
        raise RefusedError(Refusal.MALFORMED, f"NumberOfFrames is {frame_count}, need 1 to {MOST_FRAMES}")
    is_image = _text(header, "Modality") == "MR" and _integer(header, "Rows") and _integer(header, "Columns")
    return ReceivedInstance(
        path=path,
        header=header,
        file=file,
        sop_instance_uid=_uid(header, "SOPInstanceUID"),
        sop_class_uid=_uid(header, "SOPClassUID"),
        series_instance_uid=_uid(header, "SeriesInstanceUID"),
        study_instance_uid=_uid(header, "StudyInstanceUID"),
        patient=_patient(header),
        slices=instance_headers(header) if is_image else (),
        number_of_frames=frame_count,
    )


def _patient(header: Dataset) -> PatientIdentity:
    return PatientIdentity(
        patient_id=_text(header, "PatientID", 64),
        issuer_of_patient_id=_text(header, "IssuerOfPatientID", 64),
        name=_text(header, "PatientName", 324),
        birth_date=_date(header, "PatientBirthDate"),
        sex=_text(header, "PatientSex", 16),
    )


def _study(header: Dataset) -> StudyHeader:
    return StudyHeader(
        study_date=_date(header, "StudyDate"),
        study_time=_time(header, "StudyTime"),
        accession_number=_text(header, "AccessionNumber", 64),
        study_description=_text(header, "StudyDescription", 256),
        institution_name=_text(header, "InstitutionName", 256),
    )


def _series(header: Dataset, first_slice: tuple[InstanceHeader, ...]) -> SeriesHeader:
    places = frame_places(header, 1)
    echo_time_ms, inversion_time_ms, image_type, orientation = next(
        (
            (one.echo_time_ms, one.inversion_time_ms, one.image_type, one.image_orientation_patient)
            for one in first_slice
        ),
        (None, None, _words(places, "ImageType"), None),
    )
    return SeriesHeader(
        series_instance_uid=_uid(header, "SeriesInstanceUID"),
        modality=_text(header, "Modality", 16),
        series_number=_integer(header, "SeriesNumber"),
        series_description=_text(header, "SeriesDescription", 256),
        protocol_name=_text(header, "ProtocolName", 256),
        body_part_examined=_text(header, "BodyPartExamined", 64),
        scanning_sequence=_words(places, "ScanningSequence"),
        sequence_variant=_words(places, "SequenceVariant"),
        scan_options=_words(places, "ScanOptions"),
        sequence_name=_text(header, "SequenceName", 64),
        inversion_time_ms=inversion_time_ms,
        echo_time_ms=echo_time_ms,
        repetition_time_ms=first_number(places, "RepetitionTime"),
        contrast_bolus_agent=_text(header, "ContrastBolusAgent", 64),
        image_type=image_type,
        image_orientation_patient=orientation,
        acquired_at=_acquired_at(header),
    )


def _acquired_at(header: Dataset) -> str:
    moment = _text(header, "AcquisitionDateTime", 26)
    if moment:
        return moment
    dates = [_text(header, f"{level}Date", 8) for level in ("Acquisition", "Series", "Study")]
    times = [_text(header, f"{level}Time", 14) for level in ("Acquisition", "Series", "Study")]
    return next(filter(None, dates), "") + next(filter(None, times), "")


def as_json(header: SeriesHeader | InstanceHeader) -> dict[str, Any]:  # Any: JSON
    """The fields that say something; `series_header` and `slice_header` are the way back."""
    return {name: value for name, value in vars(header).items() if value not in (None, "", ())}


def series_header(stored: Mapping[str, Any], **known: Any) -> SeriesHeader:  # Any: JSON, and fields of several types
    """The header from its JSON form, with what is known since of slices and geometry."""
    return SeriesHeader(**{**_tuples(stored, SeriesHeader), **known})


def slice_header(stored: Mapping[str, Any]) -> InstanceHeader:  # Any: JSON
    return InstanceHeader(**_tuples(stored, InstanceHeader))


def _tuples(stored: Mapping[str, Any], kind: type) -> dict[str, Any]:  # Any: JSON
    defaults: dict[str, Any] = {field.name: None for field in fields(kind) if field.name in OPTIONAL_SLICE_FIELDS}
    return defaults | {name: tuple(value) if isinstance(value, list) else value for name, value in stored.items()}


# InstanceHeader gives these no default; `as_json` leaves them out when they are None.
OPTIONAL_SLICE_FIELDS = {
    "instance_number",
    "image_position_patient",
    "pixel_spacing",
    "rows",
    "columns",
    "image_orientation_patient",
}


def _uid(header: Dataset, keyword: str) -> str:
    uid = _text(header, keyword, 65)
    if not uid:
        raise RefusedError(Refusal.NO_IDENTITY, f"{keyword} is missing, need the UIDs of study, series and instance")
    if not UID_PATTERN.fullmatch(uid):
        raise RefusedError(Refusal.NO_IDENTITY, f"{keyword} is no UID: need at most 64 digits and full stops")
    return uid


def _text(header: Dataset, keyword: str, length: int = 64) -> str:
    """The attribute in one line of printable characters; a database refuses the others."""
    joined = "\\".join(words(header, keyword))
    return "".join(letter for letter in joined if letter.isprintable()).strip()[:length]


def _words(places: tuple[Dataset, ...], keyword: str) -> tuple[str, ...]:
    return tuple("".join(filter(str.isprintable, word))[:64] for word in first_words(places, keyword))


def _integer(header: Dataset, keyword: str) -> int | None:
    number = numbers(header, keyword)
    return int(number[0]) if number and abs(number[0]) <= LARGEST_INTEGER else None


def _date(header: Dataset, keyword: str) -> date | None:
    """Source: PS3.5 6.2, DA; "2024.01.31" is its form before 1993."""
    try:
        return datetime.strptime(_text(header, keyword, 10).replace(".", ""), "%Y%m%d").date()  # noqa: DTZ007  # a date has no zone
    except ValueError:
        return None


def _time(header: Dataset, keyword: str) -> time | None:
    """Source: PS3.5 6.2, TM; minutes, seconds and fraction may be left out."""
    digits = re.fullmatch(r"(\d\d):?(\d\d)?:?(\d\d)?(?:\.(\d{1,6}))?", _text(header, keyword, 16))
    if digits is None:
        return None
    hour, minute, second, fraction = digits.groups(default="0")
    try:
        return time(int(hour), int(minute), min(int(second), 59), int(fraction.ljust(6, "0")))
    except ValueError:
        return None
