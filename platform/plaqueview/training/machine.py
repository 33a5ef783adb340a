"""What this machine has left."""

import shutil
from pathlib import Path
from typing import Final

from django.conf import settings

MEMORY_FILE: Final = Path("/proc/meminfo")


def free_disk_bytes() -> int:
    """What the storage may still take, less the department's reserve."""
    return max(0, shutil.disk_usage(settings.STORAGE_DIR).free - settings.DISK_RESERVE_BYTES)


def available_memory_bytes() -> int | None:
    """What a new process may take without swapping; None where the machine does not say."""
    if not MEMORY_FILE.is_file():
        return None
    for line in MEMORY_FILE.read_text(encoding="ascii").splitlines():
        name, _, size = line.partition(":")
        if name == "MemAvailable":
            return int(size.split()[0]) * 1024
    return None
