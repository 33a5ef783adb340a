"""What must hold before anything starts; each refusal names the thing, what was found and what is needed."""

import fcntl
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from plaqueview.launcher.errors import LauncherError
from plaqueview.launcher.plan import DemoPlan

# The store keeps 1 GiB free for the machine (PLAQUEVIEW_DISK_RESERVE_BYTES); the demo and one study need the rest.
FREE_BYTES_NEEDED = 3 * 1024**3 // 2
GIB = 1024**3


def require_startable(plan: DemoPlan) -> None:
    """Raises: LauncherError when a port, the disk or the study to import is not to be had."""
    require_free_port(plan.port, purpose="pages and API", cure="PORT=8010")
    require_free_port(plan.feed_port, purpose="feed (PORT + 1)", cure="PORT=8010")
    require_free_port(plan.dicom_port, purpose="DICOM listener", cure="DICOM_PORT=11122")
    require_disk_space(plan.data_dir)
    if plan.study is not None and not plan.study.exists():
        raise LauncherError(f"STUDY={plan.study} does not exist; name a DICOM folder, a zip or a NIfTI file")


def require_free_port(port: int, *, purpose: str, cure: str) -> None:
    """Raises: LauncherError when `port` on the loopback address cannot be bound."""
    if not 1 <= port <= 65535:
        raise LauncherError(f"port {port} for the {purpose} is no port number; choose one, for example {cure}")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise LauncherError(
                f"port {port} for the {purpose} is not free ({error.strerror}); choose another, for example {cure}"
            ) from error


def require_disk_space(folder: Path) -> None:
    """Raises: LauncherError when the disk under `folder`, which may not exist yet, is too full."""
    existing = next(place for place in (folder, *folder.parents) if place.exists())
    free_bytes = shutil.disk_usage(existing).free
    if free_bytes < FREE_BYTES_NEEDED:
        raise LauncherError(
            f"the disk of {folder} has {free_bytes / GIB:.1f} GiB free, {FREE_BYTES_NEEDED / GIB:.1f} GiB are needed"
        )


@contextmanager
def sole_use(folder: Path) -> Iterator[None]:
    """Within, no other demo runs on `folder`. Raises: LauncherError when one does."""
    with (folder / "lock").open("a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.seek(0)
            raise LauncherError(f"a demo runs on {folder} already, as process {lock.read().strip()}") from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield
