"""Snapshots: approved versions, frozen, de-identified, each patient on one side for good."""

import csv
import io
import json
import zipfile
from collections import Counter
from datetime import timedelta

import numpy as np
import pytest
from django.test import override_settings
from django.utils import timezone

from inference_worker.dataset import find_studies, read_pair
from inference_worker.labels import UNKNOWN_PLAQUE
from plaqueview.accounts.services import create_site
from plaqueview.audit.models import AuditEvent, EventKind
from plaqueview.core.access import Role
from plaqueview.core.errors import DeniedError, NotFoundError
from plaqueview.core.storage import stored_path
from plaqueview.imaging.nifti import read_volume_nifti
from plaqueview.imaging.volume import Volume
from plaqueview.patients.models import Patient
from plaqueview.studies.models import Series
from plaqueview.training import labels, services
from plaqueview.training.building import in_half
from plaqueview.training.manifest import manifest_of, manifest_sha256
from plaqueview.training.models import DatasetSnapshot, LabelSource, PatientSide, Side, SnapshotState, SnapshotStudy
from plaqueview.training.rules import InclusionRules
from plaqueview.training.sides import place_patients
from tests.accounts.people import make_user, token_client
from tests.annotations.scenes import ACTIVE, LARGE_INACTIVE, make_desk, statement
from tests.training.scenes import built_snapshot, import_cases, make_admin
from tests.worker.support import plaques_of

pytestmark = pytest.mark.django_db


def patients(count: int, *, site_name: str = "Ljubljana", start: int = 0) -> list[Patient]:
    site = create_site(name=site_name)
    return [Patient.objects.create(site=site, patient_id=f"P{start + index}") for index in range(count)]


def test_a_patient_never_changes_side_as_others_are_added():
    first = place_patients(patients(30))

    both = place_patients([*first, *patients(30, start=30)])

    assert {patient: both[patient] for patient in first} == dict(first)
    assert PatientSide.objects.count() == 60


def test_shares_that_change_later_move_nobody():
    known = patients(20)
    before = place_patients(known)

    with override_settings(TRAINING_TEST_SHARE=0.5, TRAINING_VALIDATION_SHARE=0.5):
        after = place_patients(known)

    assert after == before


def test_sides_have_about_their_shares():
    sides = Counter(place.side for place in place_patients(patients(400)).values())

    assert sides[Side.TEST] == pytest.approx(100, abs=30)
    assert sides[Side.VALIDATION] == pytest.approx(60, abs=25)


def test_no_side_of_a_small_department_is_empty():
    sides = Counter(place.side for place in place_patients(patients(3)).values())

    assert sides == {Side.TRAIN: 1, Side.VALIDATION: 1, Side.TEST: 1}


def test_one_person_at_two_sites_stands_on_one_side():
    here = place_patients(patients(12))

    there = place_patients(patients(12, site_name="Maribor"))

    assert [there[patient] for patient in there] == [here[patient] for patient in here]


def test_one_person_at_two_sites_is_moved_to_an_empty_side_as_one():
    here, there = patients(40), patients(20, site_name="Maribor")  # the first 20 are known at both

    for index in range(20):
        one, same, other = here[index], there[index], here[20 + index]
        places = place_patients([one, same, other])
        assert places[one] == places[same]
        assert places[one].side != places[other].side


def test_who_is_placed_at_one_site_is_not_moved_at_another():
    here, there = patients(20), patients(60, site_name="Maribor")  # the first 20 are known at both
    before = [place_patients([one])[one] for one in here]

    after = [place_patients([there[index], *there[20 + 2 * index :][:2]]) for index in range(20)]

    assert [places[there[index]] for index, places in enumerate(after)] == before
    assert [len({place.side for place in places.values()}) for places in after] == [3] * 20


def test_a_snapshot_holds_the_approved_versions_under_the_hash_of_its_manifest(tmp_path):
    import_cases(tmp_path / "cases", "anna", "berta", "cilka")
    make_desk()  # read by the network, approved by nobody

    snapshot = built_snapshot(make_admin())

    rows = list(SnapshotStudy.objects.filter(snapshot=snapshot))
    assert (snapshot.state, snapshot.reason, len(rows)) == (SnapshotState.READY, "", 3)
    assert {side: snapshot.counts[side]["patients"] for side in Side.values} == dict.fromkeys(Side.values, 1)
    assert snapshot.counts["train"]["lesions"] == 4
    assert snapshot.sha256 == manifest_sha256(manifest_of(snapshot, rows))
    assert AuditEvent.objects.filter(kind=EventKind.SNAPSHOT_READY, object_id=str(snapshot.pk)).count() == 1


