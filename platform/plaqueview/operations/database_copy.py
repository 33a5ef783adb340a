"""One moment of the database as a file, and back: by the database's own tools, while others write."""

import shutil
import sqlite3
import subprocess
import tempfile
from contextlib import closing
from pathlib import Path

from django.db import connection

from plaqueview.core.errors import ConflictError, UnavailableError

FILE_OF_VENDOR = {"sqlite": "database.sqlite3", "postgresql": "database.dump"}


def copy_database(folder: Path) -> Path:
    """The database as it is at one moment, in a new file of `folder`.

    Raises: UnavailableError when the database's tool is missing or refuses.
    """
    target = folder / FILE_OF_VENDOR[connection.vendor]
    if connection.vendor == "sqlite":
        with closing(sqlite3.connect(_sqlite_path())) as live, closing(sqlite3.connect(target)) as copy:
            live.backup(copy)
    else:
        _run("pg_dump", "--format=custom", "--no-owner", "--no-privileges", "--file", str(target))
    return target


def require_empty_database() -> None:
    """Raises: ConflictError when the database has a table."""
    tables = connection.introspection.table_names()
    if tables:
        raise ConflictError(f"the database has {len(tables)} tables; a backup is restored into an empty one")


def fill_database(copy: Path) -> None:
    """The empty database is as the copy says, wholly or not at all.

    Raises: UnavailableError when the database's tool is missing or refuses.
    """
    if connection.vendor == "sqlite":
        connection.close()
        unchanged = f"{copy.absolute().as_uri()}?immutable=1"
        with (
            closing(sqlite3.connect(unchanged, uri=True)) as source,
            closing(sqlite3.connect(_sqlite_path())) as live,
        ):
            source.backup(live)
    else:
        _run("pg_restore", "--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges", str(copy))


def _sqlite_path() -> str:
    return str(connection.settings_dict["NAME"])


def _run(program: str, *words: str) -> None:
    """One of PostgreSQL's programs, with the settings' connection; the password stays out of its arguments."""
    if shutil.which(program) is None:
        raise UnavailableError(f"{program} is not on this machine; install PostgreSQL's client programs")
    with tempfile.NamedTemporaryFile("w", encoding="utf-8") as password_file:  # only its owner can read it
        password_file.write(_password_line())
        password_file.flush()
        command = [program, "--dbname", _connection_words(password_file.name), *words]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode != 0:
        raise UnavailableError(f"{program} ended with status {ended.returncode}: {ended.stderr.strip()}")


def _connection_words(password_file: str) -> str:
    """The connection of the settings as libpq writes it."""
    found = connection.settings_dict
    words = {"dbname": found["NAME"], "host": found["HOST"], "port": found["PORT"], "user": found["USER"]}
    ssl = {name: value for name, value in found.get("OPTIONS", {}).items() if name.startswith("ssl")}
    all_words = words | ssl | {"passfile": password_file}
    return " ".join(f"{name}={_quoted(value)}" for name, value in all_words.items() if value)


def _password_line() -> str:
    """For whichever host, port, database and user."""
    return f"*:*:*:*:{_escaped(connection.settings_dict['PASSWORD'], quote=':')}\n"


def _quoted(value: object) -> str:
    return "'" + _escaped(value, quote="'") + "'"


def _escaped(value: object, *, quote: str) -> str:
    return str(value).replace("\\", "\\\\").replace(quote, "\\" + quote)
