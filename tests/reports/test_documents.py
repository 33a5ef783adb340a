"""What leaves the house says what the API says, to the last digit, and who stands for it."""

import csv
import zipfile
from collections.abc import Sequence
from io import BytesIO, StringIO

import numpy as np
import pytest
from highdicom.seg import segread
from highdicom.sr import srread
from pydicom import dcmread
from pydicom.sr.codedict import codes

from plaqueview.accounts.services import create_site
from plaqueview.annotations.models import Annotation
from plaqueview.audit.models import AuditEvent, EventKind
from plaqueview.core.access import Action, Role
from plaqueview.imaging import mask_codec
from plaqueview.imaging.dicom_sr import BASIS, IN_PLANE_AXIS, LESION_CLASS, LONG_AXIS, NUMBER_OF_LESIONS, tracking_uid
from tests.accounts.people import make_user, token_client
from tests.annotations.scenes import LARGE_INACTIVE, statement, without_small_inactive
from tests.inference.scenes import SHAPE, make_model
from tests.reports.scenes import SERIES_UID, STUDY_UID, Office, make_office

pytestmark = pytest.mark.django_db

KINDS = ("seg.dcm", "sr.dcm", "sc.zip", "lesions.csv", "report.pdf", "pdf.dcm", "fhir")
MEDIA_TYPES = {
    "seg.dcm": "application/dicom",
    "sr.dcm": "application/dicom",
    "sc.zip": "application/zip",
    "lesions.csv": "text/csv; charset=utf-8",
    "report.pdf": "application/pdf",
    "pdf.dcm": "application/dicom",
    "fhir": "application/fhir+json; fhirVersion=4.0",
}


@pytest.fixture
def office() -> Office:
    return make_office()


LESION_MEASURES = (codes.SCT.Volume, LONG_AXIS, IN_PLANE_AXIS)


def voxels_in(content: bytes, uids: Sequence[str] = ()) -> np.ndarray:
    """(slices, rows, columns) labels of a SEG, as highdicom's reader has them, over the scene's series or another."""
    uids = uids or [f"{SERIES_UID}.{number}" for number in range(1, SHAPE[0] + 1)]
    seg = segread(BytesIO(content))
    return seg.get_pixels_by_source_instance(uids, combine_segments=True, assert_missing_frames_are_empty=True)


def rows_in(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(content.decode(), newline="")))


def numbers_in_report(content: bytes) -> tuple[list[tuple], dict[str, tuple]]:
    """Lesions as (tracking UID, class, volume, both axes), and per class (count, volume)."""
    report = srread(BytesIO(content)).content

    def one(group, name):
        (found,) = group.get_measurements(name=name)
        return found.value

    def class_of(group):
        (found,) = group.get_qualitative_evaluations(name=LESION_CLASS)
        return found.value.meaning.lower()

    lesions = [
        (str(group.tracking_uid), class_of(group), *(one(group, name) for name in LESION_MEASURES))
        for group in report.get_volumetric_roi_measurement_groups()
    ]
    totals = {
        class_of(group): (one(group, NUMBER_OF_LESIONS), one(group, codes.SCT.Volume))
        for group in report.get_image_measurement_groups()
    }
    return lesions, totals


def api_of(office: Office, annotation: Annotation) -> tuple[dict, list[dict]]:
    detail = office.client.get(f"/api/v1/annotations/{annotation.pk}").json()
    lesions = office.client.get(f"/api/v1/annotations/{annotation.pk}/lesions").json()["results"]
    return detail, lesions


