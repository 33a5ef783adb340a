"""QIDO-RS: 25 studies of 1,000, beside Orthanc's; and of ten times as many, beside our own with 1,000."""

import subprocess
import sys
from collections.abc import Callable, Iterator

from tests.bench.support_dicomweb import STORED, Server, interleaved, milliseconds, pair, small_studies
from tests.running_demo import ROOT, RunningDemo

ROUNDS = 20
MORE = 9_000
ACCEPT = "application/dicom+json"
QUERIES = {
    "page": "/studies?limit=25",
    "offset": "/studies?limit=25&offset=900",
    "name": "/studies?limit=25&PatientName=*0001*",
    "date": "/studies?limit=25&StudyDate=20230101-20251231",
    "modality": "/studies?limit=25&ModalitiesInStudy=MR",
}


def run() -> Iterator[dict[str, object]]:
    with pair() as servers:
        servers.store(small_studies())
        few: dict[str, float] = {}
        for name, path in QUERIES.items():
            few[name], peers = interleaved(asking(servers.ours, path), asking(servers.peer, path), ROUNDS)
            yield line(
                f"qido_{name}", few[name], f"Orthanc on SQLite, {STORED} studies", peers, "a fifth of the peer's"
            )
        fill(servers.demo)
        for name, path in QUERIES.items():
            many, _ = interleaved(asking(servers.ours, path), lambda: 0.0, ROUNDS)
            yield line(f"qido_{name}_many", many, f"PlaqueView with {STORED} studies", few[name], "flat up to 10,000")


def asking(server: Server, path: str) -> Callable[[], float]:
    """How long one answer takes, in ms, by a connection that was open before."""

    def ask() -> float:
        with server.connected() as connection:
            connection.connect()
            return milliseconds(lambda: server.get(connection, path, ACCEPT))

    return ask


def fill(demo: RunningDemo) -> None:
    words = [sys.executable, "-m", "tests.bench.support_worklist", str(MORE)]
    subprocess.run(words, cwd=ROOT, env=demo.manage_environment, check=True)


def line(name: str, value: float, peer: str, peer_value: float, goal: str) -> dict[str, object]:
    return {
        "name": name,
        "value": round(value, 2),
        "unit": "ms",
        "peer": peer,
        "peer_value": round(peer_value, 2),
        "ratio": round(peer_value / value, 2),
        "goal": goal,
        "n": ROUNDS,
    }
