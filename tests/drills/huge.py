"""Series that are larger than the memory of the worker that is to read them."""

import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import RLELossless

from plaqueview.inference.models import InferenceJob, JobState
from tests.drills.department import Department, wait_until
from tests.drills.findings import has_job, is_read
from tests.drills.traffic import Told, send_datasets, send_one, store_by_dimse
from tests.inference.heads import flair_datasets
from tests.worker.support import head_volume

CGROUP = Path("/sys/fs/cgroup/memory/plaqueview-drills")
LIMIT_BYTES = 3 * 2**30
SMALL_SIDE = 128
HEAD_MM = (130.0, 218.0, 218.0)
TIMEOUT_S = 400.0


@contextmanager
def with_little_memory(department: Department) -> Iterator[Department]:
    """Within, the kernel kills what the inference worker starts beyond the limit, as in a container."""
    CGROUP.mkdir(exist_ok=True)
    (CGROUP / "memory.limit_in_bytes").write_text(str(LIMIT_BYTES))
    service = department.services["inference"]
    command = service.command
    service.command = ("sh", "-c", f'echo $$ > {CGROUP}/cgroup.procs && exec "$@"', "sh", *command)
    service.restart()
    wait_until(department.is_ready, what="the worker with little memory", timeout_s=TIMEOUT_S)
    try:
        yield department
    finally:
        service.command = command
        service.restart()
        wait_until(department.is_ready, what="the worker as before", timeout_s=TIMEOUT_S)
        CGROUP.rmdir()


def send_huge_series(department: Department, told: Told) -> None:
    """Series of more than a gigabyte end by name, nobody's worker dies of them, and others are read meanwhile."""
    service = department.services["inference"]
    for slices, side in ((40, 4096), (15, 4096), (600, 512)):
        process_id, started = service.process_id, time.monotonic()
        uid = send_datasets(department, told, threading.Event(), huge_series(slices, side), store_by_dimse)
        other = send_one(department, told, threading.Event(), store_by_dimse)
        wait_until(lambda uid=uid: has_job(uid, ENDED), what="the huge one's job to end", timeout_s=TIMEOUT_S)
        ended_s = time.monotonic() - started
        wait_until(lambda other=other: is_read(other), what="another study to be read", timeout_s=TIMEOUT_S)
        told.notes.append(
            f"{slices} x {side} x {side}: {outcome_of(uid)} after {ended_s:.0f} s, the other after "
            f"{time.monotonic() - started:.0f} s, most memory {peak_bytes() / 2**30:.1f} GiB"
            + ("" if service.process_id == process_id else ", THE WORKER DIED")
        )
        forget_peak()


ENDED = {JobState.SUCCEEDED, JobState.FAILED}


def outcome_of(study_uid: str) -> str:
    job = InferenceJob.objects.filter(study__study_instance_uid=study_uid).latest("created")
    return f"{job.state} ({job.attempts} tries) {job.reason}".strip()


def peak_bytes() -> int:
    return int((CGROUP / "memory.max_usage_in_bytes").read_text())


def forget_peak() -> None:
    (CGROUP / "memory.max_usage_in_bytes").write_text("0")


def huge_series(slices: int, side: int) -> list[Dataset]:
    """A FLAIR series of a head, each pixel of a small one repeated, compressed: small files, many pixels."""
    height, *breadth = HEAD_MM
    small = head_volume((slices, SMALL_SIDE, SMALL_SIDE), (height / slices, *(mm / SMALL_SIDE for mm in breadth)))
    datasets = flair_datasets(small, patient_id=f"HUGE-{time.monotonic_ns()}")
    for dataset in datasets:
        enlarge(dataset, side // SMALL_SIDE)
    return datasets


def enlarge(dataset: Dataset, factor: int) -> None:
    """Source: PS3.5 Annex G and A.4."""
    pixels = np.frombuffer(dataset.PixelData, np.uint16).reshape(SMALL_SIDE, SMALL_SIDE)
    dataset.Rows = dataset.Columns = SMALL_SIDE * factor
    dataset.PixelSpacing = [spacing / factor for spacing in dataset.PixelSpacing]
    high, low = (run_lengths(plane, factor) for plane in ((pixels >> 8).astype(np.uint8), pixels.astype(np.uint8)))
    header = struct.pack("<16I", 2, 64, 64 + len(high), *[0] * 13)
    dataset.PixelData = encapsulate([header + high + low])
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta.TransferSyntaxUID = RLELossless


def run_lengths(plane: NDArray[np.uint8], factor: int) -> bytes:
    """Each pixel as a run of `factor`, at most 128, and each row so many times."""
    runs = np.stack([np.full_like(plane, 257 - factor), plane], axis=-1).reshape(len(plane), -1)
    return np.repeat(runs, factor, axis=0).tobytes()