def test_the_same_versions_make_the_same_snapshot(tmp_path):
    import_cases(tmp_path / "cases", "anna", "berta", "cilka")
    admin = make_admin()

    first, again = built_snapshot(admin), built_snapshot(admin)

    assert first.sha256 == again.sha256
    assert services.compare_snapshots(snapshot_id=again.pk, other_id=first.pk, actor=admin).unchanged_count == 3


def test_snapshots_are_compared_by_study(tmp_path):
    import_cases(tmp_path / "cases", "anna", "berta", "cilka")
    admin = make_admin()
    older = built_snapshot(admin)
    import_cases(tmp_path / "more", "dana/first")

    newer = built_snapshot(admin)

    difference = services.compare_snapshots(snapshot_id=newer.pk, other_id=older.pk, actor=admin)
    assert (len(difference.added), difference.removed, difference.relabelled) == (1, (), ())
    assert difference.unchanged_count == 3


def test_classes_that_nobody_confirmed_are_unknown_to_training(tmp_path):
    import_cases(tmp_path / "cases", "anna", "berta", "cilka")

    snapshot = built_snapshot(make_admin())

    row = SnapshotStudy.objects.filter(snapshot=snapshot).first()
    stored = read_volume_nifti(stored_path(row.labels_key)).voxels
    np.testing.assert_array_equal(stored, np.where(plaques_of(), UNKNOWN_PLAQUE, 0))
    assert {(lesion["lesion_class"], lesion["source"]) for lesion in row.lesions} == {("unknown", "none")}


def approved_reading():
    """The network's three lesions; its active one is confirmed by a prior, its large inactive one by opinion."""
    desk = make_desk()
    said = [
        statement(anchor=ACTIVE, evidence="prior"),
        statement(anchor=LARGE_INACTIVE, lesion_class="inactive", evidence="reader_opinion"),
    ]
    version = desk.submitted(statements=said)
    other = token_client(make_user(Role.NEUROLOGIST, site=desk.study.site))
    answer = other.post(f"/api/v1/annotations/{version.pk}/approve", {"comment": ""}, content_type="application/json")
    assert answer.status_code == 200
    version.refresh_from_db()
    return version


def test_the_source_of_each_class_is_kept():
    version = approved_reading()

    kept = labels.training_labels(version, trusted=list(LabelSource))

    by_number = {lesion.number: (lesion.lesion_class, lesion.source) for lesion in kept.lesions}
    assert by_number == {1: ("active", "prior"), 2: ("inactive", "ai_confirmed"), 3: ("inactive", "none")}


def test_only_trusted_sources_give_a_class():
    version = approved_reading()

    kept = labels.training_labels(version, trusted=[LabelSource.PRIOR])

    assert [lesion.lesion_class for lesion in kept.lesions] == ["active", "unknown", "unknown"]
    assert set(np.unique(kept.labels.voxels)) == {0, 2, UNKNOWN_PLAQUE}
    assert kept.labels.voxels[tuple(LARGE_INACTIVE)] == UNKNOWN_PLAQUE


def test_a_version_that_breaks_a_rule_is_left_out_with_the_reason(tmp_path):
    import_cases(tmp_path / "cases", "anna", "berta", "cilka")
    tomorrow = timezone.now().date() + timedelta(days=1)

    snapshot = built_snapshot(make_admin(), InclusionRules(studied_from=tomorrow, minimum_reviews=1))

    assert snapshot.state == SnapshotState.FAILED
    assert snapshot.reason == (
        "None of 3 approved versions passes the rules; the first: the study has no date; "
        "0 people stand behind the version, need 1."
    )
    assert PatientSide.objects.count() == 0


def test_only_flairs_of_measured_quality_are_taken_in_where_the_rules_say_so(tmp_path):
    """One was not measured, one is noisy, three are fit to be learned from."""
    names = ("anna", "berta", "cilka", "dana", "ema")
    unmeasured, noisy, *_ = [study.flair_series for study in import_cases(tmp_path / "cases", *names)]
    good = {"noise": 0.02, "ghosting": 0.01, "edge_brain": 0.1, "measured_at": "2026-01-01T00:00:00+00:00"}
    Series.objects.exclude(pk=unmeasured.pk).update(quality=good)
    Series.objects.filter(pk=noisy.pk).update(quality={**good, "noise": 0.08})
    admin = make_admin()

    snapshot = built_snapshot(admin, InclusionRules(needs_quality=True))

    address = f"/api/v1/snapshots/{snapshot.pk}/studies?excluded="
    left_out, taken = (token_client(admin).get(address + one).json() for one in ("true", "false"))
    assert (snapshot.excluded_count, taken["count"]) == (2, 3)
    assert sorted(study["exclusion"].split(",")[0] for study in left_out["results"]) == [
        "Noise (estimate): 8.0%",
        "the quality of the FLAIR was not measured",
    ]


