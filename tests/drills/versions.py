"""A department that runs an older version, under traffic, and becomes this one."""

import threading
import time

from django.db import connection

from tests.drills.department import ROOT, Department, commands, manage, python_path, wait_until
from tests.drills.traffic import Told, send_one, store_by_dimse, store_by_web

TIMEOUT_S = 400.0
OLD_ON_NEW_S = 20.0


def upgrade(department: Department, told: Told) -> None:
    """As `compose.yaml` has it: first the tables, while the older processes serve on, then each process."""
    take_and_read(department, told)
    before = told.failures
    started = time.monotonic()
    newer = {**department.environment, "PYTHONPATH": python_path(ROOT)}
    manage(department, "migrate", "--no-input", "--verbosity", "0", environment=newer)
    told.notes.append(f"the tables took {time.monotonic() - started:.0f} s")
    refused = told.refusals
    for _ in range(2):
        take_and_read(department, told)
    time.sleep(OLD_ON_NEW_S)
    assert told.failures == before, f"{told.failures - before} requests failed at the new tables: {told.reasons}"
    assert told.refusals == refused, f"{told.refusals - refused} times the new tables refused a study"
    for name, command in commands(department.ports).items():
        service = department.services[name]
        service.command, service.environment = command, newer
        service.restart()
        wait_until(department.is_ready, what=f"the newer {name}", timeout_s=TIMEOUT_S)
    told.notes.append(f"{told.failures - before} requests failed while the one web server was exchanged")


def take_and_read(department: Department, told: Told) -> None:
    """A study each by C-STORE and by STOW-RS is taken and read by the network, whatever the version."""
    for store in (store_by_dimse, store_by_web):
        uid = send_one(department, told, threading.Event(), store)
        wait_until(lambda uid=uid: is_ready(uid), what="a study to be read", timeout_s=TIMEOUT_S)


def is_ready(study_uid: str) -> bool:
    """In words that both versions' tables know."""
    connection.close()
    with connection.cursor() as cursor:
        cursor.execute("SELECT state FROM studies_study WHERE study_instance_uid = %s", [study_uid])
        return cursor.fetchone() == ("ready",)
