"""Two web servers and two feeds behind nginx, restarted one after the other under load."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from tests.drills.department import Department, wait_until
from tests.drills.traffic import STOW_HEADERS, Load, Told, at_work, new_study, stow_body
from tests.studies.dicom_files import encoded

BUSY_DAY = Load(dimse_senders=1, web_senders=2, readers=10, admins=1, send_pause_s=60.0)
UPLOADERS, UPLOAD_PIECES, PIECE_PAUSE_S = 2, 10, 1.0
START_TIMEOUT_S = 60.0
REST_S = 3.0


def restart_one_after_the_other(department: Department, told: Told) -> None:
    """No reader gets a bad answer; an upload under way is whole or refused; a page finds its feed again."""
    before = told.failures
    with uploading(department, told):
        for name in ("web", "second_web", "feed", "second_feed"):
            time.sleep(REST_S)
            department.services[name].restart()
            port = department.ports[name]
            wait_until(lambda port=port: answers(port), what=f"{name} to answer", timeout_s=START_TIMEOUT_S)
        time.sleep(REST_S)
    assert told.failures == before, f"{told.failures - before} requests failed: {told.reasons}"


def answers(port: int) -> bool:
    """Not only listens: the workers behind the port are there."""
    try:
        httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=5)  # the feed speaks no HTTP, and says so
    except httpx.HTTPError:
        return False
    return True


@contextmanager
def uploading(department: Department, told: Told) -> Iterator[None]:
    """Within, modalities on a slow line send studies of several seconds by STOW-RS, one after the other."""
    is_over, outcomes = threading.Event(), list[str]()
    threads = [
        threading.Thread(target=upload_for_ever, args=(department, told, is_over, outcomes)) for _ in range(UPLOADERS)
    ]
    with at_work(threads, is_over):
        yield
    counts = ", ".join(f"{outcomes.count(one)} {one}" for one in sorted(set(outcomes)))
    told.notes.append(f"uploads of {UPLOAD_PIECES * PIECE_PAUSE_S:g} s: {counts}")


def upload_for_ever(department: Department, told: Told, is_over: threading.Event, outcomes: list[str]) -> None:
    """The same study again and again: what was accepted once is a duplicate the next time."""
    datasets = new_study()
    while not is_over.is_set():
        body = stow_body(encoded(dataset) for dataset in datasets)
        try:
            with department.client() as client:
                headers = {**STOW_HEADERS, "Content-Length": str(len(body))}
                status = client.post("/dicom-web/studies", content=slowly(body), headers=headers).status_code
        except httpx.HTTPError as error:
            outcomes.append(f"broken off ({type(error).__name__})")
            continue
        outcomes.append("whole" if status == httpx.codes.OK else f"refused ({status})")
        if status == httpx.codes.OK:
            for dataset in datasets:
                told.accept(str(dataset.SOPInstanceUID))


def slowly(body: bytes) -> Iterator[bytes]:
    size = len(body) // UPLOAD_PIECES + 1
    for start in range(0, len(body), size):
        yield body[start : start + size]
        time.sleep(PIECE_PAUSE_S)
