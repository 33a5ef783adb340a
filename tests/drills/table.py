"""The drills: what is done to the processes of a department, and when it has come back."""

import os
import shutil
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from typing import Final

from plaqueview.inference.models import InferenceJob, JobState
from plaqueview.launcher.broker import wait_for_broker
from tests.drills.busy import BUSY, MINUTES, with_training, work_for_long
from tests.drills.clocks import set_clocks, with_clocks_to_set
from tests.drills.department import DISK_RESERVE_BYTES, Department, wait_until
from tests.drills.findings import is_read, running_job
from tests.drills.front import behind_nginx
from tests.drills.huge import send_huge_series, with_little_memory
from tests.drills.pages import DEAF_PAGES, PAGES, open_many_pages
from tests.drills.rolling import BUSY_DAY, restart_one_after_the_other
from tests.drills.slow import CALLERS_OF_A_KIND, hold_slowly
from tests.drills.traffic import QUIET_DAY, Load, Told, send_one, store_by_dimse
from tests.drills.versions import upgrade

RECOVERY_TIMEOUT_S = 300.0
AWAY_S = 60.0
SLOW_CALLERS = 200
POISON_TRIES = 3


@dataclass(frozen=True)
class Drill:
    """`strike` does it and returns when the department is as it was again."""

    name: str
    what: str
    strike: Callable[[Department, Told], None]
    load: Load = QUIET_DAY
    place: Callable[[Department], AbstractContextManager[Department]] = nullcontext


def come_back(department: Department) -> None:
    wait_until(department.is_ready, what="the department to be ready again", timeout_s=RECOVERY_TIMEOUT_S)


def send_and_read(department: Department, told: Told) -> None:
    """A study that is sent now was received, settled and read by the network: every part does its work."""
    uid = send_one(department, told, threading.Event(), store_by_dimse)
    wait_until(lambda: is_read(uid), what="the next study to be read", timeout_s=RECOVERY_TIMEOUT_S)


def do_nothing(department: Department, _: Told) -> None:
    come_back(department)


def kill(name: str) -> Callable[[Department, Told], None]:
    """The service and its children by SIGKILL."""

    def strike(department: Department, _: Told) -> None:
        department.services[name].kill()
        time.sleep(0.2)
        come_back(department)

    return strike


def kill_inference(department: Department, _: Told) -> None:
    """In the middle of a job, which then succeeds."""
    job = network_job()
    department.services["inference"].kill()
    wait_until(lambda: has_ended(job), what="the job to end", timeout_s=RECOVERY_TIMEOUT_S)
    come_back(department)


def poison(department: Department, _: Told) -> None:
    """The worker dies each time that it holds this study, as by the kernel when memory is out; others go on."""
    job = network_job()
    for _ in range(POISON_TRIES):
        wait_until(lambda: is_held(job) or has_ended(job), what="the job to be taken", timeout_s=RECOVERY_TIMEOUT_S)
        if has_ended(job):
            break
        department.services["inference"].kill()
        wait_until(lambda: not is_held(job), what="its lease to end", timeout_s=RECOVERY_TIMEOUT_S)
    wait_until(lambda: has_ended(job), what="the job to end", timeout_s=RECOVERY_TIMEOUT_S)
    job.refresh_from_db()
    assert job.state == JobState.FAILED, f"the job that kills its worker is {job.state}"
    come_back(department)


def network_job() -> InferenceJob:
    """A job whose network runs at this moment."""
    found: list[InferenceJob] = []

    def is_there() -> bool:
        job = running_job()
        found.extend([job] if job else [])
        return bool(found)

    wait_until(is_there, what="a job that runs", timeout_s=RECOVERY_TIMEOUT_S)
    return found[0]


def has_ended(job: InferenceJob) -> bool:
    job.refresh_from_db()
    return job.state in {JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED}


def is_held(job: InferenceJob) -> bool:
    job.refresh_from_db()
    return job.state == JobState.RUNNING


def kill_broker(*, forgets: bool) -> Callable[[Department, Told], None]:
    """The broker by SIGKILL; with its files, or with none, as after the loss of its disk."""

    def strike(department: Department, _: Told) -> None:
        department.broker.kill()
        if forgets:
            for folder in (department.folder / "broker").glob("appendonlydir"):
                shutil.rmtree(folder, ignore_errors=True)
        wait_for_broker(department.broker_settings)
        come_back(department)

    return strike


def keep_broker_away(department: Department, _: Told) -> None:
    department.broker.stop()
    time.sleep(AWAY_S)
    department.broker.start()
    come_back(department)


def kill_database(department: Department, _: Told) -> None:
    """All of its processes by SIGKILL, then a start that recovers from its log."""
    os.kill(department.database.process_id, signal.SIGKILL)
    start_database(department)
    come_back(department)


