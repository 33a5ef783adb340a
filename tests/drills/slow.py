"""Callers on slow lines: half a request's head, a body that trickles in, an answer that trickles out."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from tests.drills.department import Department, wait_until
from tests.drills.findings import is_read
from tests.drills.traffic import Told, at_work, send_datasets, store_by_web
from tests.inference.heads import flair_datasets
from tests.worker.support import head_volume

CALLERS_OF_A_KIND = 40
HELD_S = 60.0
BODY_BYTES = 50 * 2**20
RECEIVE_BUFFER_BYTES = 4096
TIMEOUT_S = 300.0
LARGE_HEAD, LARGE_SPACING_MM = (40, 512, 512), (3.0, 0.45, 0.45)

Speak = Callable[[ssl.SSLSocket, Department], None]


def hold_slowly(department: Department, told: Told) -> None:
    """Who is slow holds nobody else: the readers' requests are answered meanwhile."""
    large = flair_datasets(head_volume(LARGE_HEAD, LARGE_SPACING_MM), patient_id=f"LARGE-{time.monotonic_ns()}")
    study_uid = send_datasets(department, told, threading.Event(), large, store_by_web)
    wait_until(lambda: is_read(study_uid), what="the large study to be read", timeout_s=TIMEOUT_S)
    before = told.failures
    for kind in (half_a_head, a_slow_body, a_slow_reader(study_uid)):
        started, known = time.monotonic(), {name: len(seconds) for name, seconds in told.latencies_s.items()}
        with slow_callers(department, kind):
            time.sleep(HELD_S)
        new = sorted(second for name, seconds in told.latencies_s.items() for second in seconds[known.get(name, 0) :])
        told.notes.append(
            f"{CALLERS_OF_A_KIND} with {kind.__name__.replace('_', ' ')} for {time.monotonic() - started:.0f} s: "
            f"{len(new)} reads, median {new[len(new) // 2] * 1000:.0f} ms, the slowest {new[-1] * 1000:.0f} ms"
        )
    assert told.failures == before, f"{told.failures - before} requests failed: {told.reasons}"


@contextmanager
def slow_callers(department: Department, kind: Speak) -> Iterator[None]:
    context = ssl.create_default_context(cafile=department.certificate)
    is_over = threading.Event()
    threads = [
        threading.Thread(target=call_slowly, args=(department, context, kind, is_over))
        for _ in range(CALLERS_OF_A_KIND)
    ]
    with at_work(threads, is_over):
        yield


def call_slowly(department: Department, context: ssl.SSLContext, kind: Speak, is_over: threading.Event) -> None:
    """Begins as its kind does, then sends or takes a little every second; again when it was cut off."""
    while not is_over.is_set():
        with suppress(OSError), socket.socket() as line:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
            line.settimeout(10)
            line.connect(("127.0.0.1", department.ports["nginx"]))
            with context.wrap_socket(line, server_hostname="127.0.0.1") as safe_line:
                kind(safe_line, department)
                while not is_over.wait(1.0):
                    go_on = safe_line.recv if kind not in SENDING else lambda size: safe_line.sendall(b"x" * size)
                    go_on(64 if kind is a_slow_body else 1)


def half_a_head(line: ssl.SSLSocket, _: Department) -> None:
    line.sendall(b"GET /api/v1/studies HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ")


def a_slow_body(line: ssl.SSLSocket, department: Department) -> None:
    head = f"""POST /dicom-web/studies HTTP/1.1
Host: 127.0.0.1
Authorization: Bearer {department.token}
Content-Type: multipart/related; type="application/dicom"; boundary=drill
Accept: application/dicom+json
Content-Length: {BODY_BYTES}

--drill
Content-Type: application/dicom

"""
    line.sendall(head.replace("\n", "\r\n").encode())


SENDING = (half_a_head, a_slow_body)


def a_slow_reader(study_uid: str) -> Speak:
    def reading_slowly(line: ssl.SSLSocket, department: Department) -> None:
        head = f"""GET /dicom-web/studies/{study_uid} HTTP/1.1
Host: 127.0.0.1
Authorization: Bearer {department.token}
Accept: multipart/related; type="application/dicom"; transfer-syntax=*

"""
        line.sendall(head.replace("\n", "\r\n").encode())

    return reading_slowly
