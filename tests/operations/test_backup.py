"""The drill: back up a system in use, restore on a machine with nothing, and every row and byte is the same."""

import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.utils import ConnectionHandler

from plaqueview.core.aside import set_aside, settle_set_aside
from plaqueview.core.errors import ConflictError, InvalidError, UnavailableError
from plaqueview.core.storage import store_bytes, stored_keys, stored_path
from plaqueview.core.stored_keys import kept_among
from plaqueview.operations import backup as backups
from plaqueview.operations import database_copy
from plaqueview.operations.erasure import erase
from plaqueview.patients.models import Patient
from plaqueview.studies.models import Instance
from tests.api.scene import make_place
from tests.inference.processes import PLACES, environment
from tests.studies.dicom_files import receive_series, series

pytestmark = pytest.mark.django_db

Rows = dict[str, list[tuple[Any, ...]]]


@pytest.fixture
def store(settings, tmp_path) -> Path:
    settings.STORAGE_DIR = tmp_path / "storage"
    settings.STORAGE_DIR.mkdir()
    return settings.STORAGE_DIR


@pytest.fixture
def new_machine(tmp_path) -> Iterator[Any]:
    """A connection to an empty database beside that of the tests."""
    name = str(tmp_path / "new.sqlite3") if connection.vendor == "sqlite" else f"{connection.settings_dict['NAME']}_new"
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f'CREATE DATABASE "{name}"')
    there = ConnectionHandler({"default": connection.settings_dict | {"NAME": name}})["default"]
    yield there
    there.close()
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f'DROP DATABASE "{name}"')


def rows_of(place: Any) -> Rows:
    with place.cursor() as cursor:
        found = {}
        for table in sorted(place.introspection.table_names(cursor)):
            cursor.execute(f'SELECT * FROM "{table}"')
            found[table] = sorted(cursor.fetchall(), key=repr)
        return found


def bytes_of(store: Path) -> dict[str, bytes]:
    files = [path for path in store.rglob("*") if path.is_file()]
    return {str(path.relative_to(store)): path.read_bytes() for path in files}


def restore_there(source: Path, there: Any, store: Path) -> subprocess.CompletedProcess[str]:
    """`manage.py restore` on the new machine."""
    here = environment()["PLAQUEVIEW_DATABASE_URL"]
    url = here.replace(str(connection.settings_dict["NAME"]), str(there.settings_dict["NAME"]))
    variables = environment(PLAQUEVIEW_DATABASE_URL=url, PLAQUEVIEW_STORAGE_DIR=str(store))
    words = [sys.executable, str(Path(PLACES.split(":")[0]) / "manage.py"), "restore", str(source)]
    return subprocess.run(words, env=variables, capture_output=True, text=True, check=False)


@pytest.mark.django_db(transaction=True)
def test_a_new_machine_has_every_row_and_byte(store, tmp_path, new_machine, capsys):
    make_place("Ljubljana")
    (store / "incoming").mkdir(exist_ok=True)
    (store / "incoming" / "half").write_bytes(b"half of a file")

    call_command("backup", str(tmp_path / "backup"))
    restored = restore_there(tmp_path / "backup", new_machine, tmp_path / "new store")

    assert restored.returncode == 0, restored.stderr
    here, there = rows_of(connection), rows_of(new_machine)
    assert {table: len(rows) for table, rows in there.items()} == {table: len(rows) for table, rows in here.items()}
    assert there == here
    assert len(here["studies_study"]) >= 1
    assert len(here["audit_auditevent"]) >= 1
    (store / "incoming" / "half").unlink()
    assert bytes_of(tmp_path / "new store") == bytes_of(store)
    assert capsys.readouterr().out.startswith(f"{1 + len(bytes_of(store))} files, ")
    assert_refuses_to_overwrite(tmp_path, new_machine)


def assert_refuses_to_overwrite(tmp_path: Path, new_machine: Any) -> None:
    """A database and a store with something in it stay as they are, and so does a backup."""
    again = restore_there(tmp_path / "backup", new_machine, tmp_path / "another store")
    with pytest.raises(CommandError, match=r"backup exists; a backup is written into a new folder$"):
        call_command("backup", str(tmp_path / "backup"))

    assert again.returncode == 1
    assert "tables; a backup is restored into an empty one" in again.stderr
    assert not (tmp_path / "another store").exists()


