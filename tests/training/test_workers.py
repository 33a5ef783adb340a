"""Who works on what: told to administrators, of their own sites."""

from datetime import timedelta

import pytest
from django.utils import timezone

from plaqueview.accounts.services import create_site
from plaqueview.core import workers
from plaqueview.core.access import Role
from plaqueview.core.gpus import Gpu
from plaqueview.core.queue import LAST, enqueue
from tests.accounts.people import make_user, token_client
from tests.inference.scenes import claimed, make_study

pytestmark = pytest.mark.django_db


def heard(name: str, queue: str, *, seconds_ago: float) -> None:
    now = timezone.now()
    device = "cpu" if queue == "inference" else ""
    workers.tell(workers.Worker(name, (queue,), device, now - timedelta(hours=1), now - timedelta(seconds=seconds_ago)))


def test_the_gpus_of_a_worker_are_told_with_what_is_free_of_them():
    now = timezone.now()
    gpu = Gpu("NVIDIA H200", memory_bytes=141 * 2**30, free_bytes=120 * 2**30)
    workers.tell(workers.Worker("training@here", ("training",), "cuda", now, now, (gpu,)))

    (told,) = token_client(make_user(Role.ADMIN)).get("/api/v1/workers").json()["workers"]

    assert (told["device"], told["gpus"]) == (
        "cuda",
        [{"name": "NVIDIA H200", "memory_bytes": 141 * 2**30, "free_bytes": 120 * 2**30}],
    )


def test_an_administrator_sees_queues_workers_and_their_errands(django_capture_on_commit_callbacks):
    study = make_study()
    claim = claimed(study, worker="inference@here:77")
    heard("inference@here", "inference", seconds_ago=-3600.0)  # whatever the machine does meanwhile
    heard("default@here", "default", seconds_ago=60.0)
    heard("default@before", "default", seconds_ago=25 * 3600.0)
    with django_capture_on_commit_callbacks(execute=True):
        enqueue("any.task", queue="inference")
        enqueue("any.task", queue="inference", priority=LAST)

    told = token_client(make_user(Role.ADMIN, site=study.site)).get("/api/v1/workers").json()

    assert told["queues"] == [
        {"name": "default", "waiting": 0},
        {"name": "inference", "waiting": 2},
        {"name": "training", "waiting": 0},
    ]
    silent, busy = told["workers"]
    assert (silent["name"], silent["is_alive"], silent["errands"]) == ("default@here", False, [])
    assert (busy["name"], busy["is_alive"], busy["device"]) == ("inference@here", True, "cpu")
    (errand,) = busy["errands"]
    assert (errand["kind"], errand["id"], errand["study"]) == ("inference", str(claim.job_id), str(study.pk))
    stranger = token_client(make_user(Role.ADMIN, site=create_site(name="Elsewhere")))
    assert [worker["errands"] for worker in stranger.get("/api/v1/workers").json()["workers"]] == [[], []]
    assert token_client(make_user(Role.NEUROLOGIST, site=study.site)).get("/api/v1/workers").status_code == 403