def assert_documents_agree_with_the_api(office: Office, annotation: Annotation) -> None:
    detail, lesions = api_of(office, annotation)
    reported, totals = numbers_in_report(office.get(annotation, "sr.dcm").content)
    rows = rows_in(office.get(annotation, "lesions.csv").content)

    names = ("volume_ml", "longest_axis_mm", "in_plane_axis_mm")
    expected = [(one["lesion_class"], *(one[name] for name in names)) for one in lesions]
    assert [one[1:] for one in reported] == expected
    assert [one[0] for one in reported] == [tracking_uid(one["id"]) for one in lesions]
    assert totals == {
        kind: (detail["lesion_counts"][kind], detail["lesion_volumes_ml"][kind]) for kind in ("active", "inactive")
    }
    assert [(row["lesion_class"], *(float(row[name]) for name in names)) for row in rows] == expected
    for row, one in zip(rows, lesions, strict=True):
        assert (row["lesion"], row["number"]) == (one["id"], str(one["number"]))
        assert (row["volume_ml"], row["longest_axis_mm"]) == (repr(one["volume_ml"]), repr(one["longest_axis_mm"]))
        assert [float(row[f"centroid_{axis}_mm"]) for axis in "xyz"] == one["centroid_mm"]
        assert [float(row[f"centroid_{axis}"]) for axis in ("slice", "row", "column")] == one["centroid_index"]
        assert row["slice_indices"] == " ".join(map(str, one["slice_indices"]))
        assert float(row["mean_probability"]) == one["mean_probability"]
        assert row["evidence"] == (one["evidence"] or "")
        assert row["counting_rule"] == detail["counting_rule"]


def test_the_numbers_of_a_prediction_are_those_of_the_api(office):
    assert_documents_agree_with_the_api(office, office.prediction)


def test_the_numbers_of_a_readers_version_are_those_of_the_api(office):
    version = office.desk.submitted(without_small_inactive())

    assert_documents_agree_with_the_api(office, version)
    assert len(rows_in(office.get(version, "lesions.csv").content)) == 2


def test_the_seg_holds_the_very_voxels_of_exactly_the_version_asked_for(office):
    version = office.desk.submitted(without_small_inactive())

    for annotation in (office.prediction, version):
        mask = office.client.get(f"/api/v1/annotations/{annotation.pk}/mask")
        seg = office.get(annotation, "seg.dcm")
        np.testing.assert_array_equal(voxels_in(seg.content), mask_codec.decode(mask.content))


def test_a_prediction_is_a_draft_stamped_by_its_model(office):
    seg = dcmread(BytesIO(office.get(office.prediction, "seg.dcm").content))
    report = dcmread(BytesIO(office.get(office.prediction, "sr.dcm").content))
    (row, *_) = rows_in(office.get(office.prediction, "lesions.csv").content)

    model = make_model()
    assert (seg.SeriesDescription, report.VerificationFlag) == ("DRAFT MS plaques, version 1", "UNVERIFIED")
    assert seg.StudyInstanceUID == report.StudyInstanceUID == STUDY_UID
    assert seg.SegmentSequence[1].SegmentLabel == "AI-predicted active (FLAIR only)"
    (algorithm,) = seg.SegmentSequence[1].SegmentationAlgorithmIdentificationSequence
    assert algorithm.AlgorithmParameters == f"sha256={model.sha256},computation=float32 on the CPU"
    assert (row["state"], row["class_basis"]) == ("draft", "AI-predicted active (FLAIR only)")
    assert row["authors"] == (
        f"Model phantom-reader 1.0, SHA-256 {model.sha256}; Seen by no reader; DRAFT: approved by nobody"
    )


def test_a_confirmed_version_says_so_and_once_approved_it_is_verified(office):
    version = office.confirmed()
    before = dcmread(BytesIO(office.get(version, "sr.dcm").content))
    office.approve(version)

    report = srread(BytesIO(office.get(version, "sr.dcm").content))
    seg = dcmread(BytesIO(office.get(version, "seg.dcm").content))

    name = office.desk.reader.username
    assert (before.VerificationFlag, report.VerificationFlag) == ("UNVERIFIED", "VERIFIED")
    assert report.VerifyingObserverSequence[0].VerifyingOrganization == "Ljubljana"
    assert str(report.VerifyingObserverSequence[0].VerifyingObserverName).rstrip("^") == name
    assert before.SOPInstanceUID != report.SOPInstanceUID
    assert [one.SegmentLabel for one in seg.SegmentSequence] == ["Inactive", "Active"]
    assert [one.SegmentAlgorithmType for one in seg.SegmentSequence] == ["SEMIAUTOMATIC"] * 2
    assert seg.SeriesDescription == "MS plaques, version 2"
    groups = report.content.get_volumetric_roi_measurement_groups()
    bases = [item.value for group in groups for item in group[0].ContentSequence if item.name == BASIS]
    assert bases == [
        "Confirmed by a reader: enhances after gadolinium",
        "AI-predicted inactive (FLAIR only)",
        "AI-predicted inactive (FLAIR only)",
    ]