def test_sha256sum_reads_the_sums(store, tmp_path):
    store_bytes([b"mask"], kind="masks")
    backups.back_up(tmp_path / "backup")

    words = ["sha256sum", "--check", "--strict", "SHA256SUMS"]
    said = subprocess.run(words, cwd=tmp_path / "backup", capture_output=True, text=True, check=True)

    assert len(said.stdout.splitlines()) == 2


@pytest.fixture
def nothing_here(monkeypatch) -> None:
    """This machine's database counts as empty, so that what comes after it is asked."""
    monkeypatch.setattr(backups, "require_empty_database", lambda: None)
    monkeypatch.setattr(backups, "fill_database", lambda _: pytest.fail("a refused backup reached the database"))


@pytest.fixture
def backup(store, tmp_path) -> Path:
    """A backup of two files, and an empty store."""
    store_bytes([b"mask"], kind="masks")
    store_bytes([b"report"], kind="documents")
    backups.back_up(tmp_path / "backup")
    shutil.rmtree(store)
    return tmp_path / "backup"


def changed(backup: Path, **fields: Any) -> None:
    path = backup / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


def test_a_file_that_changed_or_went_is_found_before_anything_is_restored(backup, store, nothing_here):
    mask = next((backup / "storage" / "masks").rglob("??" + "?" * 62))
    mask.chmod(0o600)
    mask.write_bytes(b"mush")
    next((backup / "storage" / "documents").rglob("?" * 64)).unlink()

    with pytest.raises(
        InvalidError, match=r"^the backup is damaged: 2 files are missing or changed, storage/documents/"
    ):
        backups.restore(backup)

    assert not store.exists()


def test_sums_that_changed_are_found(backup, nothing_here):
    (backup / "SHA256SUMS").write_text("")

    with pytest.raises(InvalidError, match="SHA256SUMS is not as it was written"):
        backups.restore(backup)


@pytest.mark.parametrize(
    ("fields", "error", "reason"),
    [
        ({"format": 2}, InvalidError, "the backup has the format 2, this version reads 1"),
        ({"version": "0.0.9"}, ConflictError, "is of PlaqueView 0.0.9 .* restore with the version that made it"),
        ({"migrations": "other"}, ConflictError, "restore with the version that made it, then upgrade"),
        ({"vendor": "oracle"}, ConflictError, "the backup is of oracle, PLAQUEVIEW_DATABASE_URL names"),
        ({"colour": "red"}, InvalidError, "manifest.json cannot be read"),
    ],
)
def test_a_backup_of_something_else_is_refused_with_the_reason(backup, nothing_here, fields, error, reason):
    changed(backup, **fields)

    with pytest.raises(error, match=reason):
        backups.restore(backup)


def test_an_unfinished_backup_is_none(backup, nothing_here):
    (backup / "manifest.json").unlink()

    with pytest.raises(InvalidError, match="so it is no finished backup"):
        backups.restore(backup)


def test_a_store_with_a_file_stays_as_it_is(backup, store, nothing_here):
    kept = store_bytes([b"new"], kind="masks")

    with pytest.raises(ConflictError, match=f"holds {kept.key}; a backup is restored into an empty one"):
        backups.restore(backup)

    assert bytes_of(store) == {kept.key: b"new"}


def test_what_the_disk_has_changed_is_named_and_the_rest_is_saved(store, tmp_path, capsys):
    rotten = store_bytes([b"mask"], kind="masks")
    store_bytes([b"report"], kind="documents")
    stored_path(rotten.key).chmod(0o600)
    stored_path(rotten.key).write_bytes(b"musk")

    with pytest.raises(CommandError, match=r"^the backup is complete, and 1 stored files are damaged$"):
        call_command("backup", str(tmp_path / "backup"))

    said = capsys.readouterr()
    assert said.err == f"storage/{rotten.key} is not what its name says: the storage has changed it\n"
    assert said.out.startswith("3 files, ")


def test_an_upload_that_is_read_meanwhile_is_saved_as_it_was_before(store, tmp_path, monkeypatch):
    (store / "uploads" / "one").mkdir(parents=True)
    waiting = store / "uploads" / "one" / "0"
    waiting.write_bytes(b"waiting")
    copy_database = database_copy.copy_database

    def read_it_first(folder: Path) -> Path:
        waiting.unlink()
        return copy_database(folder)

    monkeypatch.setattr(backups, "copy_database", read_it_first)
    backups.back_up(tmp_path / "backup")

    assert (tmp_path / "backup" / "storage" / "uploads" / "one" / "0").read_bytes() == b"waiting"