@pytest.mark.parametrize(
    ("voxels", "dtype"),
    [([-5.0, 32_767.0], "int16"), ([0.5, 7.0], "float32"), ([0.0, 32_768.0], "float32"), ([0.0, 1e20], "float32")],
)
def test_a_flair_is_kept_to_the_last_digit(voxels, dtype):
    flair = Volume(np.array(voxels, np.float32).reshape(1, 1, 2), np.eye(4))

    kept = in_half(flair)

    assert kept.voxels.dtype == dtype
    np.testing.assert_array_equal(kept.voxels, flair.voxels)


def test_the_export_is_what_training_reads_and_names_nobody(tmp_path):
    import_cases(tmp_path / "cases", "anna-novak", "berta-kos", "cilka-zupan")
    admin = make_admin()
    snapshot = built_snapshot(admin)

    answer = token_client(admin).get(f"/api/v1/snapshots/{snapshot.pk}/export.zip")

    with zipfile.ZipFile(io.BytesIO(answer.getvalue())) as archive:
        archive.extractall(tmp_path / "export")
        lines = list(csv.DictReader(io.TextIOWrapper(archive.open("lesions.csv"))))
        manifest = json.loads(archive.read("manifest.json"))
        everything = b"".join(name.encode() + archive.read(name) for name in archive.namelist())
    found = find_studies(tmp_path / "export")
    assert (len(found), len({study.patient for study in found}), len(lines)) == (3, 3, 12)
    assert manifest_sha256(manifest) == snapshot.sha256
    assert [int(read_pair(study)[1].voxels.max()) for study in found] == [UNKNOWN_PLAQUE] * 3
    for word in (b"anna", b"berta", b"cilka", b"NIFTI", str(Patient.objects.first().pk).encode()):
        assert word not in everything


def test_an_export_leaves_at_once_and_what_breaks_off_is_no_zip(tmp_path):
    import_cases(tmp_path / "cases", "anna-novak", "berta-kos", "cilka-zupan")
    admin = make_admin()
    snapshot = built_snapshot(admin)
    last = list(SnapshotStudy.objects.filter(snapshot=snapshot, exclusion=""))[-1]
    stored_path(last.flair_key).unlink()

    answer = token_client(admin).get(f"/api/v1/snapshots/{snapshot.pk}/export.zip")
    pieces = iter(answer.streaming_content)
    received = [next(pieces)]
    with pytest.raises(FileNotFoundError):
        received.extend(pieces)

    assert answer["Content-Disposition"] == f'attachment; filename="snapshot-{snapshot.pk}.zip"'
    assert received[0].startswith(b"PK\x03\x04")
    assert len(received) > 2 * last.slices
    assert not zipfile.is_zipfile(io.BytesIO(b"".join(received)))


def test_a_builder_that_died_is_replaced_and_one_that_lost_its_claim_writes_nothing(tmp_path):
    import_cases(tmp_path / "cases", "anna", "berta", "cilka")
    snapshot = services.request_snapshot(rules=InclusionRules(), site_ids=[], actor=make_admin())
    DatasetSnapshot.objects.filter(pk=snapshot.pk).update(
        state=SnapshotState.BUILDING, attempts=1, lease_token=snapshot.pk, lease_expires_at=timezone.now()
    )

    services.tend()
    services.build_snapshot(snapshot.pk)
    services.build_snapshot(snapshot.pk)

    snapshot.refresh_from_db()
    assert (snapshot.state, snapshot.attempts, snapshot.studies.count()) == (SnapshotState.READY, 2, 3)


def test_only_administrators_of_all_its_sites_see_a_snapshot(tmp_path):
    import_cases(tmp_path / "cases", "anna", "berta", "cilka")
    snapshot = built_snapshot(make_admin())

    with pytest.raises(NotFoundError):
        services.read_snapshot(snapshot_id=snapshot.pk, actor=make_admin(create_site(name="Maribor")))
    with pytest.raises(DeniedError):
        services.read_snapshot(snapshot_id=snapshot.pk, actor=make_user(Role.NEUROLOGIST))


def test_it_is_asked_for_and_read_over_rest(tmp_path, sent_tasks, django_capture_on_commit_callbacks):
    import_cases(tmp_path / "cases", "anna", "berta", "cilka")
    client = token_client(make_admin())

    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post("/api/v1/snapshots", {"rules": {"minimum_reviews": 0}}, content_type="application/json")
    services.build_snapshot(answer.json()["id"])

    assert answer.status_code == 202
    assert ("training.build_snapshot", (answer.json()["id"],), "default") in sent_tasks
    read = client.get(answer["Location"]).json()
    assert (read["state"], read["sites"], read["counts"]["test"]["studies"]) == ("ready", ["Ljubljana"], 1)
    studies = client.get(answer["Location"] + "/studies").json()
    assert (studies["count"], {study["exclusion"] for study in studies["results"]}) == (3, {""})
