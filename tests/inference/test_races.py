"""Many workers and one job, on real connections: exactly one of them gets it, exactly one result is kept."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from plaqueview.annotations.models import Annotation
from plaqueview.audit.services import verify_chain
from plaqueview.core.access import Role
from plaqueview.core.errors import ConflictError
from plaqueview.inference import services
from plaqueview.inference.models import InferenceJob
from plaqueview.studies.models import Study
from tests.accounts.people import make_user
from tests.inference.scenes import claimed, make_model, make_study, segmentation

pytestmark = pytest.mark.django_db(transaction=True)

WORKERS = 6


@pytest.fixture
def study() -> Study:
    return make_study()


def all_at_once(*works: Callable[[], object]) -> list[object]:
    """What each work returned, or the conflict that it raised, when all of them start together."""
    barrier = Barrier(len(works))

    def run(work: Callable[[], object]) -> object:
        barrier.wait()
        try:
            return work()
        except ConflictError as conflict:
            return conflict
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as threads:
        return list(threads.map(run, works))


def test_one_of_many_workers_claims_the_job(study):
    job = services.request(study_id=study.pk, actor=None)
    model = make_model()

    claims = all_at_once(
        *(
            lambda name=f"worker-{number}": services.claim(job_id=job.pk, worker=name, model_id=model.pk)
            for number in range(WORKERS)
        )
    )

    assert sum(claim is not None for claim in claims) == 1
    assert InferenceJob.objects.get().attempts == 1


def test_many_requests_at_once_are_one_job(study):
    jobs = all_at_once(*[lambda: services.request(study_id=study.pk, actor=None)] * WORKERS)

    assert {job.pk for job in jobs} == {InferenceJob.objects.get().pk}


def test_a_result_that_is_delivered_many_times_is_kept_once(study):
    claim = claimed(study)
    content = segmentation()

    endings = all_at_once(*[lambda: services.complete(claim, segmentation=content)] * WORKERS)

    assert sum(isinstance(ending, Annotation) for ending in endings) == 1
    assert Annotation.objects.count() == 1
    assert verify_chain().problems == ()


def test_a_cancellation_and_a_result_at_once_leave_one_ending(study):
    claim = claimed(study)
    reader = make_user(Role.NEUROLOGIST, site=study.site)
    content = segmentation()

    all_at_once(
        lambda: services.complete(claim, segmentation=content),
        lambda: services.cancel(job_id=claim.job_id, actor=reader),
    )

    job = InferenceJob.objects.get()
    assert job.state in {"succeeded", "cancelled"}
    assert Annotation.objects.count() == (1 if job.state == "succeeded" else 0)
