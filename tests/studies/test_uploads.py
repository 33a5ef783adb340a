"""Uploads: every file ends with one outcome, whatever it is and whichever worker dies over it."""

from datetime import timedelta
from io import BytesIO
from pathlib import Path

import nibabel
import numpy as np
import pytest
from django.conf import settings as django_settings
from django.db import OperationalError
from django.utils import timezone

from plaqueview.accounts.services import create_site
from plaqueview.core.access import Role
from plaqueview.core.errors import DeniedError, InvalidError
from plaqueview.core.storage import stored_path
from plaqueview.studies import intake, uploads
from plaqueview.studies.models import (
    FileOutcome,
    Instance,
    Series,
    SeriesSource,
    Study,
    StudyState,
    Upload,
    UploadState,
)
from plaqueview.studies.services import (
    UploadPart,
    create_upload,
    enqueue_overdue,
    forget_waiting,
    load_volume,
    process_upload,
)
from plaqueview.studies.upload_leases import claim
from tests.accounts.people import make_user
from tests.studies.dicom_files import encoded, incoming, ljubljana, series, zipped
from tests.studies.taken_uploads import lines_of, nifti_bytes, processed, uploaded
from tests.studies.test_settling import tasks_in

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_folder_of_files_is_taken_in_and_its_study_settled(empty_broker):
    files = {f"IM{index}": encoded(one) for index, one in enumerate(series(10))}

    lines = processed(files)

    assert set(lines.values()) == {(FileOutcome.ACCEPTED, "")}
    upload, study = Upload.objects.get(), Study.objects.get()
    assert (upload.state, upload.progress) == (UploadState.DONE, 1.0)
    assert study.state == StudyState.QUEUED
    assert tasks_in(empty_broker)[-1] == ("inference.request_for_study", str(study.pk))
    assert not stored_path(f"uploads/{upload.pk}").exists()


def test_each_file_gets_its_own_line():
    dataset = series(1)[0]
    content = encoded(dataset)
    dataset.PixelData = b"\1\0" * 256

    lines = processed(
        {
            "a": content,
            "b": content,
            "c": encoded(dataset),
            ".DS_Store": b"\0\0\0\1Bud1" * 10,
            "LICENSE": b"All rights reserved",
            "empty": b"",
            "page.html": b"<html>",
        }
    )

    assert {name: outcome for name, (outcome, _) in lines.items()} == {
        "a": FileOutcome.ACCEPTED,
        "b": FileOutcome.DUPLICATE,
        "c": FileOutcome.CONFLICT,
        ".DS_Store": FileOutcome.REJECTED,
        "LICENSE": FileOutcome.REJECTED,
        "empty": FileOutcome.REJECTED,
        "page.html": FileOutcome.REJECTED,
    }
    assert lines["LICENSE"][1] == "not DICOM: no DICM prefix at byte 128, need a Part 10 file"
    assert lines["empty"][1] == "not DICOM: the file is empty"


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_a_nifti_becomes_a_series_and_is_kept_as_it_is(suffix):
    import gzip

    plain = nifti_bytes()
    content = gzip.compress(plain, mtime=0) if suffix == ".nii.gz" else plain

    lines = processed({"patient1_flair" + suffix: content})

    assert lines["patient1_flair" + suffix] == (FileOutcome.ACCEPTED, "")
    kept, study = Series.objects.get(), Study.objects.get()
    assert stored_path(kept.source_key).read_bytes() == content
    assert (kept.source, kept.source_name, kept.slice_count) == (SeriesSource.NIFTI, "patient1_flair" + suffix, 10)
    assert (study.state, study.flair_series) == (StudyState.QUEUED, kept)
    stacked = load_volume(kept.pk)
    assert stacked.volume.shape == (10, 16, 16)
    assert sorted(stacked.volume.voxels.ravel()) == list(range(2560))


