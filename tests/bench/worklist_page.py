"""A page of the worklist among 10,000 studies, beside the same page of Orthanc's QIDO-RS."""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import httpx
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

from tests.bench.support_orthanc import running_orthanc
from tests.running_demo import ROOT, RunningDemo, running_demo

STUDY_COUNT = 10_000
PAGE_SIZE = 50
ROUNDS = 60
GOAL_MS = 100.0

# Where a reader turns to: the top, a search, a state, another order, far down.
OUR_PAGES = (
    {"ordering": "-received_at"},
    {"search": "0042"},
    {"state": "ready", "ordering": "patient_name"},
    {"ordering": "-active_count"},
    {"ordering": "study_date", "page": 150},
)
ORTHANC_PAGES = (
    {},
    {"PatientName": "*0042*"},
    {"ModalitiesInStudy": "MR"},
    {"StudyDate": "20210101-20211231"},
    {"offset": 149 * PAGE_SIZE},
)


def run() -> Iterator[dict[str, object]]:
    with tempfile.TemporaryDirectory() as folder, running_orthanc(Path(folder)) as orthanc:
        fill_orthanc(orthanc)
        with running_demo(Path(folder) / "demo") as demo, demo.api() as ours:
            fill_ours(demo)
            yield from lines(ours, orthanc)


def lines(ours: httpx.Client, orthanc: httpx.Client) -> Iterator[dict[str, object]]:
    our_times, peer_times = measure(
        lambda at: ours.get("/api/v1/studies", params={"page_size": PAGE_SIZE, **OUR_PAGES[at]}),
        lambda at: orthanc.get("/dicom-web/studies", params={"limit": PAGE_SIZE, **ORTHANC_PAGES[at]}),
    )
    for name, take in (("p95", percentile_95), ("median", statistics.median)):
        value, peer_value = take(our_times), take(peer_times)
        yield {
            "name": f"worklist_page_{name}",
            "value": round(value, 2),
            "unit": "ms",
            "peer": "Orthanc QIDO-RS on SQLite",
            "peer_value": round(peer_value, 2),
            "ratio": round(peer_value / value, 2),
            "goal": f"under {GOAL_MS:g} ms",
            "n": len(our_times),
        }


def measure(*askers: Callable[[int], httpx.Response]) -> list[list[float]]:
    """Milliseconds of each asker's answers, taken in turn; the first round warms up and is dropped."""
    times: list[list[float]] = [[] for _ in askers]
    for turn in range(ROUNDS + 1):
        for at in range(len(OUR_PAGES)):
            for asker, kept in zip(askers, times, strict=True):
                started = time.perf_counter()
                asker(at).raise_for_status()
                if turn:
                    kept.append((time.perf_counter() - started) * 1000)
    return times


def percentile_95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]


def fill_ours(demo: RunningDemo) -> None:
    words = [sys.executable, "-m", "tests.bench.support_worklist", str(STUDY_COUNT)]
    subprocess.run(words, cwd=ROOT, env=demo.manage_environment, check=True)


def fill_orthanc(orthanc: httpx.Client) -> None:
    with ThreadPoolExecutor(4) as senders:
        for answer in senders.map(lambda at: orthanc.post("/instances", content=instance(at)), range(STUDY_COUNT)):
            answer.raise_for_status()


def instance(at: int) -> bytes:
    """A study of one small instance."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID = MRImageStorage
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID = generate_uid()
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = generate_uid(), generate_uid()
    dataset.PatientID, dataset.PatientName = f"B{at:06d}", f"Bench^{at:06d}"
    dataset.StudyDate, dataset.Modality = f"{2020 + at % 6}0101", "MR"
    content = BytesIO()
    dataset.save_as(content, enforce_file_format=True)
    return content.getvalue()
