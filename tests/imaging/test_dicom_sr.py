"""The report says of each lesion and each class what was measured, to the last digit, and who stands for it."""

import shutil
from io import BytesIO

import pytest
from highdicom.sr import ComprehensiveSR, srread
from pydicom.sr.codedict import codes

from plaqueview.imaging.dicom_document import encode
from plaqueview.imaging.dicom_sr import (
    AUTHORS,
    BASIS,
    COUNTING_RULE,
    IN_PLANE_AXIS,
    LESION_CLASS,
    LONG_AXIS,
    NOTICE,
    NUMBER_OF_LESIONS,
    ReportedMeasures,
    report_of,
    tracking_uid,
)
from plaqueview.imaging.lesion_class import LesionClass
from plaqueview.imaging.lesions import CountingRule
from tests.imaging.documents import ALGORITHM, approved, dciodvfy_errors, measures, source, stamp, table


def written(stamp_, measures_=None) -> bytes:
    return encode(report_of(measures_ or measures(), source(), stamp_), stamp_)


def read(content: bytes) -> ComprehensiveSR:
    return srread(BytesIO(content))


def number(group, name) -> float:
    (found,) = group.get_measurements(name=name)
    return found.value


def text(group, name) -> str:
    (found,) = (item for item in group[0].ContentSequence if item.name == name)
    return found.value


def class_of(group) -> str:
    (found,) = group.get_qualitative_evaluations(name=LESION_CLASS)
    return found.value.meaning


def test_each_lesion_has_its_measures_to_the_last_digit():
    groups = read(written(stamp())).content.get_volumetric_roi_measurement_groups()

    lesions = table().lesions
    assert [number(group, codes.SCT.Volume) for group in groups] == [lesion.volume_ml for lesion in lesions]
    assert [number(group, LONG_AXIS) for group in groups] == [lesion.longest_axis_mm for lesion in lesions]
    assert [number(group, IN_PLANE_AXIS) for group in groups] == [lesion.in_plane_axis_mm for lesion in lesions]
    assert [class_of(group) for group in groups] == ["Active", "Inactive", "Inactive"]
    assert [group.tracking_identifier for group in groups] == ["Lesion 1", "Lesion 2", "Lesion 3"]
    assert [group.tracking_uid for group in groups] == [tracking_uid(f"row {one}") for one in (1, 2, 3)]
    assert [text(group, BASIS) for group in groups] == ["basis of 1", "basis of 2", "basis of 3"]


def test_each_lesion_refers_to_its_segment_and_to_the_slices_it_lies_on():
    groups = read(written(stamp())).content.get_volumetric_roi_measurement_groups()

    for group, lesion in zip(groups, table().lesions, strict=True):
        segment = group.referenced_segment
        assert segment.referenced_sop_instance_uid == stamp().uid("seg")
        assert segment.referenced_segment_numbers == [2 if lesion.lesion_class is LesionClass.ACTIVE else 1]
        uids = [image.referenced_sop_instance_uid for image in segment.source_images_for_segmentation]
        assert uids == [source().sop_instance_uids[index] for index in lesion.slice_indices]


def test_totals_by_class_stand_beside_the_rule_they_were_counted_by():
    groups = read(written(stamp())).content.get_image_measurement_groups()

    found = table()
    totals = {class_of(group).lower(): group for group in groups}
    assert totals.keys() == {"active", "inactive"}
    for kind, group in totals.items():
        assert number(group, NUMBER_OF_LESIONS) == found.counts()[LesionClass(kind)]
        assert number(group, codes.SCT.Volume) == found.volumes_ml()[LesionClass(kind)]
        assert text(group, COUNTING_RULE) == CountingRule().sentence
        assert text(group, NOTICE) == "Research use only, not a medical device."
        assert text(group, BASIS) == f"AI-predicted {kind} (FLAIR only)"


def test_a_prediction_is_preliminary_unverified_and_stamped_by_its_model():
    report = read(written(stamp()))

    assert (report.VerificationFlag, report.PreliminaryFlag, report.CompletionFlag) == (
        "UNVERIFIED",
        "PRELIMINARY",
        "COMPLETE",
    )
    assert report.SeriesDescription == "DRAFT MS plaque measurements, version 3"
    (device,) = report.content.get_observer_contexts()
    assert device.observer_identifying_attributes.model_name == f"Model phantom-reader 1.0, SHA-256 {ALGORITHM.sha256}"
    group = report.content.get_image_measurement_groups()[0]
    assert text(group, AUTHORS) == (
        f"Model phantom-reader 1.0, SHA-256 {ALGORITHM.sha256}; Seen by no reader; DRAFT: approved by nobody"
    )


def test_an_approved_version_is_final_and_verified_by_its_reviewer():
    report = read(written(approved()))

    assert (report.VerificationFlag, report.PreliminaryFlag) == ("VERIFIED", "FINAL")
    (observer,) = report.VerifyingObserverSequence
    assert (str(observer.VerifyingObserverName), observer.VerifyingOrganization) == ("Kovač^Ana", "Ljubljana")
    assert observer.VerificationDateTime == "20260305090000.000000"
    assert report.SeriesDescription == "MS plaque measurements, version 3"
    (person,) = report.content.get_observer_contexts(observer_type=codes.DCM.Person)
    assert person.observer_identifying_attributes.name == "Novak^Ana"


def test_a_version_without_a_lesion_reports_zero_by_rule():
    nothing = ReportedMeasures([], dict.fromkeys(LesionClass, 0), dict.fromkeys(LesionClass, 0.0))

    content = read(written(stamp(), nothing)).content

    assert content.get_volumetric_roi_measurement_groups() == []
    assert [number(group, NUMBER_OF_LESIONS) for group in content.get_image_measurement_groups()] == [0, 0]


def test_everything_referred_to_is_listed_as_evidence():
    report = read(written(stamp()))

    evidence = {str(instance_uid) for _, _, instance_uid, _ in report.get_evidence()}
    assert {stamp().uid("seg")} | {uid for lesion in table().lesions for uid in uids_of(lesion)} <= evidence


def uids_of(lesion) -> set[str]:
    return {source().sop_instance_uids[index] for index in lesion.slice_indices}


def test_the_same_version_gives_the_same_bytes():
    assert written(stamp()) == written(stamp())
    assert written(approved()) == written(approved())
    assert read(written(stamp())).SOPInstanceUID != read(written(approved())).SOPInstanceUID


@pytest.mark.peers
@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dciodvfy of dicom3tools is not installed")
@pytest.mark.parametrize("stamp_", [stamp(), approved(), stamp(algorithm=None, reader="Novak^Ana")])
def test_dciodvfy_finds_no_error(tmp_path, stamp_):
    path = tmp_path / "sr.dcm"
    path.write_bytes(written(stamp_))

    assert dciodvfy_errors(path) == []
