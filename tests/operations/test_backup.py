"""The drill: back up a system in use, restore on a machine with nothing, and every row and byte is the same."""

import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.utils import ConnectionHandler

from plaqueview.core.errors import ConflictError, InvalidError, UnavailableError
from plaqueview.core.storage import store_bytes, stored_path
from plaqueview.operations import backup as backups
from plaqueview.operations import database_copy
from tests.api.scene import make_place
from tests.inference.processes import PLACES, environment

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
