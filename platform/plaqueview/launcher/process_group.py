"""A process group that ends with this process, however this process ends."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from plaqueview.launcher.errors import LauncherError

GUARD = Path(__file__).with_name("guard.py")


@contextmanager
def guarded_group() -> Iterator[int]:
    """Within, children may join the group given; on leaving, its last members are killed, grandchildren included.

    Raises: LauncherError when the guard does not start.
    """
    with subprocess.Popen(
        [sys.executable, "-I", "-S", str(GUARD)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, process_group=0
    ) as guard:
        try:
            _wait_until_guarding(guard)
            yield guard.pid
        finally:
            os.killpg(guard.pid, signal.SIGKILL)


def _wait_until_guarding(guard: subprocess.Popen[bytes]) -> None:
    """Once it has spoken, the guard ignores the signals that end its group."""
    spoken = guard.stdout.readline() if guard.stdout else b""
    if not spoken:
        raise LauncherError(f"the guard of the processes did not start: status {guard.wait()}")
