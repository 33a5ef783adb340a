"""From the last byte stored to the lesion counts: a 25-slice study on a running platform, beside the network alone.

Everything is the demo's own: web, feed, broker, both workers, SQLite. The clock starts when the upload is answered,
which is when its last byte is on the disk, and stops when the counts have been fetched after the socket told of them.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
from pydicom import Dataset, dcmread
from pydicom.uid import generate_uid
from websockets.sync.client import ClientConnection, connect

from inference_worker.prediction import Segmenter
from plaqueview.imaging.dicom_read import read_volume
from plaqueview.imaging.volume import Volume
from tests.running_demo import RunningDemo, running_demo

ROUNDS = 7
WARM_UP_ROUNDS = 2
SLICES = 25
GOAL_S = 3.0
GOAL_MIB = 1536.0
ROUND_TIMEOUT_S = 120.0

Line = dict[str, Any]  # Any: JSON


def run() -> Iterator[Line]:
    """The latency and the worker's memory, in this order."""
    with tempfile.TemporaryDirectory() as folder, running_demo(Path(folder)) as demo:
        slices = flair_of_demo(demo)
        volume = read_volume(slices).volume
        segmenter = Segmenter.load()
        platform_s, alone_s = [], []
        with demo.api("integrator") as api, feed_of(demo, api) as feed:
            for _ in range(WARM_UP_ROUNDS + ROUNDS):
                platform_s.append(seconds_to_counts(api, feed, another_study(slices)))
                alone_s.append(seconds_alone(segmenter, volume))
        memory_mib = resident_mib(demo, "inference")
    yield latency_line(platform_s[WARM_UP_ROUNDS:], alone_s[WARM_UP_ROUNDS:])
    yield memory_line(memory_mib)


def latency_line(platform_s: Sequence[float], alone_s: Sequence[float]) -> Line:
    value, peer_value = statistics.median(platform_s), statistics.median(alone_s)
    print(f"study_latency rounds: {[round(value, 2) for value in platform_s]}", file=sys.stderr)
    return {
        "name": "study_latency",
        "value": round(value, 3),
        "unit": "s, last byte stored to lesion counts",
        "peer": "the same network on the same volume in one warm process",
        "peer_value": round(peer_value, 3),
        "ratio": round(peer_value / value, 3),
        "goal": f"under {GOAL_S:g} s",
        "n": len(platform_s),
    }


def memory_line(memory_mib: float) -> Line:
    return {
        "name": "study_latency_worker_memory",
        "value": round(memory_mib),
        "unit": "MiB resident, inference worker after all rounds",
        "peer": "the limit",
        "peer_value": GOAL_MIB,
        "ratio": round(GOAL_MIB / memory_mib, 3),
        "goal": f"under {GOAL_MIB:g} MiB",
        "n": 1,
    }


def flair_of_demo(demo: RunningDemo) -> list[Dataset]:
    """The FLAIR of the synthetic patient that has 25 slices."""
    by_series: dict[str, list[Dataset]] = {}
    for path in sorted((demo.data_dir / "synthetic-patients").rglob("*.dcm")):
        dataset = dcmread(path)
        if dataset.ScanningSequence == ["SE", "IR"]:
            by_series.setdefault(dataset.SeriesInstanceUID, []).append(dataset)
    return next(datasets for datasets in by_series.values() if len(datasets) == SLICES)


def another_study(slices: Sequence[Dataset]) -> list[bytes]:
    """The same pictures as a study of another patient: files."""
    study_uid, series_uid = generate_uid(), generate_uid()
    files = []
    for dataset in slices:
        dataset.StudyInstanceUID, dataset.SeriesInstanceUID = study_uid, series_uid
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        dataset.PatientID = study_uid[-16:]
        stream = BytesIO()
        dataset.save_as(stream, enforce_file_format=True)
        files.append(stream.getvalue())
    return files


def feed_of(demo: RunningDemo, api: httpx.Client) -> ClientConnection:
    """A socket that listens to the worklist."""
    token = {"Authorization": api.headers["Authorization"]}
    socket = connect(api.get("/api/v1/me").json()["feed_url"], additional_headers=token)
    socket.send(json.dumps({"type": "subscribe", "topic": "worklist"}))
    if json.loads(socket.recv(10))["type"] != "subscribed":
        raise RuntimeError("the feed did not take the subscription")
    return socket


def seconds_to_counts(api: httpx.Client, feed: ClientConnection, files: Sequence[bytes]) -> float:
    parts = [("file", (f"{index}.dcm", content, "application/dicom")) for index, content in enumerate(files)]
    api.post("/api/v1/uploads", files=parts).raise_for_status()
    started = time.perf_counter()
    study_id = next_result(feed)["study"]
    study = api.get(f"/api/v1/studies/{study_id}").raise_for_status().json()
    elapsed_s = time.perf_counter() - started
    if study["lesion_counts"] is None:
        raise RuntimeError(f"the study is {study['state']} without counts")
    return elapsed_s


def next_result(feed: ClientConnection) -> Mapping[str, Any]:
    """The next event of a new annotation. Raises: RuntimeError when a job fails instead."""
    while True:
        event = json.loads(feed.recv(ROUND_TIMEOUT_S))
        if event["type"] == "annotation.changed":
            return event
        if event["type"] == "job.progress" and event["state"] in {"failed", "cancelled"}:
            raise RuntimeError(f"the job has {event['state']}")


def seconds_alone(segmenter: Segmenter, volume: Volume) -> float:
    started = time.perf_counter()
    segmenter.segment(volume)
    return time.perf_counter() - started


def resident_mib(demo: RunningDemo, queue: str) -> float:
    """The memory of the worker of the queue, with its children."""
    launcher = (demo.data_dir / "lock").read_text().strip()
    listing = subprocess.run(["ps", "-axo", "pid=,ppid=,rss=,command="], capture_output=True, text=True, check=True)
    rows = [line.split(None, 3) for line in listing.stdout.splitlines()]
    (worker,) = (row for row in rows if row[1] == launcher and f"--queues {queue} " in row[3])
    kibibytes = [int(row[2]) for row in rows if worker[0] in {row[0], row[1]}]
    return sum(kibibytes) / 1024
