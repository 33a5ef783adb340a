"""What goes on while a drill strikes: modalities that send, readers who read, and what each of them was told."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import httpx
from pydicom.dataset import Dataset
from pynetdicom import AE
from pynetdicom.sop_class import MRImageStorage
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from tests.drills.department import Department
from tests.inference.heads import flair_datasets
from tests.studies.dicom_files import encoded
from tests.worker.support import head_volume

HEAD = (12, 96, 96)
SPACING_MM = (5.0, 2.2, 2.2)
RESEND_PAUSE_S = 0.5
SUCCESS = 0x0000
REASONS_KEPT = 5


@dataclass(frozen=True)
class Load:
    """Who is there: modalities that send by C-STORE and by STOW-RS, readers, administrators, and open pages."""

    dimse_senders: int = 1
    web_senders: int = 1
    readers: int = 3
    admins: int = 0
    pages: int = 10
    send_pause_s: float = 20.0
    read_pause_s: float = 0.2


QUIET_DAY = Load()


@dataclass
class Told:
    """What the department has said: instances that it accepted, and requests that failed.

    `latencies_s` are of the requests that were answered well, by kind; `gaps_s` are how long an open page was without
    its feed, each time that it lost it.
    """

    accepted: set[str] = field(default_factory=set)
    studies: list[str] = field(default_factory=list)
    requests: int = 0
    failures: int = 0
    refusals: int = 0
    reasons: list[str] = field(default_factory=list)
    latencies_s: dict[str, list[float]] = field(default_factory=dict)
    gaps_s: list[float] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def accept(self, uid: str) -> None:
        with self.lock:
            self.accepted.add(uid)

    def refuse(self) -> None:
        """A modality was told to come again, or was told nothing."""
        with self.lock:
            self.refusals += 1

    def answered(self, kind: str, seconds: float, reason: str) -> None:
        """A reader's request ended; without a reason it was answered well."""
        with self.lock:
            self.requests += 1
            if not reason:
                self.latencies_s.setdefault(kind, []).append(seconds)
                return
            self.failures += 1
            if len(self.reasons) < REASONS_KEPT:
                self.reasons.append(f"{kind}: {reason}")

    def lost_its_feed(self, seconds: float) -> None:
        with self.lock:
            self.gaps_s.append(seconds)


@contextmanager
def traffic(department: Department, load: Load = QUIET_DAY) -> Iterator[Told]:
    """Within, modalities send, readers read, and pages listen to the feed."""
    told, is_over = Told(), threading.Event()
    parts: list[tuple[Callable[..., None], tuple[object, ...]]] = [
        *[(send_for_ever, (load, store_by_dimse))] * load.dimse_senders,
        *[(send_for_ever, (load, store_by_web))] * load.web_senders,
        *[(read_for_ever, (load,))] * load.readers,
        *[(administer_for_ever, (load,))] * load.admins,
        *[(listen_for_ever, ())] * load.pages,
    ]
    threads = [threading.Thread(target=part, args=(department, told, is_over, *how)) for part, how in parts]
    with at_work(threads, is_over):
        yield told


@contextmanager
def at_work(threads: Sequence[threading.Thread], is_over: threading.Event) -> Iterator[None]:
    """Within, they work; after that they are told that it is over, and waited for."""
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        is_over.set()
        for thread in threads:
            thread.join()


Store = Callable[[Department, Told, Sequence[Dataset]], bool]


def send_for_ever(department: Department, told: Told, is_over: threading.Event, load: Load, store: Store) -> None:
    """One study after the other, each again and again until every instance was accepted, as modalities do."""
    while not is_over.is_set():
        send_one(department, told, is_over, store)
        is_over.wait(load.send_pause_s)


def send_one(department: Department, told: Told, is_over: threading.Event, store: Store) -> str:
    """A new study of a new patient was accepted whole, unless it is over; its UID."""
    return send_datasets(department, told, is_over, new_study(), store)