def stored_in(backup: Path) -> set[str]:
    return {
        name.removeprefix("storage/") for name, _ in backups.manifests.sums_of(backup) if name.startswith("storage/")
    }


def received_keys() -> set[str]:
    """The keys of a patient's three images."""
    receive_series(series(3))
    return set(Instance.objects.values_list("storage_key", flat=True))


def erase_everybody() -> None:
    """The bytes are out of their place."""
    for patient in Patient.objects.all():
        erase(patient_id=patient.pk, reason="The patient asked for it.", is_reauthenticated=True, actor=None)


@pytest.mark.django_db(transaction=True)
def test_who_was_erased_an_hour_ago_or_less_is_not_in_a_backup(store, tmp_path, empty_broker):
    keys = received_keys()
    erase_everybody()
    report = store_bytes([b"report"], kind="documents")

    backups.back_up(tmp_path / "backup")

    assert {path.relative_to(store / "removed").as_posix() for path in (store / "removed").glob("*/*/*")} == keys
    assert stored_in(tmp_path / "backup") == {report.key}


@pytest.mark.django_db(transaction=True)
def test_who_is_erased_during_a_backup_is_in_it_as_before(store, tmp_path, monkeypatch, empty_broker):
    keys = received_keys()
    copy_database = database_copy.copy_database

    def erase_after_it(folder: Path) -> Path:
        database = copy_database(folder)
        erase_everybody()
        return database

    monkeypatch.setattr(backups, "copy_database", erase_after_it)
    backups.back_up(tmp_path / "backup")

    assert not Patient.objects.exists()
    assert stored_in(tmp_path / "backup") == keys


@pytest.mark.django_db(transaction=True)
def test_bytes_that_go_for_good_during_a_backup_do_not_end_it(store, tmp_path, monkeypatch, empty_broker):
    received_keys()
    report = store_bytes([b"report"], kind="documents")

    copy_into = backups._copy_into

    def erase_once_listed(folder: Path, keys: Iterable[str], sums: dict[str, str]) -> None:
        listed = list(keys)
        erase_everybody()
        settle_set_aside(wanted_among=kept_among, older_than_s=-1.0)
        copy_into(folder, listed, sums)

    monkeypatch.setattr(backups, "_copy_into", erase_once_listed)
    backups.back_up(tmp_path / "backup")

    assert stored_in(tmp_path / "backup") == {report.key}


@pytest.mark.django_db(transaction=True)
def test_bytes_aside_that_a_row_names_are_in_a_backup_in_their_place(store, tmp_path, empty_broker):
    keys = received_keys()
    set_aside(keys)

    backups.back_up(tmp_path / "backup")

    assert stored_in(tmp_path / "backup") == keys


@pytest.mark.django_db(transaction=True)
def test_a_file_that_is_gone_and_that_a_row_names_ends_a_backup(store, tmp_path, monkeypatch, empty_broker):
    lost = min(received_keys())
    listed = list(stored_keys())
    (store / lost).unlink()
    monkeypatch.setattr(backups, "stored_keys", lambda folder="": iter([] if folder else listed))

    with pytest.raises(UnavailableError, match=f"^the stored file {lost} went away during the backup$"):
        backups.back_up(tmp_path / "backup")

    assert not (tmp_path / "backup" / "manifest.json").exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("connection.vendor == 'postgresql'")
def test_a_writer_in_the_middle_of_a_transaction_is_not_in_the_copy(store, tmp_path):
    with closing(sqlite3.connect(connection.settings_dict["NAME"])) as writer:
        writer.execute("CREATE TABLE beside (number INTEGER)")
        writer.execute("INSERT INTO beside VALUES (1)")
        writer.commit()
        writer.execute("INSERT INTO beside VALUES (2)")
        try:
            copy = database_copy.copy_database(tmp_path)
        finally:
            writer.rollback()
            writer.execute("DROP TABLE beside")
            writer.commit()

    with closing(sqlite3.connect(copy)) as found:
        assert found.execute("SELECT number FROM beside").fetchall() == [(1,)]


@pytest.mark.skipif("connection.vendor == 'sqlite'")
def test_what_postgresql_refuses_is_said_without_the_password(tmp_path, monkeypatch):
    monkeypatch.setitem(connection.settings_dict, "PASSWORD", "it's a secret")
    monkeypatch.setitem(connection.settings_dict, "NAME", "not there")

    with pytest.raises(UnavailableError, match='database "not there" does not exist') as caught:
        database_copy.copy_database(tmp_path)

    assert "secret" not in str(caught.value)
