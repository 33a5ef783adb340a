"""How much memory a process holds, and how much one needs that reads a study with a model.

`python -m inference_worker.memory WEIGHTS FLAIR` is that process.
"""

from __future__ import annotations

import logging
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Final

from inference_worker.prediction import Segmenter
from plaqueview.imaging.free_memory import free_memory_bytes
from plaqueview.imaging.nifti import read_volume_nifti

logger = logging.getLogger(__name__)

STATUS_FILE: Final = Path("/proc/self/status")
LONGEST_S: Final = 1800.0

# What reading a series takes beyond the network, at its peak, for each of its voxels: 35 to 42 were measured, at 2**24
# to 2**26 voxels, and the file has two more.
BYTES_OF_VOXEL: Final = 44
GIB: Final = 1024**3


class MemoryShortError(ValueError):
    """The series needs more memory than there is."""


def require_memory(voxels: int) -> None:
    """A series of so many voxels can be read without this process being killed for it.

    Raises: MemoryShortError; never where the machine does not say how much is free.
    """
    needed, free = voxels * BYTES_OF_VOXEL, free_memory_bytes()
    if free is not None and needed > free:
        raise MemoryShortError(
            f"The series has {voxels / 1e6:.1f} million voxels, for which the worker needs {needed / GIB:.3g} GiB of "
            f"memory; {free / GIB:.3g} GiB are free."
        )


def resident_bytes() -> tuple[int | None, int]:
    """What is resident in this process now, None where the machine does not say, and the most since it was started.

    Linux's `getrusage` goes on from the process that started this one, so the file is asked first.
    """
    if STATUS_FILE.is_file():
        lines = dict(line.split(":", 1) for line in STATUS_FILE.read_text().splitlines())
        return _bytes_of(lines["VmRSS"]), _bytes_of(lines["VmHWM"])
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return None, most if sys.platform == "darwin" else most * 1024


def peak_bytes_of(weights: Path, flair: Path) -> int | None:
    """The most that is resident in a process of its own that loads the model and reads the study; None if it fails.

    Measured apart, because memory that one model has freed is taken again by the next.
    """
    words = [sys.executable, "-m", "inference_worker.memory", str(weights), str(flair)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    try:
        done = subprocess.run(words, check=True, env=environment, capture_output=True, text=True, timeout=LONGEST_S)
    except subprocess.SubprocessError as error:
        logger.warning("the memory of a model was not measured: %s", type(error).__name__)
        return None
    return int(done.stdout)


def _bytes_of(text: str) -> int:
    return int(text.split(maxsplit=1)[0]) * 1024


if __name__ == "__main__":
    weights, flair = map(Path, sys.argv[1:])
    Segmenter.load(weights).segment(read_volume_nifti(flair))
    sys.stdout.write(str(resident_bytes()[1]))