def keep_database_away(department: Department, _: Told) -> None:
    department.database.stop()
    time.sleep(AWAY_S)
    start_database(department)
    come_back(department)


def start_database(department: Department) -> None:
    """Its last processes let go of its memory a moment after they were killed."""

    def starts() -> bool:
        with suppress(Exception):
            department.database.start()
            return True
        return False

    wait_until(starts, what="the database to start", timeout_s=RECOVERY_TIMEOUT_S)


def fill_disk(department: Department, told: Told) -> None:
    """Nothing is accepted while less is free than the reserve; readers go on; then it is taken again."""
    ballast = department.storage / "ballast"
    with ballast.open("wb") as file:
        free = shutil.disk_usage(department.storage).free
        os.posix_fallocate(file.fileno(), 0, free - DISK_RESERVE_BYTES // 2)
    try:
        time.sleep(5.0)
        before = len(told.accepted)
        time.sleep(AWAY_S / 3)
        assert len(told.accepted) == before, "instances were accepted while the disk was full"
    finally:
        ballast.unlink()
    come_back(department)


def hold_lines(department: Department, _: Told) -> None:
    """200 callers who send a request's first line and then nothing, for a minute."""
    with unfinished_requests(department.ports["web"], SLOW_CALLERS):
        time.sleep(AWAY_S / 2)
        come_back(department)


@contextmanager
def unfinished_requests(port: int, count: int) -> Iterator[None]:
    sockets = [socket.create_connection(("127.0.0.1", port), timeout=10) for _ in range(count)]
    for one in sockets:
        one.sendall(b"GET /api/v1/studies HTTP/1.1\r\n")
    try:
        yield
    finally:
        for one in sockets:
            one.close()


def restart_each(department: Department, _: Told) -> None:
    """An upgrade's SIGTERM to one service after the other, each waited for."""
    for service in department.services.values():
        service.restart()
        time.sleep(0.2)
        come_back(department)


DRILLS: Final[Mapping[str, Drill]] = {
    drill.name: drill
    for drill in (
        Drill("nothing", "nothing: what the other rows are to be held against", do_nothing),
        Drill("web", "SIGKILL of the web server and its workers", kill("web")),
        Drill("feed", "SIGKILL of the feed's server with open pages", kill("feed")),
        Drill("inference", "SIGKILL of the inference worker in the middle of a job", kill_inference),
        Drill("tasks", "SIGKILL of the worker of short tasks", kill("tasks")),
        Drill("clock", "SIGKILL of the clock", kill("clock")),
        Drill("dicom", "SIGKILL of the DICOM listener", kill("dicom")),
        Drill("broker", "SIGKILL of the broker", kill_broker(forgets=False)),
        Drill("broker_loss", "SIGKILL of the broker, and its files lost", kill_broker(forgets=True)),
        Drill("broker_away", f"no broker for {AWAY_S:g} s", keep_broker_away),
        Drill("database", "SIGKILL of PostgreSQL", kill_database),
        Drill("database_away", f"no PostgreSQL for {AWAY_S:g} s", keep_database_away),
        Drill("disk", "a full disk, then space again", fill_disk),
        Drill("slow_callers", f"{SLOW_CALLERS} callers who never finish a request", hold_lines),
        Drill("poison", "a study that kills its worker each time", poison),
        Drill("upgrade", "SIGTERM to one service after the other", restart_each),
        Drill(
            "rolling",
            "two web servers and two feeds behind nginx, restarted one after the other",
            restart_one_after_the_other,
            load=BUSY_DAY,
            place=behind_nginx,
        ),
        Drill(
            "huge",
            "series larger than the memory of the worker",
            send_huge_series,
            load=Load(send_pause_s=60.0),
            place=with_little_memory,
        ),
        Drill("pages", f"{PAGES} open pages, and {DEAF_PAGES} that never read what they asked for", open_many_pages),
        Drill(
            "slow_lines",
            f"{CALLERS_OF_A_KIND} callers each with half a head, a slow body, and a slow download, behind nginx",
            hold_slowly,
            place=behind_nginx,
        ),
        Drill(
            "clocks",
            "one service's clock after the other an hour ahead, an hour back, and right again",
            set_clocks,
            load=Load(send_pause_s=60.0),
            place=with_clocks_to_set,
        ),
        Drill(
            "versions",
            "an older version whose tables and then whose processes become those of this",
            upgrade,
            load=Load(send_pause_s=60.0),
        ),
        Drill(
            "busy",
            f"nothing for {MINUTES:g} minutes but work: 8 senders, 20 readers, 2 administrators, a run that learns",
            work_for_long,
            load=BUSY,
            place=with_training,
        ),
    )
}
