"""What sealed identifiers cost the web process: pages of the worklist and of QIDO-RS among 10,000 studies."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.bench.worklist_page import fill_ours
from tests.running_demo import ROOT, running_demo


def run() -> Iterator[dict[str, object]]:
    with tempfile.TemporaryDirectory() as folder, running_demo(Path(folder)) as demo:
        fill_ours(demo)
        words = [sys.executable, "-m", "tests.bench.support_sealed", demo.credentials["neurologist"]["token"]]
        environment = demo.manage_environment | {"PLAQUEVIEW_ALLOWED_HOSTS": "testserver"}
        ended = subprocess.run(words, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    found = json.loads(ended.stdout)
    yield line("sealed_rows", found["rows_per_second"], "rows/s", 0.0, 1)
    for name, value in found["sealed"].items():
        yield line(f"sealed_{name}", value, "ms of processor", found["clear"][name], found["rounds"])


def line(name: str, value: float, unit: str, peer_value: float, count: int) -> dict[str, object]:
    return {
        "name": name,
        "value": round(value, 2),
        "unit": unit,
        "peer": "PlaqueView without keys",
        "peer_value": round(peer_value, 2),
        "ratio": round(peer_value / value, 2),
        "goal": "told",
        "n": count,
    }
