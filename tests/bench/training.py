"""Steps of a training as the platform takes them, beside the same steps by themselves, in turns.

The demo's environment, broker and database are running beside; what differs is what the platform adds to a step: its
ledger, the beat that renews the lease and writes the points, and the announcement of each. Loading, validation and
export are the same on both sides and are left out.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

from tests.bench.study_latency import Line
from tests.bench.support_labelled import CASES, import_cases
from tests.running_demo import ROOT, RunningDemo, running_demo

TURNS, BATCH_SIZE = 8, 4
GOAL_SHARE = 0.95
TIMEOUT_S = 600.0


def run() -> Iterator[Line]:
    """The speed of the steps."""
    with tempfile.TemporaryDirectory() as folder, running_demo(Path(folder) / "demo") as demo:
        import_cases(demo, Path(folder) / "cases", CASES, shape=(8, 96, 96), spacing_mm=(8.0, 2.2, 2.2))
        with demo.api("admin") as admin:
            seconds = seconds_of_steps(demo, frozen(admin))
    platform, bare = (seconds[name] for name in ("platform", "bare"))
    yield {
        "name": "training_step_platform",
        "value": round(BATCH_SIZE / statistics.median(platform), 3),
        "unit": "slices/s, median step with the platform's ledger, lease and points",
        "peer": "the same steps without them; the ratio is the median of that of each step",
        "peer_value": round(BATCH_SIZE / statistics.median(bare), 3),
        "ratio": round(statistics.median(b / p for p, b in zip(platform, bare, strict=True)), 3),
        "goal": f"a ratio of at least {GOAL_SHARE:g}",
        "n": len(platform),
    }


def frozen(api: httpx.Client) -> str:
    """The snapshot of what is approved, once it is ready. Raises: TimeoutError."""
    snapshot = api.post("/api/v1/snapshots", json={}).raise_for_status().json()["id"]
    deadline = time.monotonic() + TIMEOUT_S
    while api.get(f"/api/v1/snapshots/{snapshot}").json()["state"] != "ready":
        if time.monotonic() > deadline:
            raise TimeoutError(f"the snapshot was not ready within {TIMEOUT_S:g} s")
        time.sleep(0.2)
    return str(snapshot)


def seconds_of_steps(demo: RunningDemo, snapshot: str) -> dict[str, list[float]]:
    """Of each step, by who took it."""
    words = [sys.executable, "-m", "tests.bench.support_training", snapshot, str(TURNS), str(BATCH_SIZE)]
    done = subprocess.run(
        words,
        check=True,
        env=demo.manage_environment | {"PYTHONPATH": f"{ROOT}:{ROOT / 'platform'}"},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        timeout=TIMEOUT_S,
    )
    found: dict[str, list[float]] = json.loads(done.stdout.splitlines()[-1])
    return found
