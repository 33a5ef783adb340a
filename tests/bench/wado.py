"""WADO-RS: frames at eight connections, whole series and headers of studies, with 10 studies stored and 1,000 more,
beside Orthanc's.
"""

import time
from collections.abc import Iterator

from tests.bench.support_dicomweb import (
    QUIET_S,
    STORED,
    Pair,
    Server,
    address_of,
    interleaved,
    milliseconds,
    pair,
    requests_a_second,
    small_studies,
)
from tests.bench.support_ingest import SLICES, Study, study

STUDIES, ROUNDS, CONNECTIONS = 10, 5, 8
FRAMES = 'multipart/related; type="application/octet-stream"'
INSTANCES = 'multipart/related; type="application/dicom"; transfer-syntax=*'
HEADERS = "application/dicom+json"


def run() -> Iterator[dict[str, object]]:
    studies = [study(number) for number in range(STUDIES)]
    with pair() as servers:
        servers.store(studies)
        yield from lines(servers, studies, stored=STUDIES, goals=("at least the peer's", "at least the peer's"))
        servers.store(small_studies())
        yield from lines(servers, studies, stored=STORED, goals=("5 times the peer's", "twice as fast as the peer"))


def lines(servers: Pair, studies: list[Study], *, stored: int, goals: tuple[str, str]) -> Iterator[dict[str, object]]:
    addresses = [address_of(content) for one in studies for content in one]
    paths = [f"/studies/{one}/series/{series}/instances/{uid}/frames/1" for one, series, uid in addresses]
    value, peer_value = interleaved(
        lambda: requests_a_second(servers.ours, paths, FRAMES, CONNECTIONS),
        lambda: requests_a_second(servers.peer, paths, FRAMES, CONNECTIONS),
        ROUNDS,
    )
    unit = f"frames/s of 256x256, {CONNECTIONS} connections"
    yield line(f"wado_frames_{stored}", value, unit, peer_value, value / peer_value, goals[0])
    series = [f"/studies/{one}/series/{uid}" for one, uid in dict.fromkeys(address[:2] for address in addresses)]
    value, peer_value = interleaved(lambda: whole(servers.ours, series), lambda: whole(servers.peer, series), ROUNDS)
    yield line(f"wado_series_{stored}", value, f"ms, series of {SLICES}", peer_value, peer_value / value, goals[1])
    wait_until_kept(servers, stored)
    headers = [f"/studies/{one}/metadata" for one in dict.fromkeys(address[0] for address in addresses)]
    value, peer_value = interleaved(
        lambda: whole(servers.ours, headers, HEADERS), lambda: whole(servers.peer, headers, HEADERS), ROUNDS
    )
    unit = f"ms, headers of a study of {SLICES}"
    yield line(f"wado_metadata_{stored}", value, unit, peer_value, peer_value / value, goals[1])


def whole(server: Server, paths: list[str], accept: str = INSTANCES) -> float:
    """The mean of all series or studies, one after the other."""
    with server.connected() as connection:
        took = milliseconds(lambda: [server.get(connection, path, accept) for path in paths])
    return took / len(paths)


def wait_until_kept(servers: Pair, studies: int) -> None:
    """The worker has made the headers of each of them, which have a series each."""
    folder, deadline = servers.demo.data_dir / "storage" / "headers", time.monotonic() + QUIET_S
    while sum(1 for path in folder.rglob("*") if path.is_file()) < studies:
        if time.monotonic() > deadline:
            raise TimeoutError(f"headers of {studies} studies are still being made after {QUIET_S:g} s")
        time.sleep(0.5)


def line(name: str, value: float, unit: str, peer_value: float, ratio: float, goal: str) -> dict[str, object]:
    return {
        "name": name,
        "value": round(value, 1),
        "unit": unit,
        "peer": "Orthanc on SQLite",
        "peer_value": round(peer_value, 1),
        "ratio": round(ratio, 2),
        "goal": goal,
        "n": ROUNDS,
    }