def new_study() -> list[Dataset]:
    """Of a new patient, small."""
    return flair_datasets(head_volume(HEAD, SPACING_MM), patient_id=f"DRILL-{time.monotonic_ns()}")


def send_datasets(
    department: Department, told: Told, is_over: threading.Event, datasets: Sequence[Dataset], store: Store
) -> str:
    """The study was accepted whole, unless it is over; its UID."""
    uid = str(datasets[0].StudyInstanceUID)
    while not is_over.is_set():
        if store(department, told, datasets):
            with told.lock:
                told.studies.append(uid)
            break
        told.refuse()
        is_over.wait(RESEND_PAUSE_S)
    return uid


def store_by_dimse(department: Department, told: Told, datasets: Sequence[Dataset]) -> bool:
    """Whether every instance was accepted by C-STORE."""
    entity = AE(ae_title="SCANNER")
    entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = 10
    entity.add_requested_context(MRImageStorage, datasets[0].file_meta.TransferSyntaxUID)
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
    try:
        with department.client() as client:
            answer = client.post("/dicom-web/studies", content=stow_body(contents.values()), headers=STOW_HEADERS)
    except httpx.HTTPError:
        return False
    if answer.status_code != httpx.codes.OK:
        return False
    for uid in contents:
        told.accept(uid)
    return True


STOW_HEADERS = {
    "Content-Type": 'multipart/related; type="application/dicom"; boundary=drill',
    "Accept": "application/dicom+json",
}


def stow_body(contents: Iterable[bytes]) -> bytes:
    part = b"--drill\r\nContent-Type: application/dicom\r\n\r\n"
    return b"".join(part + content + b"\r\n" for content in contents) + b"--drill--\r\n"


def read_for_ever(department: Department, told: Told, is_over: threading.Event, load: Load) -> None:
    """The worklist, then the frames of a study, as a reader who scrolls."""
    with department.client() as client:
        while not is_over.is_set():
            ask("worklist", client, WORKLIST, told)
            for address in frame_addresses(client, told):
                ask("frame", client, address, told)
                if is_over.wait(load.read_pause_s):
                    return
            is_over.wait(load.read_pause_s)


WORKLIST = "/api/v1/studies?page_size=20"
OF_ADMINS = ("/api/v1/audit?page_size=50", "/api/v1/jobs?page_size=50", "/api/v1/models", "/api/v1/runs", WORKLIST)


def administer_for_ever(department: Department, told: Told, is_over: threading.Event, load: Load) -> None:
    """Pages of the audit, the jobs, the models and the runs, one a second."""
    with department.client() as client:
        while not is_over.is_set():
            for address in OF_ADMINS:
                ask("administration", client, address, told)
                if is_over.wait(load.read_pause_s * 5):
                    return


def frame_addresses(client: httpx.Client, told: Told) -> Iterator[str]:
    """Those of the newest study; none when it cannot be told."""
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


def ask(kind: str, client: httpx.Client, address: str, told: Told) -> None:
    """The department was asked, and what came of it is noted."""
    started = time.monotonic()
    try:
        status = client.get(address).status_code
        reason = "" if status == httpx.codes.OK else str(status)
    except httpx.HTTPError as error:
        reason = f"{type(error).__name__} {error}"
    told.answered(kind, time.monotonic() - started, reason)


def listen_for_ever(department: Department, told: Told, is_over: threading.Event) -> None:
    """A page that is open, and connects again whenever it loses the feed."""
    lost_at: float | None = None
    while not is_over.is_set():
        with (
            suppress(OSError, WebSocketException),
            connect(department.feed_url, **department.feed_options, open_timeout=10, close_timeout=2) as socket,
        ):
            socket.send('{"type": "subscribe", "topic": "worklist"}')
            socket.recv(timeout=10)
            if lost_at is not None:
                told.lost_its_feed(time.monotonic() - lost_at)
            lost_at = None
            while not is_over.is_set():
                with suppress(TimeoutError):
                    socket.recv(timeout=0.5)
        lost_at = lost_at or time.monotonic()
        is_over.wait(1.0)