@pytest.mark.parametrize(
    ("evidence", "reason"),
    [
        ("post_gadolinium", "does not enhance after gadolinium"),
        ("prior", "neither new nor larger than in a prior study"),
        ("reader_opinion", "the reader's opinion"),
    ],
)
def test_evidence_says_of_an_inactive_lesion_that_it_is_not_active(office, evidence, reason):
    said = statement(anchor=LARGE_INACTIVE, lesion_class="inactive", evidence=evidence)
    version = office.desk.submitted(statements=[said])

    bases = [row["class_basis"] for row in rows_in(office.get(version, "lesions.csv").content)]

    assert sorted(bases) == [
        "AI-predicted active (FLAIR only)",
        "AI-predicted inactive (FLAIR only)",
        f"Confirmed by a reader: {reason}",
    ]


def test_an_inactive_lesion_that_a_reader_drew_is_the_readers(office):
    version = office.desk.submitted(statements=[statement("added", anchor=LARGE_INACTIVE, lesion_class="inactive")])

    bases = [row["class_basis"] for row in rows_in(office.get(version, "lesions.csv").content)]

    assert sorted(bases) == [
        "AI-predicted active (FLAIR only)",
        "AI-predicted inactive (FLAIR only)",
        "Inactive in the version of a reader",
    ]


@pytest.mark.parametrize("kind", ["added", "reclassified"])
def test_what_a_reader_made_active_is_the_readers_and_not_the_networks(office, kind):
    version = office.desk.submitted(statements=[statement(kind)])

    seg = dcmread(BytesIO(office.get(version, "seg.dcm").content))
    (row, *_) = rows_in(office.get(version, "lesions.csv").content)

    assert version.unconfirmed_active_count == 1
    assert [one.SegmentLabel for one in seg.SegmentSequence] == ["Inactive", "Active"]
    assert (row["class_basis"], row["evidence"]) == ("Active in the version of a reader, who named no evidence", "")


def test_what_no_reader_spoke_of_stays_the_networks_in_a_readers_version(office):
    version = office.desk.submitted()

    seg = dcmread(BytesIO(office.get(version, "seg.dcm").content))
    (row, *_) = rows_in(office.get(version, "lesions.csv").content)

    assert [one.SegmentLabel for one in seg.SegmentSequence] == ["Inactive", "AI-predicted active (FLAIR only)"]
    assert row["class_basis"] == "AI-predicted active (FLAIR only)"


def test_the_captures_are_one_a_slice_with_the_grey_of_the_slice(office):
    answer = office.get(office.prediction, "sc.zip")

    archive = zipfile.ZipFile(BytesIO(answer.content))
    captures = [dcmread(BytesIO(archive.read(name))) for name in archive.namelist()]
    assert archive.namelist() == [f"{number:04}.dcm" for number in range(1, 7)]
    assert [one.SourceImageSequence[0].ReferencedSOPInstanceUID for one in captures] == [
        f"{SERIES_UID}.{number}" for number in range(1, 7)
    ]
    corners = [int(one.pixel_array[0, 0, 0]) for one in captures]
    assert corners == sorted(corners)
    assert corners[0] < corners[-1]