def test_the_same_nifti_again_is_a_duplicate():
    content = nifti_bytes()
    processed({"a.nii": content})

    lines = processed({"b.nii": content})

    assert lines == {"b.nii": (FileOutcome.DUPLICATE, "the same bytes are already kept")}
    assert Study.objects.count() == 1


def test_niftis_of_one_name_are_told_apart_by_their_folder():
    members = {f"masks/case{n}/flair.nii": nifti_bytes(spacing_mm=(0.5, 0.8, 5.0 + n)) for n in (1, 2)}

    processed({"cases.zip": zipped(members)})

    assert sorted(Study.objects.values_list("patient_name", "state")) == [
        ("case1 flair", StudyState.QUEUED),
        ("case2 flair", StudyState.QUEUED),
    ]


def test_a_nifti_that_says_it_is_a_mask_is_no_flair():
    processed({"lesion_mask.nii": nifti_bytes()})

    assert Study.objects.get().state == StudyState.NO_FLAIR


def test_a_nifti_of_four_axes_is_refused():
    content = nibabel.Nifti1Image(np.zeros((4, 4, 4, 2), np.int16), np.eye(4)).to_bytes()

    lines = processed({"bold.nii": content})

    outcome, reason = lines["bold.nii"]
    assert outcome == FileOutcome.REJECTED
    assert reason == "not DICOM, and no usable NIfTI: NIfTI has axes of (4, 4, 4, 2), need one volume of three axes"


def test_a_dicomdir_is_refused_as_what_it_is():
    from pydicom.uid import MediaStorageDirectoryStorage

    dataset = series(1)[0]
    dataset.SOPClassUID = MediaStorageDirectoryStorage

    lines = processed({"DICOMDIR": encoded(dataset)})

    assert lines["DICOMDIR"] == (FileOutcome.REJECTED, "a DICOMDIR lists other files and is no instance itself")


class WorkerDeath(BaseException):
    """What SIGKILL leaves behind: nothing after this point runs."""


@pytest.mark.parametrize("calls_before_death", [0, 1, 2, 3])
def test_a_killed_workers_upload_is_continued(calls_before_death, monkeypatch):
    datasets = series(10)
    files = {f"IM{index}": encoded(one) for index, one in enumerate(datasets[:5])}
    files["rest.zip"] = zipped({f"IM{index}": encoded(one) for index, one in enumerate(datasets[5:], start=5)})
    monkeypatch.setattr(uploads, "CHUNK_FILES", 3)
    monkeypatch.setattr(intake, "CHUNK_FILES", 3)
    upload = uploaded(files)
    calls = []

    def dying(*arguments, **names):
        if len(calls) == calls_before_death:
            raise WorkerDeath
        calls.append(1)
        return original(*arguments, **names)

    original = uploads.take_in
    monkeypatch.setattr(uploads, "take_in", dying)
    with pytest.raises(WorkerDeath):
        process_upload(upload.pk)
    monkeypatch.setattr(uploads, "take_in", original)
    process_upload(upload.pk)  # another worker, too early: the lease of the dead one still runs
    upload.refresh_from_db()
    assert upload.state == UploadState.PROCESSING
    Upload.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))

    process_upload(upload.pk)

    lines = lines_of(upload)
    assert {lines.pop("rest.zip")} == {(FileOutcome.UNPACKED, "5 files")}
    assert set(lines.values()) == {(FileOutcome.ACCEPTED, "")}
    assert len(lines) == 10 == Instance.objects.count()
    upload.refresh_from_db()
    assert upload.state == UploadState.DONE


def test_a_file_that_kills_every_worker_is_given_up(monkeypatch):
    files = {name: encoded(series(1)[0]) for name in ("good1", "deadly", "good2")}
    upload = uploaded(files)

    def dying(offered, **names):
        if any(one.name == "deadly" for one in offered):
            raise WorkerDeath
        return original(offered, **names)

    original = uploads.take_in
    monkeypatch.setattr(uploads, "take_in", dying)
    for _ in range(10):
        try:
            process_upload(upload.pk)
        except WorkerDeath:
            Upload.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))

    assert lines_of(upload) == {
        "good1": (FileOutcome.ACCEPTED, ""),
        "deadly": (FileOutcome.REJECTED, "looking at it stopped the worker 3 times"),
        "good2": (FileOutcome.ACCEPTED, ""),
    }
    upload.refresh_from_db()
    assert upload.state == UploadState.DONE


