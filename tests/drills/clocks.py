"""One service's clock after the other is set an hour ahead, and an hour back."""

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from plaqueview.inference.models import InferenceJob
from tests.drills.department import Department, wait_until
from tests.drills.findings import connection, is_read
from tests.drills.traffic import Told, send_one, store_by_dimse

SOURCE = Path(__file__).with_name("wrong_clock.c")
TIMEOUT_S = 300.0
HOUR = "3600"
SET = ("web", "dicom", "tasks", "clock", "inference")


@contextmanager
def with_clocks_to_set(department: Department) -> Iterator[Department]:
    """Within, each service looks for its time in a file of its own; the machine's clock stays as it is."""
    library = department.folder / "wrong_clock.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, SOURCE, "-ldl"], check=True)
    services = [department.services[name] for name in SET]
    kept = [service.environment for service in services]
    for service in services:
        set_clock(department, service.name, "0")
        service.environment = {
            **service.environment,
            "LD_PRELOAD": str(library),
            "DRILL_CLOCK": str(clock_file(department, service.name)),
        }
        service.restart()
    wait_until(department.is_ready, what="services with clocks to set", timeout_s=TIMEOUT_S)
    try:
        yield department
    finally:
        for service, environment in zip(services, kept, strict=True):
            service.environment = environment
            service.restart()
        wait_until(department.is_ready, what="services as before", timeout_s=TIMEOUT_S)


def set_clocks(department: Department, told: Told) -> None:
    """Studies are read in their usual time whichever clock is wrong, and no job dies of it."""
    for name in SET:
        for sign in "+-":
            set_clock(department, name, f"{sign}{HOUR}")
            seconds = seconds_to_read(department, told)
            told.notes.append(f"{name} {sign}1 h: {seconds:.0f} s")
        set_clock(department, name, "0")
        seconds = seconds_to_read(department, told)
        told.notes.append(f"{name} right again: {seconds:.0f} s")
    connection.close()
    tries = max(InferenceJob.objects.values_list("attempts", flat=True))
    told.notes.append(f"at most {tries} tries for a job")


def seconds_to_read(department: Department, told: Told) -> float:
    uid = send_one(department, told, threading.Event(), store_by_dimse)
    return wait_until(lambda: is_read(uid), what="a study to be read", timeout_s=TIMEOUT_S)


def set_clock(department: Department, name: str, offset: str) -> None:
    """Another file in its place, so that nobody reads half of one."""
    draft = clock_file(department, name).with_suffix(".new")
    draft.write_text(f"{offset}\n")
    draft.replace(clock_file(department, name))


def clock_file(department: Department, name: str) -> Path:
    return department.folder / f"{name}.time"
