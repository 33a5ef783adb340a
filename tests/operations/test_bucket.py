"""The store in a bucket of a real S3 server: what is kept there, what this machine copies, and what is removed."""

import hashlib
import os
import shutil
import time
from pathlib import Path

import pytest
from pydicom import dcmread

from plaqueview.core import copies, health
from plaqueview.core.access import Role
from plaqueview.core.aside import set_aside, settle_set_aside
from plaqueview.core.errors import AwayError, UnavailableError
from plaqueview.core.storage import (
    put_waiting,
    read_range,
    remove_waiting,
    store_bytes,
    stored_keys,
    stored_path,
    stored_size,
    waiting_folders,
)
from plaqueview.operations import backup as backups
from plaqueview.operations import doctor
from plaqueview.pacs.frames import read_frame, read_instance
from plaqueview.pacs.kept_headers import keep_of_study, metadata_of
from plaqueview.pacs.retrieval import retrieve
from plaqueview.studies.models import Instance, Series, Study
from plaqueview.studies.settling import settle
from plaqueview.studies.volumes import load_volume
from tests.accounts.people import make_user
from tests.operations.s3_server import running_s3, storages_in, use_new_bucket
from tests.studies.dicom_files import encoded, incoming, receive_bytes, series

CONTENT = b"plaque" * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
KEY = f"dicom/{SHA256[:2]}/{SHA256}"


@pytest.fixture(scope="module")
def server():
    with running_s3() as url:
        yield url


@pytest.fixture(autouse=True)
def bucket(server, settings, tmp_path):
    settings.STORAGE_DIR = tmp_path / "machine"
    return use_new_bucket(settings, server)


@pytest.fixture
def other_machine(settings, tmp_path):
    """Calls from it on are another machine's, which shares the bucket and no disk."""

    def go() -> Path:
        settings.STORAGE_DIR = tmp_path / "other machine"
        return settings.STORAGE_DIR

    return go


def keys_in(bucket) -> list[str]:
    return [one.key for one in bucket.below()]


def copies_on(machine: Path) -> list[str]:
    root = machine / copies.FOLDER
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


def test_bytes_are_in_the_bucket_once_and_fetched_where_they_are_needed(bucket, other_machine):
    stored = store_bytes([CONTENT], kind="dicom")
    store_bytes([CONTENT], kind="dicom")
    machine = other_machine()

    part = read_range(KEY, offset=2, count=3)
    fetched_for_a_part = copies_on(machine)
    whole = stored_path(KEY).read_bytes()

    assert (stored.key, stored.size_bytes, stored_size(KEY)) == (KEY, 6000, 6000)
    assert keys_in(bucket) == [KEY]
    assert (part, fetched_for_a_part) == (b"aqu", [])
    assert (whole, copies_on(machine)) == (CONTENT, [KEY])
    assert list((machine / "incoming").iterdir()) == []


def test_what_the_bucket_lacks_or_has_changed_is_never_read(bucket, other_machine):
    store_bytes([CONTENT], kind="dicom")
    machine = other_machine()
    (machine / "changed").parent.mkdir(exist_ok=True)
    (machine / "changed").write_bytes(b"musk" * 1500)
    bucket.put(machine / "changed", KEY)

    with pytest.raises(UnavailableError, match=f"the storage bucket has changed {KEY}"):
        stored_path(KEY)
    with pytest.raises(FileNotFoundError, match="the bucket has no masks/ab/none"):
        stored_path("masks/ab/none")
    with pytest.raises(FileNotFoundError):
        read_range("masks/ab/none", offset=0, count=1)

    assert (stored_size("masks/ab/none"), copies_on(machine)) == (None, [])


def test_an_upload_waits_in_the_bucket_until_any_machine_has_read_it(bucket, other_machine):
    put_waiting(incoming(b"a zip"), "uploads/1/0")
    machine = other_machine()

    read = stored_path("uploads/1/0").read_bytes()
    remove_waiting("uploads/1")

    assert read == b"a zip"
    assert (keys_in(bucket), copies_on(machine)) == ([], [])


def test_what_waits_in_the_bucket_is_as_young_as_its_newest_file(bucket):
    put_waiting(incoming(b"one"), "uploads/1/0")
    put_waiting(incoming(b"two"), "uploads/2/0")

    assert waiting_folders("uploads", older_than_s=3600.0) == set()
    assert waiting_folders("uploads", older_than_s=-60.0) == {"uploads/1", "uploads/2"}


