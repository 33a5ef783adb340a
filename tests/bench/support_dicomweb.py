"""Ours and Orthanc with the same studies by STOW-RS, asked by one lean client: for benchmarks."""

import http.client
import random
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from urllib.parse import urlsplit

import httpx
from pydicom import dcmread

from tests.bench.stow_ingest import sender
from tests.bench.support_ingest import Study, both_running, study
from tests.running_demo import RunningDemo

STORED = 1000
AT_ONCE = 50
QUIET_S = 300.0


@dataclass(frozen=True)
class Server:
    """Where DICOMweb is, for a client that does little more than the socket."""

    host: str
    port: int
    headers: Mapping[str, str]

    @contextmanager
    def connected(self) -> Iterator[http.client.HTTPConnection]:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=120)
        try:
            yield connection
        finally:
            connection.close()

    def get(self, connection: http.client.HTTPConnection, path: str, accept: str) -> bytes:
        connection.request("GET", f"/dicom-web{path}", headers={**self.headers, "Accept": accept})
        answer = connection.getresponse()
        content = answer.read()
        if answer.status != http.client.OK or not content:
            raise RuntimeError(f"{path}: status {answer.status} and {len(content)} bytes, needs 200 and some")
        return content


@dataclass(frozen=True)
class Pair:
    """Both servers, and both clients that store."""

    demo: RunningDemo
    ours: Server
    peer: Server
    clients: tuple[httpx.Client, httpx.Client]

    def store(self, studies: Sequence[Study]) -> None:
        """Both have the studies, and nothing of ours is settled any more."""
        for client in self.clients:
            send = sender(client)
            for start in range(0, len(studies), AT_ONCE):
                send([content for one in studies[start : start + AT_ONCE] for content in one])
        wait_until_settled(self.clients[0])


@contextmanager
def pair() -> Iterator[Pair]:
    with both_running() as both, both.demo.api("integrator") as ours:
        yield Pair(both.demo, server_of(ours), server_of(both.orthanc), (ours, both.orthanc))


def server_of(client: httpx.Client) -> Server:
    parts = urlsplit(str(client.base_url))
    headers = {"Authorization": client.headers["Authorization"]} if "Authorization" in client.headers else {}
    return Server(parts.hostname or "", parts.port or 0, headers)


def small_studies() -> list[Study]:
    """As many as a small archive has, of one small slice each."""
    return [study(number, slices=1, side=16) for number in range(STORED)]


def wait_until_settled(client: httpx.Client) -> None:
    deadline = time.monotonic() + QUIET_S
    while client.get("/api/v1/studies", params={"state": "receiving", "page_size": 1}).json()["count"]:
        if time.monotonic() > deadline:
            raise TimeoutError(f"studies are still being settled after {QUIET_S:g} s")
        time.sleep(0.5)


def address_of(content: bytes) -> tuple[str, str, str]:
    """The UIDs of study, series and instance."""
    dataset = dcmread(BytesIO(content), stop_before_pixels=True)
    return str(dataset.StudyInstanceUID), str(dataset.SeriesInstanceUID), str(dataset.SOPInstanceUID)


def milliseconds(ask: Callable[[], object]) -> float:
    started = time.perf_counter()
    ask()
    return (time.perf_counter() - started) * 1000


def requests_a_second(server: Server, paths: Sequence[str], accept: str, threads: int) -> float:
    """Every path once, in an order of its own, by so many connections at once."""
    mixed = random.Random(0).sample(list(paths), len(paths))

    def ask(share: Sequence[str]) -> None:
        with server.connected() as connection:
            for path in share:
                server.get(connection, path, accept)

    started = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(ask, [mixed[at::threads] for at in range(threads)]))
    return len(paths) / (time.perf_counter() - started)


def interleaved(ours: Callable[[], float], peers: Callable[[], float], rounds: int) -> tuple[float, float]:
    """The medians of both; the first round warms up and is dropped."""
    values: tuple[list[float], list[float]] = ([], [])
    for turn in range(rounds + 1):
        for measure, kept in zip((ours, peers), values, strict=True):
            value = measure()
            if turn:
                kept.append(value)
    return statistics.median(values[0]), statistics.median(values[1])
