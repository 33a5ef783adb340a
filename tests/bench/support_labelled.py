"""Labelled heads as approved studies of a running demo."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from zlib import crc32

from plaqueview.imaging.volume import Volume
from tests.running_demo import ROOT, RunningDemo
from tests.worker.support import head_volume, write_study

CASES = ("anna", "berta", "cilka", "dana", "edita", "fani")


def import_cases(
    demo: RunningDemo, folder: Path, names: Sequence[str], *, shape: tuple[int, int, int], spacing_mm: Sequence[float]
) -> None:
    """A labelled head under each name, no two the same, so that no image stands on two sides."""
    head = head_volume(shape, spacing_mm)
    for name in names:
        write_study(folder / name, classes=True, volume=Volume(head.voxels + crc32(name.encode()) % 97, head.affine))
    command = [sys.executable, "-m", "django", "import_labelled", str(folder)]
    subprocess.run(command, check=True, env=demo.manage_environment, cwd=ROOT, stdout=sys.stderr)
