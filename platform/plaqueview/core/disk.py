"""The store's own disk: folders that only we may open, and what is on its way in."""

import itertools
import math
import os
import shutil
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from django.conf import settings

THREADS = 8

Thing = TypeVar("Thing")
Result = TypeVar("Result")


def incoming() -> Path:
    """The folder of files that are not whole yet; a rename away from everything that is stored."""
    return Path(settings.STORAGE_DIR) / "incoming"


def free_disk_bytes() -> int:
    """What the storage may still take, less the department's reserve."""
    make_folders(settings.STORAGE_DIR)
    return max(0, shutil.disk_usage(settings.STORAGE_DIR).free - settings.DISK_RESERVE_BYTES)


def forget_incoming(*, older_than_s: float) -> int:
    """What processes left behind when they were killed is gone; returns how many files and folders that were."""
    deadline = time.time() - older_than_s
    folder = incoming()
    left = [path for path in folder.iterdir() if path.stat().st_mtime < deadline] if folder.is_dir() else []
    for path in left:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    return len(left)


def make_folders(folder: Path) -> list[Path]:
    """The folder exists, open to its owner only; returns those that gained an entry, which must reach the disk too."""
    missing = list(itertools.takewhile(lambda path: not path.is_dir(), (folder, *folder.parents)))
    for path in reversed(missing):
        path.mkdir(exist_ok=True, mode=0o700)
    return [path.parent for path in missing]


def sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def side_by_side(do: Callable[[Thing], Result], things: Sequence[Thing]) -> list[Result]:
    """In order; a thread takes its share as a whole, for to hand a thing over costs more than to write it."""
    size = math.ceil(len(things) / THREADS)
    shares = [things[at : at + size] for at in range(0, len(things), size or 1)]
    if len(shares) < 2:
        return [do(one) for one in things]
    with ThreadPoolExecutor(len(shares)) as threads:
        done = threads.map(lambda share: [do(one) for one in share], shares)
        return list(itertools.chain.from_iterable(done))