def test_removed_bytes_leave_every_machine_and_wanted_ones_come_back(bucket, settings, other_machine):
    wanted, unwanted = (store_bytes([content], kind="dicom").key for content in (b"wanted", b"unwanted"))
    machine = settings.STORAGE_DIR
    other = other_machine()
    copied = [stored_path(key).name for key in (wanted, unwanted)]

    set_aside({wanted, unwanted})
    at_once = copies_on(other)
    settings.STORAGE_DIR = machine
    copies.look_through()
    young = settle_set_aside(wanted_among=lambda _: set(), older_than_s=3600.0)
    gone = settle_set_aside(wanted_among=lambda keys: {wanted} & set(keys), older_than_s=-60.0)

    assert len(copied) == 2
    assert (at_once, copies_on(machine)) == ([], [])
    assert (young, gone, keys_in(bucket)) == (0, 1, [wanted])


def test_copies_that_nobody_uses_go_and_leave_room(settings):
    old, lately = (store_bytes([content], kind="masks").key for content in (b"old", b"lately"))
    machine = settings.STORAGE_DIR
    os.utime(machine / copies.FOLDER / old, (0, time.time() - 2 * copies.IN_USE_FOR_S))

    copies.make_room(1 << 60)
    kept_when_full = copies_on(machine)
    settings.S3_COPIES_KEPT_S = 60
    os.utime(machine / copies.FOLDER / lately, (0, time.time() - 61))
    copies.look_through()

    assert (kept_when_full, copies_on(machine)) == ([lately], [])
    assert stored_path(old).read_bytes() == b"old"


def test_a_bucket_that_is_away_is_named_and_nothing_is_taken(settings, server):
    health.check_storage()
    settings.STORAGES = {**settings.STORAGES, "default": storages_in("http://127.0.0.1:1", settings.S3_BUCKET)}

    with pytest.raises(AwayError, match="the storage bucket refuses: EndpointConnectionError"):
        store_bytes([CONTENT], kind="dicom")
    settings.STORAGES = {**settings.STORAGES, "default": storages_in(server, "nobodys")}

    assert health.problem_of(health.check_storage) == "the storage bucket refuses: NoSuchBucket"
    assert copies_on(settings.STORAGE_DIR) == []


def test_a_bucket_that_keeps_the_erased_is_named(bucket):
    before = health.problem_of(doctor.check_erasing)
    bucket.bucket.Versioning().enable()

    assert before == ""
    assert health.problem_of(doctor.check_erasing) == "the storage bucket keeps versions of what is erased from it"


@pytest.mark.django_db
def test_a_study_is_received_read_and_restored_by_machines_that_share_no_disk(bucket, other_machine, tmp_path):
    contents = [encoded(dataset) for dataset in series(4)]
    received = receive_bytes(*contents)
    machine = other_machine()
    kept = Instance.objects.select_related("study", "series").get(pk=received[0].instance_id)
    (first,) = retrieve(
        actor=make_user(Role.NEUROLOGIST),
        study_uid=kept.study.study_instance_uid,
        series_uid=kept.series.series_instance_uid,
        instance_uid=kept.sop_instance_uid,
    )

    frame = read_frame(first, 1)
    without_copies = copies_on(machine)
    voxels = load_volume(Series.objects.get().pk).volume.voxels
    whole = read_instance(first, transfer_syntax_uid="*")

    assert (frame, without_copies) == (dcmread(stored_path(first.storage_key)).PixelData, [])
    assert sorted({float(value) for value in voxels.ravel()}) == [100.0, 101.0, 102.0, 103.0]
    assert whole == contents[0]
    assert len(copies_on(machine)) == 4
    assert_backed_up_and_restored(bucket, tmp_path, set(contents))


@pytest.mark.django_db
def test_headers_of_a_series_are_one_object_of_the_bucket_and_no_file_is_fetched(other_machine):
    receive_bytes(*(encoded(dataset) for dataset in series(4)))
    study = Study.objects.get()
    read = headers_of(study)
    settle(study.pk)
    keep_of_study(study.pk)
    machine = other_machine()

    assert headers_of(study) == read
    assert copies_on(machine) == [Series.objects.get().headers_key]


def headers_of(study: Study) -> bytes:
    actor = make_user(Role.NEUROLOGIST, username=f"reader-{time.monotonic_ns()}")
    return metadata_of(retrieve(actor=actor, study_uid=study.study_instance_uid))


def assert_backed_up_and_restored(bucket, tmp_path: Path, contents: set[bytes]) -> None:
    """The same backup fills a bucket and a folder."""
    backups.back_up(tmp_path / "backup")
    kept = keys_in(bucket)
    for key in kept:
        bucket.remove(key)
    for name, sha256 in backups.manifests.sums_of(tmp_path / "backup"):
        if name.startswith("storage/"):
            backups._put(tmp_path / "backup" / name, name.removeprefix("storage/"), sha256)
    shutil.rmtree(tmp_path / "other machine")

    assert sorted(stored_keys()) == sorted(kept) == keys_in(bucket)
    assert {stored_path(key).read_bytes() for key in kept} >= contents
