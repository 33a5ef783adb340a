"""What a training was started with, kept in its folder, and that one process at a time writes there.

Without it a run that goes on would take patients to validate on that it has learned from.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from inference_worker.run_state import TrainingError
from inference_worker.training import STATE_NAME

START_NAME = "start.json"
LOCK_NAME = "lock"


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Nobody else trains in the folder meanwhile; a process that dies, however it does, leaves it free.

    Raises: TrainingError when another process does.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK_NAME).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise TrainingError(f"another process trains in run {folder.name}, need a folder of its own") from error
        yield


def check_start(folder: Path, start: Mapping[str, Any]) -> None:  # Any: JSON
    """Passes for a new run, and for one that was started with the same, or before this was kept.

    Raises: TrainingError with the first thing that is another one.
    """
    path = folder / START_NAME
    if not (folder / STATE_NAME).is_file() or not path.is_file():
        return
    kept = json.loads(path.read_text(encoding="utf-8"))
    for name, now in json.loads(json.dumps(start)).items():
        if (before := kept.get(name)) != now:
            raise TrainingError(
                f"run {folder.name} was started with {name} {before}, now it is {now}, need the same or another --run"
            )


def keep_start(folder: Path, start: Mapping[str, Any]) -> None:  # Any: JSON
    """Writes what a new run starts with; that of a run that goes on stays."""
    if not (folder / STATE_NAME).is_file():
        (folder / START_NAME).write_text(json.dumps(start, indent=1) + "\n", encoding="utf-8")
