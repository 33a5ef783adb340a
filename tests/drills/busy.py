"""A busy department: eight senders, twenty readers, two administrators, and a network that learns meanwhile."""

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import httpx

from plaqueview.accounts.models import Site
from plaqueview.training.models import RunState
from tests.drills.department import Department, commands, wait_until
from tests.drills.findings import connection
from tests.drills.traffic import Load, Told
from tests.training.scenes import import_cases

BUSY = Load(dimse_senders=4, web_senders=4, readers=20, admins=2, pages=20, send_pause_s=120.0)
MINUTES = float(os.environ.get("DRILL_MINUTES", "10"))
CASES = tuple(f"CASE-{number}" for number in range(12))
QUARTERS = 4
TIMEOUT_S = 300.0


@contextmanager
def with_training(department: Department) -> Iterator[Department]:
    """Within, the worker of `compose.yaml`'s profile `training` runs too."""
    service = department.service("training", commands(department.ports, ("training",))["training"])
    department.services["training"] = service
    service.start()
    try:
        yield department
    finally:
        service.stop()
        del department.services["training"]


def work_for_long(department: Department, told: Told) -> None:
    """No request fails, and no process grows."""
    before = told.failures
    with department.client() as client, learning(department, client, told):
        for quarter in range(1, QUARTERS + 1):
            time.sleep(MINUTES * 60.0 / QUARTERS)
            told.notes.append(f"quarter {quarter}: {memory_of(department)}, load {os.getloadavg()[0]:.1f}")
    assert told.failures == before, f"{told.failures - before} requests failed: {told.reasons}"


def memory_of(department: Department) -> str:
    resident = {name: service.resident_bytes() / 2**20 for name, service in department.services.items()}
    return ", ".join(f"{name} {size:.0f} MB" for name, size in resident.items())


@contextmanager
def learning(department: Department, client: httpx.Client, told: Told) -> Iterator[None]:
    """Within, a run learns from twelve patients; it is cancelled afterwards, if it has not ended."""
    import_cases(department.folder / "cases", *CASES, site=Site.objects.get())
    connection.close()
    snapshot = made(client, "/api/v1/snapshots", {})
    is_made = {"ready", "failed"}.__contains__
    wait_until(lambda: is_made(state_of(client, snapshot)), what="the snapshot", timeout_s=TIMEOUT_S)
    wanted = {"snapshot": snapshot.rsplit("/", 1)[-1], "max_minutes": int(MINUTES) + 5}
    run = made(client, "/api/v1/runs", wanted)
    wait_until(lambda: state_of(client, run) == RunState.RUNNING, what="the run to begin", timeout_s=TIMEOUT_S)
    try:
        yield
    finally:
        shown = client.get(run).json()
        told.notes.append(f"the run is {shown['state']} at step {shown.get('step')}")
        client.post(f"{run}/cancel")


def made(client: httpx.Client, address: str, wanted: Mapping[str, object]) -> str:
    answer = client.post(address, json=wanted)
    assert answer.is_success, f"{address}: {answer.text}"
    return answer.headers["Location"]


def state_of(client: httpx.Client, address: str) -> str:
    return str(client.get(address).json()["state"])
