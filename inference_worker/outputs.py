"""Where a command is to write is looked at before its work: what cannot be written is not found out after hours."""

from __future__ import annotations

import errno
import os
from pathlib import Path


def check_file(path: Path) -> None:
    """Passes where a file can be written; writes nothing.

    Raises: OSError where there is a folder, or where its own folder is missing or not to be written to.
    """
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    _check_writable(path if path.exists() else path.parent)


def check_folder(path: Path) -> None:
    """Passes where a folder is or can be made, with those above it; makes none.

    Raises: OSError where a file is, or what is there is not to be written to.
    """
    there = next(each for each in (path, *path.absolute().parents) if each.exists())
    if not there.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(there))
    _check_writable(there)


def _check_writable(path: Path) -> None:
    if not path.exists():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
    if not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
