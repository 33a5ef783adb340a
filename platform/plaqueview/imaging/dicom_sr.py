"""The measures of a version as a structured report. Source: PS3.16 TID 1500, 1411 and 1501; PS3.3 A.35.3."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from highdicom import sr
from highdicom.coding_schemes import CodingSchemeIdentificationItem
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code
from pydicom.uid import SegmentationStorage

from plaqueview.imaging.dicom_document import (
    BRAIN,
    CATEGORY,
    CHARACTER_SET,
    CLASS_CODES,
    LESION,
    MANUFACTURER,
    Stamp,
    quiet,
)
from plaqueview.imaging.dicom_slice import uid_of
from plaqueview.imaging.dicom_source import SourceSeries
from plaqueview.imaging.lesion_class import LABEL_OF_CLASS, LesionClass

SERIES_NUMBER: Final = 9200

# Concepts that no public scheme has; a private scheme's designator begins with 99 (PS3.16 8.2).
SCHEME: Final = "99PLAQUEVIEW"
LESION_CLASS: Final = Code("lesion_class", SCHEME, "Class of the lesion")
BASIS: Final = Code("class_basis", SCHEME, "What the class rests on")
COUNTING_RULE: Final = Code("counting_rule", SCHEME, "Counting rule")
NOTICE: Final = Code("notice", SCHEME, "Notice")
AUTHORS: Final = Code("authors", SCHEME, "Who says so")
# Public concepts name an axis and not whether it lies in one slice; a second "long axis" would be taken for the first.
IN_PLANE_AXIS: Final = Code("in_plane_axis", SCHEME, "Longest axis within one slice")

LONG_AXIS: Final = Code("103339001", "SCT", "Long axis")  # PS3.16 CID 7470
NUMBER_OF_LESIONS: Final = Code("246206008", "SCT", "Number of lesions")
TOTAL: Final = Code("255619001", "SCT", "Total")  # PS3.16 CID 7464
MILLILITRE: Final = Code("ml", "UCUM", "ml")
LESION_COUNT: Final = Code("{lesions}", "UCUM", "lesions")


@dataclass(frozen=True)
class ReportedLesion:
    """One lesion of the version; measures mean what `lesions.LesionMeasures` says.

    `tracking` names the lesion for good, `basis` says in words what its class rests on.
    """

    tracking: str
    number: int
    lesion_class: LesionClass
    volume_ml: float
    longest_axis_mm: float
    in_plane_axis_mm: float | None
    slice_indices: Sequence[int]
    basis: str


@dataclass(frozen=True)
class ReportedMeasures:
    """What a version adds up to; counts and volumes by class."""

    lesions: Sequence[ReportedLesion]
    counts: Mapping[LesionClass, int]
    volumes_ml: Mapping[LesionClass, float]


def tracking_uid(tracking: str) -> str:
    """The tracking UID of a lesion, from what names it for good."""
    return str(uid_of(f"lesion {tracking}"))


def report_of(measures: ReportedMeasures, source: SourceSeries, stamp: Stamp) -> sr.ComprehensiveSR:
    """The measurement report: one group a lesion, one a class with its totals and the counting rule.

    A lesion refers to the segment of its class in the SEG of the same version, and to the slices it lies on. Numbers
    are doubles, to the last digit. It is VERIFIED only when the version was approved.
    """
    with quiet():
        report = sr.MeasurementReport(
            observation_context=sr.ObservationContext(
                observer_person_context=_reader(stamp), observer_device_context=_device(stamp)
            ),
            procedure_reported=codes.SCT.ImagingProcedure,
            imaging_measurements=[
                *(_lesion_group(lesion, source, stamp) for lesion in measures.lesions),
                *(_class_group(kind, measures, stamp) for kind in LesionClass),
            ],
            title=codes.DCM.ImagingMeasurementReport,
        )
        return sr.ComprehensiveSR(
            evidence=[*source.headers, _segmentation(source, stamp)],
            content=report,
            series_instance_uid=stamp.uid("sr series"),
            series_number=SERIES_NUMBER + stamp.version,
            sop_instance_uid=stamp.uid("sr"),
            instance_number=1,
            is_complete=True,
            series_description=stamp.describe("MS plaque measurements"),
            specific_character_set=CHARACTER_SET,
            coding_schemes=[_private_scheme()],
            **_verification(stamp),
            **stamp.equipment(),
        )


def _verification(stamp: Stamp) -> dict[str, Any]:  # Any: arguments of highdicom's constructor
    """Source: PS3.3 C.17.2, SR Document General."""
    if stamp.approval is None:
        return {"is_final": False, "is_verified": False}
    return {
        "is_final": True,
        "is_verified": True,
        "verifying_observer_name": stamp.approval.by,
        "verifying_organization": stamp.approval.organization,
    }


def _private_scheme() -> CodingSchemeIdentificationItem:
    return CodingSchemeIdentificationItem(
        designator=SCHEME, name="PlaqueView concepts", responsible_organization=MANUFACTURER
    )


def _segmentation(source: SourceSeries, stamp: Stamp) -> Dataset:
    """The SEG of the version, as far as a reference needs it."""
    reference = Dataset()
    reference.SOPClassUID = SegmentationStorage
    reference.SOPInstanceUID = stamp.uid("seg")
    reference.SeriesInstanceUID = stamp.uid("seg series")
    reference.StudyInstanceUID = source.headers[0].StudyInstanceUID
    return reference


def _device(stamp: Stamp) -> sr.ObserverContext:
    model = stamp.algorithm.sentence if stamp.algorithm else MANUFACTURER
    return sr.ObserverContext(
        observer_type=codes.DCM.Device,
        observer_identifying_attributes=sr.DeviceObserverIdentifyingAttributes(
            uid=str(uid_of(f"device {stamp.device}")),
            name=MANUFACTURER,
            manufacturer_name=MANUFACTURER,
            model_name=model,
            serial_number=stamp.device,
        ),
    )


def _reader(stamp: Stamp) -> sr.ObserverContext | None:
    if not stamp.reader:
        return None
    return sr.ObserverContext(
        observer_type=codes.DCM.Person,
        observer_identifying_attributes=sr.PersonObserverIdentifyingAttributes(name=stamp.reader),
    )


def _lesion_group(
    lesion: ReportedLesion, source: SourceSeries, stamp: Stamp
) -> sr.VolumetricROIMeasurementsAndQualitativeEvaluations:
    group = sr.VolumetricROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=sr.TrackingIdentifier(
            uid=tracking_uid(lesion.tracking), identifier=f"Lesion {lesion.number}"
        ),
        referenced_segment=sr.ReferencedSegment(
            sop_class_uid=SegmentationStorage,
            sop_instance_uid=stamp.uid("seg"),
            segment_number=LABEL_OF_CLASS[lesion.lesion_class],
            source_images=list(_source_images(lesion.slice_indices, source)),
        ),
        finding_category=CATEGORY,
        finding_type=LESION,
        finding_sites=[sr.FindingSite(anatomic_location=BRAIN)],
        algorithm_id=_algorithm(stamp),
        measurements=list(_lesion_measures(lesion)),
        qualitative_evaluations=[sr.QualitativeEvaluation(LESION_CLASS, CLASS_CODES[lesion.lesion_class])],
    )
    _say(group, {BASIS: lesion.basis})
    return group


def _lesion_measures(lesion: ReportedLesion) -> Iterator[sr.Measurement]:
    """A version from before it was measured has no axis within a slice."""
    method = codes.DCM.SumOfSegmentedVoxelMethodForVolume
    yield sr.Measurement(codes.SCT.Volume, lesion.volume_ml, MILLILITRE, method=method)
    yield sr.Measurement(LONG_AXIS, lesion.longest_axis_mm, codes.UCUM.Millimeter)
    if lesion.in_plane_axis_mm is not None:
        yield sr.Measurement(IN_PLANE_AXIS, lesion.in_plane_axis_mm, codes.UCUM.Millimeter)


def _class_group(
    kind: LesionClass, measures: ReportedMeasures, stamp: Stamp
) -> sr.MeasurementsAndQualitativeEvaluations:
    group = sr.MeasurementsAndQualitativeEvaluations(
        tracking_identifier=sr.TrackingIdentifier(uid=stamp.uid(f"total {kind}"), identifier=f"All {kind} lesions"),
        finding_category=CATEGORY,
        finding_type=LESION,
        finding_sites=[sr.FindingSite(anatomic_location=BRAIN)],
        algorithm_id=_algorithm(stamp),
        measurements=[
            _count(measures.counts[kind]),
            sr.Measurement(codes.SCT.Volume, measures.volumes_ml[kind], MILLILITRE, derivation=TOTAL),
        ],
        qualitative_evaluations=[sr.QualitativeEvaluation(LESION_CLASS, CLASS_CODES[kind])],
    )
    _say(
        group,
        {
            BASIS: stamp.label_of(kind),
            COUNTING_RULE: stamp.counting_rule,
            NOTICE: stamp.notice,
            AUTHORS: "; ".join(stamp.authors()),
        },
    )
    return group


def _count(lesions: int) -> sr.Measurement:
    measurement = sr.Measurement(NUMBER_OF_LESIONS, lesions, LESION_COUNT)
    measurement[0].MeasuredValueSequence[0].NumericValue = str(lesions)  # highdicom writes 2 as 2.0
    return measurement


def _source_images(slice_indices: Sequence[int], source: SourceSeries) -> Iterator[sr.SourceImageForSegmentation]:
    class_uid = source.headers[0].SOPClassUID
    if source.is_multi_frame:
        frames = sorted(source.frame_numbers[index] for index in slice_indices)
        yield sr.SourceImageForSegmentation(class_uid, source.sop_instance_uids[0], frames)
        return
    for index in slice_indices:
        yield sr.SourceImageForSegmentation(class_uid, source.sop_instance_uids[index])


def _algorithm(stamp: Stamp) -> sr.AlgorithmIdentification | None:
    """Source: PS3.16 TID 4019."""
    if stamp.algorithm is None:
        return None
    parameters = [f"{name}={value}" for name, value in stamp.algorithm.parameters.items()]
    return sr.AlgorithmIdentification(name=stamp.algorithm.name, version=stamp.algorithm.version, parameters=parameters)


def _say(group: Sequence[Dataset], texts: Mapping[Code, str]) -> None:
    """The group says in words what has no code."""
    for name, value in texts.items():
        item = sr.TextContentItem(name, value, relationship_type=sr.RelationshipTypeValues.CONTAINS)
        group[0].ContentSequence.append(item)
