"""A snapshot of 200 approved studies on a running platform, and what the worker's memory does beside it.

The worker that builds it is the demo's own. Memory is the most that it held while it built one of ten times as many
studies, beside the most while it built the small one: flat means that it does not grow with the number of studies.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

from tests.bench.study_latency import Line, resident_mib
from tests.bench.support_labelled import CASES, import_cases
from tests.running_demo import ROOT, RunningDemo, running_demo

STUDIES, FEW_STUDIES = 200, 20
GOAL_S, GOAL_GROWTH = 60.0, 1.1
POLL_S = 0.2
TIMEOUT_S = 600.0


def run() -> Iterator[Line]:
    """The time, and then the memory."""
    with tempfile.TemporaryDirectory() as folder, running_demo(Path(folder) / "demo") as demo:
        import_cases(demo, Path(folder) / "cases", CASES, shape=(25, 256, 256), spacing_mm=(5.0, 0.9, 0.9))
        with demo.api("admin") as api:
            fill(demo, FEW_STUDIES)
            _, few_mib = build(demo, api, FEW_STUDIES)
            fill(demo, STUDIES)
            seconds, mib = build(demo, api, STUDIES)
    yield {
        "name": "snapshot_200",
        "value": round(seconds, 2),
        "unit": f"s, asked for until {STUDIES} studies of 25 slices of 256 x 256 are frozen",
        "peer": "the limit",
        "peer_value": GOAL_S,
        "ratio": round(GOAL_S / seconds, 2),
        "goal": f"under {GOAL_S:g} s",
        "n": 1,
    }
    yield {
        "name": "snapshot_200_memory",
        "value": round(mib),
        "unit": "MiB resident at most, worker of the queue default while it builds",
        "peer": f"the same with {FEW_STUDIES} studies",
        "peer_value": round(few_mib),
        "ratio": round(few_mib / mib, 3),
        "goal": f"at most {GOAL_GROWTH:g} times as much",
        "n": 1,
    }


def fill(demo: RunningDemo, count: int) -> None:
    words = [sys.executable, "-m", "tests.bench.support_snapshot", str(count)]
    subprocess.run(words, check=True, env=demo.manage_environment, cwd=ROOT, stdout=sys.stderr)


def build(demo: RunningDemo, api: httpx.Client, studies: int) -> tuple[float, float]:
    """Seconds from asking until it is ready, and the most that its worker held. Raises: RuntimeError, TimeoutError."""
    started, most_mib = time.perf_counter(), 0.0
    address = f"/api/v1/snapshots/{api.post('/api/v1/snapshots', json={}).raise_for_status().json()['id']}"
    while time.perf_counter() - started < TIMEOUT_S:
        snapshot = api.get(address).raise_for_status().json()
        if snapshot["state"] == "failed":
            raise RuntimeError(f"the snapshot failed: {snapshot['reason']}")
        if snapshot["state"] == "ready":
            frozen = sum(side["studies"] for side in snapshot["counts"].values())
            if frozen != studies:
                raise RuntimeError(f"{frozen} studies were frozen, need {studies}")
            return time.perf_counter() - started, most_mib
        most_mib = max(most_mib, resident_mib(demo, "default"))
        time.sleep(POLL_S)
    raise TimeoutError(f"the snapshot was not ready within {TIMEOUT_S:g} s")
