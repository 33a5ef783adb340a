"""Files by content: written once, whole or not at all, and never into the disk's reserve."""

import hashlib
import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from plaqueview.core.disk import forget_incoming
from plaqueview.core.errors import UnavailableError
from plaqueview.core.storage import (
    incoming_file,
    incoming_folder,
    require_free_space,
    store_bytes,
    store_file,
    store_files,
    stored_path,
)

CONTENT = b"plaque" * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
KEY = f"dicom/{SHA256[:2]}/{SHA256}"


@pytest.fixture(autouse=True)
def store(settings, tmp_path) -> Path:
    settings.STORAGE_DIR = tmp_path / "storage"
    return settings.STORAGE_DIR


def files_of(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_bytes_are_stored_under_their_hash(store):
    stored = store_bytes([CONTENT[:10], b"", CONTENT[10:]], kind="dicom")

    assert (stored.key, stored.sha256, stored.size_bytes) == (KEY, SHA256, 6000)
    assert stored_path(stored.key).read_bytes() == CONTENT
    assert files_of(store) == [KEY]


def test_the_same_bytes_twice_are_one_file_that_stays_as_it_is(store):
    store_bytes([CONTENT], kind="dicom")
    first = stored_path(KEY).stat()

    again = store_bytes([CONTENT], kind="dicom")

    assert again.key == KEY
    assert (stored_path(KEY).stat().st_ino, stored_path(KEY).stat().st_mtime_ns) == (first.st_ino, first.st_mtime_ns)
    assert files_of(store) == [KEY]


def test_empty_bytes_have_a_place_too():
    stored = store_bytes([], kind="masks")

    assert (stored.size_bytes, stored.sha256) == (0, hashlib.sha256().hexdigest())


def test_many_files_are_stored_in_their_order_and_once_each(store):
    contents = [b"one", b"two", b"one"]
    with incoming_folder() as folder:
        paths = [folder / f"{position}" for position in range(3)]
        for path, content in zip(paths, contents, strict=True):
            path.write_bytes(content)
        stored = store_files(paths, kind="dicom")

    assert [stored_path(file.key).read_bytes() for file in stored] == contents
    assert files_of(store) == sorted({file.key for file in stored})


def test_a_file_is_moved_and_not_copied():
    with incoming_file() as file:
        file.write(CONTENT)
        file.flush()
        inode = os.fstat(file.fileno()).st_ino
        store_file(Path(file.name), kind="dicom")

    assert stored_path(KEY).stat().st_ino == inode


def test_nobody_else_can_read_the_store_and_nobody_writes_a_stored_file(store):
    store_bytes([CONTENT], kind="dicom")

    folders = [path for path in (store, *store.rglob("*")) if path.is_dir()]
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in folders} == {0o700}
    assert stat.S_IMODE(stored_path(KEY).stat().st_mode) == 0o440


def test_what_is_not_stored_is_gone(store):
    with incoming_file() as file:
        file.write(CONTENT)
    with incoming_folder() as folder:
        (folder / "0").write_bytes(CONTENT)

    assert files_of(store) == []
    assert list((store / "incoming").iterdir()) == []


def test_an_error_leaves_nothing(store):
    def broken():
        yield CONTENT
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        store_bytes(broken(), kind="dicom")

    assert files_of(store) == []


def test_many_writers_of_the_same_bytes_agree(store):
    keys: list[str] = []

    def write() -> None:
        keys.append(store_bytes([CONTENT], kind="dicom").key)

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert keys == [KEY] * 8
    assert files_of(store) == [KEY]
    assert stored_path(KEY).read_bytes() == CONTENT


def test_the_reserve_of_the_disk_is_not_touched(settings, store):
    free_bytes = shutil.disk_usage(store.parent).free
    settings.DISK_RESERVE_BYTES = free_bytes + 1024**3

    with pytest.raises(UnavailableError, match=r"the storage disk has \d+ bytes free, needs \d+"):
        store_bytes([CONTENT], kind="dicom")

    assert files_of(store) == []


def test_what_would_not_fit_is_refused_before_a_byte_is_written(settings, store):
    settings.DISK_RESERVE_BYTES = 0
    require_free_space(1)

    with pytest.raises(UnavailableError):
        require_free_space(shutil.disk_usage(store).free + 1024**3)


KILLED_WHILE_WRITING = """
import sys, time
from pathlib import Path
from django.conf import settings
settings.configure(STORAGE_DIR=Path(sys.argv[1]), DISK_RESERVE_BYTES=0, S3_BUCKET="")
from plaqueview.core.storage import store_bytes
def chunks():
    yield b"half of it"
    print("writing", flush=True)
    time.sleep(60)
store_bytes(chunks(), kind="dicom")
"""


def test_a_writer_that_is_killed_leaves_no_half_file_and_its_rest_is_forgotten(store):
    command = [sys.executable, "-c", KILLED_WHILE_WRITING, str(store)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    ) as writer:
        writer.stdout.readline()
        writer.send_signal(signal.SIGKILL)

    assert not (store / "dicom").exists()
    assert len(files_of(store)) == 1

    assert forget_incoming(older_than_s=3600) == 0
    time.sleep(0.02)
    assert forget_incoming(older_than_s=0.01) == 1
    assert files_of(store) == []


def test_forgetting_in_an_empty_store_is_nothing():
    assert forget_incoming(older_than_s=0) == 0


def test_every_new_folder_and_the_file_reach_the_disk(monkeypatch, store):
    synced: list[str] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        synced.append(str(Path(f"/proc/self/fd/{descriptor}").readlink().relative_to(store)))
        real(descriptor)

    if not Path("/proc/self/fd").is_dir():
        pytest.skip("needs /proc to see which file a descriptor names")
    monkeypatch.setattr(os, "fsync", fsync)

    store_bytes([CONTENT], kind="dicom")

    incoming, *folders = synced
    assert incoming.startswith("incoming/")
    assert sorted(folders) == [".", "dicom", f"dicom/{SHA256[:2]}"]