@pytest.mark.parametrize("kind", ["seg.dcm", "sr.dcm", "sc.zip", "pdf.dcm"])
def test_every_object_names_the_version_that_it_is_of(office, kind):
    content = office.get(office.prediction, kind).content
    archive = zipfile.ZipFile(BytesIO(content)) if kind == "sc.zip" else None
    files = [archive.read(name) for name in archive.namelist()] if archive else [content]

    for dataset in (dcmread(BytesIO(file)) for file in files):
        equipment = dataset.ContributingEquipmentSequence[-1]
        assert equipment.ContributionDescription == f"Annotation version {office.prediction.pk}"
        assert equipment.PurposeOfReferenceCodeSequence[0].CodeMeaning == "Processing Equipment"
        assert (equipment.Manufacturer, equipment.ManufacturerModelName) == ("PlaqueView", "PlaqueView")
        assert str(equipment.ContributionDateTime)[:8] == f"{office.prediction.created:%Y%m%d}"


@pytest.mark.parametrize("kind", KINDS)
def test_asked_twice_the_same_bytes_come_and_a_tag_that_spares_the_second_time(office, kind):
    first, again = office.get(office.prediction, kind), office.get(office.prediction, kind)
    spared = office.get(office.prediction, kind, **{"if-none-match": first.headers["ETag"]})

    assert first.status_code == 200
    assert first.content == again.content
    assert first.headers["Content-Type"] == MEDIA_TYPES[kind]
    assert first.headers["Cache-Control"] == "private, no-cache"
    name = f"plaqueview-{office.prediction.pk}-{'fhir.json' if kind == 'fhir' else kind}"
    assert first.headers["Content-Disposition"] == f'attachment; filename="{name}"'
    assert (spared.status_code, spared.content) == (304, b"")


@pytest.mark.parametrize("kind", KINDS)
def test_an_export_is_on_record_with_the_hash_of_the_file(office, kind):
    answer = office.get(office.prediction, kind)

    (event,) = AuditEvent.objects.filter(kind=EventKind.DOCUMENT_EXPORTED)
    assert (event.actor_id, event.object_id) == (office.integrator.pk, str(office.prediction.pk))
    assert event.site_id == office.desk.study.site_id
    assert event.details == {
        "study": str(office.desk.study.pk),
        "document": kind,
        "sha256": answer.headers["ETag"].strip('"'),
        "is_approved": False,
    }


@pytest.mark.parametrize("kind", KINDS)
def test_another_site_and_a_narrow_token_get_nothing(office, kind):
    stranger = token_client(make_user(Role.ADMIN, site=create_site(name="Elsewhere")))
    narrow = token_client(make_user(Role.NEUROLOGIST, site=office.desk.study.site), Action.STUDY_READ)
    address = f"/api/v1/annotations/{office.prediction.pk}/{kind}"

    assert stranger.get(address).status_code == 404
    assert narrow.get(address).status_code == 403
    assert not AuditEvent.objects.filter(kind=EventKind.DOCUMENT_EXPORTED).exists()


def test_a_token_that_may_not_read_studies_gets_no_object_that_names_the_patient(office):
    narrow = token_client(make_user(Role.NEUROLOGIST, site=office.desk.study.site), Action.ANNOTATION_READ)

    answers = {kind: narrow.get(f"/api/v1/annotations/{office.prediction.pk}/{kind}") for kind in KINDS}

    assert {kind: answer.status_code for kind, answer in answers.items()} == {
        "seg.dcm": 403,
        "sr.dcm": 403,
        "sc.zip": 403,
        "lesions.csv": 200,
        "report.pdf": 403,
        "pdf.dcm": 403,
        "fhir": 403,
    }
    assert b"Novak" not in answers["lesions.csv"].content


@pytest.mark.parametrize("kind", ["seg.dcm", "sr.dcm", "sc.zip", "pdf.dcm"])
def test_a_series_without_frame_of_reference_is_a_conflict_and_no_export(kind):
    office = make_office(FrameOfReferenceUID=None)

    answer = office.get(office.prediction, kind)

    assert answer.status_code == 409
    assert answer.json()["detail"] == (
        f"{kind} cannot be written: the series names no frame of reference (0020,0052), "
        "which a DICOM object over it needs"
    )
    assert not AuditEvent.objects.filter(kind=EventKind.DOCUMENT_EXPORTED).exists()
