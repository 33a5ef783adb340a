"""Real worker processes, a real broker, and SIGKILL: the registration is run again, and its result is written once."""

from pathlib import Path

import numpy as np
import pytest

from inference_worker import tasks
from plaqueview.audit.models import AuditEvent, EventKind
from plaqueview.audit.services import verify_chain
from plaqueview.celery import celery_app
from plaqueview.imaging.volume import Volume
from plaqueview.longitudinal import services
from plaqueview.longitudinal.models import Registration, RegistrationState
from plaqueview.studies.models import Study
from tests.imaging.phantoms import axial_affine
from tests.inference.heads import settled_head
from tests.inference.processes import QUICK, SHORT_LEASE, inference_worker, kill, said, wait_until, worker
from tests.worker.support import head_volume

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

RUN_TIMEOUT_S = 240.0
SHAPE, SPACING_MM = (40, 96, 96), (3.2, 2.2, 2.2)
SHIFT_MM = (6.0, -4.0, 9.0)
MIDDLE_MM = (0.0, 0.0, 52.0, 1.0)  # of the head, which is so round that a little turn about it costs no likeness


@pytest.fixture
def log(tmp_path) -> Path:
    return tmp_path / "workers.log"


def two_visits(shape=SHAPE, spacing_mm=SPACING_MM) -> tuple[Study, Study]:
    """One head, pictured twice; the second time the table stood elsewhere."""
    head = head_volume(shape, spacing_mm)
    shifted = head.affine.copy()
    shifted[:3, 3] += SHIFT_MM
    prior = settled_head(Volume(head.voxels, shifted))
    return settled_head(head, site=prior.site), prior


def asked_for() -> Registration:
    study, prior = two_visits()
    return services.request(study_id=study.pk, prior_id=prior.pk, actor=None)


def wait_for_state(registration: Registration, state: RegistrationState, log: Path) -> None:
    def is_there() -> bool:
        registration.refresh_from_db()
        return registration.state == state

    wait_until(is_there, what=f"the registration to be {state}", log=log, timeout_s=RUN_TIMEOUT_S)


def require_one_result(registration: Registration) -> None:
    registration.refresh_from_db()
    assert (registration.state, registration.reason) == (RegistrationState.SUCCEEDED, "")
    matrix = np.array(registration.matrix).reshape(4, 4)
    assert (matrix @ MIDDLE_MM - MIDDLE_MM)[:3] == pytest.approx(SHIFT_MM, abs=SPACING_MM[1])
    assert registration.similarity > max(0.8, registration.similarity_before)
    assert AuditEvent.objects.filter(kind=EventKind.REGISTRATION_SUCCEEDED).count() == 1
    assert verify_chain().problems == ()


def test_the_task_finds_how_the_head_moved():
    registration = asked_for()

    tasks.register.apply(args=[str(registration.pk)], throw=True)

    require_one_result(registration)
    assert 0.0 < registration.seconds < RUN_TIMEOUT_S
    # No network has read the study: nobody knows where its brain is.
    assert (registration.brightening["note"], registration.brightening["spots"]) == (tasks.NO_BRAIN, [])


def test_what_cannot_be_registered_fails_with_a_reason():
    study, prior = two_visits()
    noise = np.random.default_rng(0).normal(100.0, 20.0, (20, 96, 96)).clip(0)
    other = settled_head(Volume(noise, axial_affine((6.0, 2.2, 2.2), (-100.0, -100.0, 0.0))), site=study.site)
    registration = services.request(study_id=other.pk, prior_id=prior.pk, actor=None)

    tasks.register.apply(args=[str(registration.pk)], throw=True)

    registration.refresh_from_db()
    assert (registration.state, registration.matrix) == (RegistrationState.FAILED, None)
    assert "they do not look like the same head" in registration.reason


def test_two_studies_that_were_received_are_read_and_registered(log, tmp_path):
    """From settling, by inference and the default queue, to the matrix; nobody asked for anything."""
    two_visits((12, 96, 96), (8.0, 2.2, 2.2))
    with inference_worker(log), worker("default", log=tmp_path / "default.log", **QUICK):
        wait_until(Registration.objects.exists, what="the request", log=log, timeout_s=RUN_TIMEOUT_S)
        wait_for_state(Registration.objects.get(), RegistrationState.SUCCEEDED, log)

    require_one_result(Registration.objects.get())


def test_a_registration_of_a_killed_worker_is_run_again(log):
    registration = asked_for()
    with inference_worker(log, **SHORT_LEASE) as first:
        wait_for_state(registration, RegistrationState.RUNNING, log)
        kill(first)
    registration.refresh_from_db()
    assert (registration.state, registration.matrix) == (RegistrationState.RUNNING, None)

    with inference_worker(log):
        wait_for_state(registration, RegistrationState.SUCCEEDED, log)

    require_one_result(registration)
    assert registration.attempts == 2


def test_a_registration_that_is_sent_many_times_is_run_once(log):
    registration = asked_for()
    for _ in range(3):
        celery_app.send_task("longitudinal.register", args=[str(registration.pk)], queue="inference")

    with inference_worker(log):
        wait_for_state(registration, RegistrationState.SUCCEEDED, log)
        # At least: on a slow machine the broker delivers the message of the one that runs once more.
        wait_until(lambda: said(log).count("has ended or is another worker's") >= 3, what="the copies", log=log)

    require_one_result(registration)
    assert registration.attempts == 1
