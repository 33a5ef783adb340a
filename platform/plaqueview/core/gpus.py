"""The GPUs of this machine, as NVIDIA's own command tells, which takes no memory of them as a library would."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from django.conf import settings

QUERY: Final = ("--query-gpu=index,uuid,memory.total,memory.free,name", "--format=csv,noheader,nounits")
LONGEST_S: Final = 10
TOLD_FOR_S: Final = 30  # a worker tells of itself every few seconds


@dataclass(frozen=True)
class Gpu:
    """One that programs of this process may use; what is free is less than the rest by what others have taken."""

    name: str
    memory_bytes: int
    free_bytes: int


def gpus() -> tuple[Gpu, ...]:
    """Those that `CUDA_VISIBLE_DEVICES` leaves; none where the command is missing or fails. Asked twice a minute."""
    return _gpus_at(int(time.monotonic() // TOLD_FOR_S))


@lru_cache(maxsize=1)
def _gpus_at(_: int) -> tuple[Gpu, ...]:
    program = shutil.which("nvidia-smi")
    if program is None:
        return ()
    try:
        told = subprocess.run([program, *QUERY], capture_output=True, text=True, timeout=LONGEST_S, check=True).stdout
    except (subprocess.SubprocessError, OSError):
        return ()
    return tuple(_visible(told))


def _visible(told: str) -> Iterator[Gpu]:
    visible = settings.CUDA_VISIBLE_DEVICES
    for line in told.splitlines():
        index, uuid, total, free, name = (word.strip() for word in line.split(",", 4))
        # By number or by the beginning of the UUID. Source: CUDA C++ Programming Guide, environment variables.
        is_visible = visible is None or any(
            one == index or (one and uuid.startswith(one)) for one in visible.replace(" ", "").split(",")
        )
        if is_visible and total.isdecimal() and free.isdecimal():
            yield Gpu(name, int(total) * 1024**2, int(free) * 1024**2)
