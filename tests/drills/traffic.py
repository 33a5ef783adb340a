"""What goes on while a drill strikes: modalities that send, readers who read, and what each of them was told."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import httpx
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage
from pynetdicom import AE
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from tests.drills.department import Department
from tests.inference.heads import flair_datasets
from tests.studies.dicom_files import encoded
from tests.worker.support import head_volume

HEAD = (12, 96, 96)
SPACING_MM = (5.0, 2.2, 2.2)
SEND_PAUSE_S, RESEND_PAUSE_S, READ_PAUSE_S = 20.0, 0.5, 0.2
SUCCESS = 0x0000


@dataclass
class Told:
    """What the department has said: instances that it accepted, and requests that failed."""

    accepted: set[str] = field(default_factory=set)
    studies: list[str] = field(default_factory=list)
    requests: int = 0
    failures: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def accept(self, uid: str) -> None:
        with self.lock:
            self.accepted.add(uid)

    def answered(self, *, well: bool) -> None:
        with self.lock:
            self.requests += 1
            self.failures += not well


@contextmanager
def traffic(department: Department) -> Iterator[Told]:
    """Within, one modality sends by C-STORE and one by STOW-RS, three readers read and ten listen to the feed."""
    told, is_over = Told(), threading.Event()
    parts = [(send_for_ever, store_by_dimse), (send_for_ever, store_by_web)]
    threads = [threading.Thread(target=part, args=(department, told, is_over, *how)) for part, *how in parts]
    threads += [threading.Thread(target=read_for_ever, args=(department, told, is_over)) for _ in range(3)]
    threads += [threading.Thread(target=listen_for_ever, args=(department, is_over)) for _ in range(10)]
    for thread in threads:
        thread.start()
    try:
        yield told
    finally:
        is_over.set()
        for thread in threads:
            thread.join()


Store = Callable[[Department, Told, Sequence[Dataset]], bool]


def send_for_ever(department: Department, told: Told, is_over: threading.Event, store: Store) -> None:
    """One study after the other, each again and again until every instance was accepted, as modalities do."""
    while not is_over.is_set():
        send_one(department, told, is_over, store)
        is_over.wait(SEND_PAUSE_S)


def send_one(department: Department, told: Told, is_over: threading.Event, store: Store) -> str:
    """A new study of a new patient was accepted whole, unless it is over; its UID."""
    datasets = flair_datasets(head_volume(HEAD, SPACING_MM), patient_id=f"DRILL-{time.monotonic_ns()}")
    uid = str(datasets[0].StudyInstanceUID)
    while not is_over.is_set():
        if store(department, told, datasets):
            with told.lock:
                told.studies.append(uid)
            break
        is_over.wait(RESEND_PAUSE_S)
    return uid


def store_by_dimse(department: Department, told: Told, datasets: Sequence[Dataset]) -> bool:
    """Whether every instance was accepted by C-STORE."""
    entity = AE(ae_title="SCANNER")
    entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = 10
    entity.add_requested_context(MRImageStorage, ExplicitVRLittleEndian)
    association = entity.associate("127.0.0.1", department.ports["dicom"], ae_title="PLAQUEVIEW")
    if not association.is_established:
        return False
    count = 0
    with suppress(RuntimeError, ValueError):  # the association broke
        for dataset in datasets:
            status = association.send_c_store(dataset)
            if status.get("Status") == SUCCESS:
                told.accept(str(dataset.SOPInstanceUID))
                count += 1
    association.release() if association.is_established else association.abort()
    return count == len(datasets)


def store_by_web(department: Department, told: Told, datasets: Sequence[Dataset]) -> bool:
    """Whether every instance was accepted by STOW-RS."""
    contents = {str(dataset.SOPInstanceUID): encoded(dataset) for dataset in datasets}
    part = b"--drill\r\nContent-Type: application/dicom\r\n\r\n"
    body = b"".join(part + content + b"\r\n" for content in contents.values()) + b"--drill--\r\n"
    headers = {
        "Content-Type": 'multipart/related; type="application/dicom"; boundary=drill',
        "Accept": "application/dicom+json",
    }
    try:
        with department.client() as client:
            answer = client.post("/dicom-web/studies", content=body, headers=headers)
    except httpx.HTTPError:
        return False
    if answer.status_code != httpx.codes.OK:
        return False
    for uid in contents:
        told.accept(uid)
    return True


def read_for_ever(department: Department, told: Told, is_over: threading.Event) -> None:
    """The worklist, then the frames of a study, as a reader who scrolls."""
    with department.client() as client:
        while not is_over.is_set():
            for address in addresses(client, told):
                told.answered(well=is_answered(client, address))
                if is_over.wait(READ_PAUSE_S):
                    return


def addresses(client: httpx.Client, told: Told) -> Iterator[str]:
    yield "/api/v1/studies?page_size=20"
    with told.lock:
        study = told.studies[-1] if told.studies else None
    if study is None:
        return
    with suppress(httpx.HTTPError, ValueError, KeyError):
        root = f"/dicom-web/studies/{study}"
        answer = client.get(f"{root}/instances", headers={"Accept": "application/dicom+json"})
        for instance in answer.raise_for_status().json():
            series, uid = (instance[tag]["Value"][0] for tag in ("0020000E", "00080018"))
            yield f"{root}/series/{series}/instances/{uid}/frames/1"


def is_answered(client: httpx.Client, address: str) -> bool:
    try:
        return client.get(address).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def listen_for_ever(department: Department, is_over: threading.Event) -> None:
    """A page that is open, and connects again whenever it loses the feed."""
    headers = {"Authorization": f"Bearer {department.token}"}
    while not is_over.is_set():
        with (
            suppress(OSError, WebSocketException),
            connect(department.feed_url, additional_headers=headers, open_timeout=10, close_timeout=2) as socket,
        ):
            socket.send('{"type": "subscribe", "topic": "worklist"}')
            while not is_over.is_set():
                with suppress(TimeoutError):
                    socket.recv(timeout=0.5)
        is_over.wait(1.0)
