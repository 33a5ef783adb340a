"""Corpus and clock of the ingest benchmarks: ours and Orthanc take files of one kind, in turn, from one client."""

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import httpx
import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

from tests.bench.support_orthanc import running_orthanc
from tests.running_demo import RunningDemo, running_demo

STUDIES, SLICES = 4, 60
ROUNDS = 3
SENDERS = (1, 4)
LONGEST_WORK_S, CALM_S = 300, 10
GOAL = "at least the peer's"

Study = Sequence[bytes]
Send = Callable[[Study], None]


@dataclass(frozen=True)
class Both:
    demo: RunningDemo
    orthanc: httpx.Client


@contextmanager
def both_running() -> Iterator[Both]:
    with (
        tempfile.TemporaryDirectory() as folder,
        running_orthanc(Path(folder)) as orthanc,
        running_demo(Path(folder) / "demo") as demo,
    ):
        wait_until_idle(demo)
        yield Both(demo, orthanc)


def wait_until_idle(demo: RunningDemo) -> None:
    """The demo's own patients are compared, searched and shown: no worker has anything to do. Raises: TimeoutError."""
    deadline, calm = time.monotonic() + LONGEST_WORK_S, 0
    with demo.api("admin") as client:
        while calm < CALM_S:
            staff = client.get("/api/v1/workers").json()
            waits = any(queue["waiting"] for queue in staff["queues"])
            calm = 0 if waits or any(worker["errands"] for worker in staff["workers"]) else calm + 1
            if time.monotonic() > deadline:
                raise TimeoutError(f"workers are busy with the demo's patients after {LONGEST_WORK_S} s")
            time.sleep(1)


def lines(name: str, ours: Send, peers: Send, *, demo: RunningDemo) -> Iterator[dict[str, object]]:
    """A line for each number of senders; the first round warms up and is dropped.

    What our workers still do with what was sent is done before it is the peer's turn.
    """
    for senders in SENDERS:
        rates: list[tuple[float, float]] = []
        for _ in range(ROUNDS + 1):
            rate = instances_a_second(ours, corpus(), senders)
            wait_until_idle(demo)
            rates.append((rate, instances_a_second(peers, corpus(), senders)))
        value, peer_value = map(statistics.median, zip(*rates[1:], strict=True))
        yield {
            "name": f"{name}_{senders}",
            "value": round(value),
            "unit": f"instances/s, {STUDIES} studies of {SLICES} MR slices, senders: {senders}",
            "peer": "Orthanc on SQLite",
            "peer_value": round(peer_value),
            "ratio": round(value / peer_value, 2),
            "goal": GOAL,
            "n": ROUNDS,
        }


def instances_a_second(send: Send, studies: Sequence[Study], senders: int) -> float:
    started = time.perf_counter()
    with ThreadPoolExecutor(senders) as pool:
        list(pool.map(send, studies))
    return STUDIES * SLICES / (time.perf_counter() - started)


def corpus() -> list[Study]:
    """New studies of new patients, which no network reads: they have no FLAIR."""
    return [study(number) for number in range(STUDIES)]


def study(number: int, *, slices: int = SLICES, side: int = 256) -> Study:
    dataset, pixels = Dataset(), np.random.default_rng(number).integers(0, 4096, (side, side), np.uint16)
    dataset.SOPClassUID, dataset.Modality, dataset.StudyDate = MRImageStorage, "MR", "20240101"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = generate_uid(), generate_uid()
    dataset.PatientID = dataset.StudyInstanceUID[-16:]
    dataset.PatientName = f"Bench^{number:06d}"
    dataset.ImageOrientationPatient, dataset.PixelSpacing = [1, 0, 0, 0, 1, 0], [0.9, 0.9]
    dataset.Rows, dataset.Columns, dataset.SamplesPerPixel, dataset.PixelRepresentation = side, side, 1, 0
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
    dataset.PhotometricInterpretation, dataset.PixelData = "MONOCHROME2", pixels.tobytes()
    return [encoded(dataset, index) for index in range(slices)]


def encoded(dataset: Dataset, index: int) -> bytes:
    dataset.SOPInstanceUID, dataset.InstanceNumber = generate_uid(), index + 1
    dataset.ImagePositionPatient = [0, 0, 3.0 * index]
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = MRImageStorage
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    content = BytesIO()
    dataset.save_as(content, enforce_file_format=True)
    return content.getvalue()