def test_a_worker_that_lost_its_lease_writes_nothing():
    upload = uploaded({"a": encoded(series(1)[0])})
    first = claim(upload.pk)
    Upload.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    claim(upload.pk)

    with pytest.raises(uploads.LeaseLostError):
        uploads._Intake(first).run()

    assert not Instance.objects.exists()
    assert lines_of(upload)["a"][0] == FileOutcome.WAITING


def test_an_upload_whose_message_was_lost_is_found(empty_broker):
    upload = uploaded({"a": encoded(series(1)[0])})
    Upload.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    empty_broker.flushall()

    enqueue_overdue()

    assert tasks_in(empty_broker) == [("studies.process_upload", str(upload.pk))]


def test_a_full_disk_fails_the_upload_with_the_reason(settings):
    upload = uploaded({"a": encoded(series(1)[0])})
    settings.DISK_RESERVE_BYTES = 2**60

    process_upload(upload.pk)

    upload.refresh_from_db()
    assert upload.state == UploadState.FAILED
    assert upload.reason.startswith("the storage disk has")
    assert lines_of(upload)["a"] == (FileOutcome.REJECTED, upload.reason)
    assert not Instance.objects.exists()


def test_an_upload_into_a_foreign_site_is_denied():
    stranger = make_user(Role.NEUROLOGIST, site=create_site(name="Maribor"))
    part = UploadPart("a", incoming(b"x"), 1)

    with pytest.raises(DeniedError):
        create_upload(actor=stranger, site=ljubljana(), parts=[part])

    assert not Upload.objects.exists()
    assert part.path.exists()


def test_an_upload_without_a_file_is_invalid():
    with pytest.raises(InvalidError):
        create_upload(actor=make_user(Role.NEUROLOGIST), site=ljubljana(), parts=[])
    assert BytesIO().read() == b""


def waiting_files() -> set[str]:
    root = Path(django_settings.STORAGE_DIR)
    return {path.relative_to(root).as_posix() for path in root.glob("uploads/*/*")}


@pytest.fixture
def own_store(settings, tmp_path):
    settings.STORAGE_DIR = tmp_path / "storage"


def test_what_a_dead_worker_left_of_an_upload_that_was_over_goes_within_hours(own_store, empty_broker, monkeypatch):
    over, waiting = (uploaded({name: encoded(one)}) for name, one in zip("ab", series(2), strict=True))

    def killed(_: object) -> None:
        raise SystemExit

    with monkeypatch.context() as worker:
        worker.setattr(uploads, "_remove_waiting", killed)
        with pytest.raises(SystemExit):
            process_upload(over.pk)
    left = waiting_files()
    too_soon = forget_waiting()
    monkeypatch.setattr(uploads, "LONGEST_HANDOVER_S", -1.0)
    gone = forget_waiting()

    assert Upload.objects.get(pk=over.pk).state == UploadState.DONE
    assert left == {f"uploads/{over.pk}/0", f"uploads/{waiting.pk}/0"}
    assert (too_soon, gone, waiting_files()) == (0, 1, {f"uploads/{waiting.pk}/0"})


def test_an_upload_that_the_database_refuses_leaves_no_file(own_store, empty_broker, monkeypatch):
    def lost(*_: object, **__: object) -> None:
        raise OperationalError("the connection was lost")

    monkeypatch.setattr(uploads, "record", lost)
    with pytest.raises(OperationalError):
        uploaded({"a": encoded(series(1)[0])})

    assert (Upload.objects.count(), waiting_files(), tasks_in(empty_broker)) == (0, set(), [])
