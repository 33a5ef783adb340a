"""Messages of the queue `training`: a lost one is sent again, and one that waits is not sent a second time."""

from datetime import timedelta

import pytest
from django.utils import timezone

from plaqueview.core.queue import TRAINING_QUEUE
from plaqueview.core.workers import waiting_by_queue
from plaqueview.registry.models import ModelVersion, Origin
from plaqueview.registry.services import NewModel, register_new
from plaqueview.training import services
from plaqueview.training.models import Evaluation, TrainingRun
from plaqueview.training.recipe import Recipe
from tests.inference.scenes import make_model
from tests.training.scenes import make_admin, ready_snapshot

pytestmark = pytest.mark.django_db


@pytest.fixture
def asked(django_capture_on_commit_callbacks) -> tuple[TrainingRun, Evaluation]:
    """A run and an evaluation, each with its message in a real broker, which no worker serves."""
    make_model()
    admin = make_admin()
    snapshot = ready_snapshot(admin)
    new = NewModel("phantom-reader", "elsewhere-1", "e" * 64, "five-steps-1", "# A card", {}, "", "models/ee/ee", "")
    candidate: ModelVersion = register_new(new, origin=Origin.IMPORTED)
    with django_capture_on_commit_callbacks(execute=True):
        run = services.request_run(snapshot_id=snapshot.pk, recipe=Recipe(steps=10), actor=admin)
        evaluation = services.request_evaluation(model_id=candidate.pk, actor=admin)
    return run, evaluation


@pytest.fixture
def tend_a_minute_later(django_capture_on_commit_callbacks):
    """The clock's errand, once every row has waited for more than a minute."""

    def tend() -> None:
        for rows in (TrainingRun.objects, Evaluation.objects):
            rows.update(modified=timezone.now() - timedelta(seconds=61))
        with django_capture_on_commit_callbacks(execute=True):
            services.tend()

    return tend


def waiting() -> int:
    return waiting_by_queue()[TRAINING_QUEUE]


def test_what_waits_already_is_not_announced_again(asked, tend_a_minute_later):
    for _ in range(3):
        tend_a_minute_later()

    assert waiting() == 2


def test_what_waits_behind_a_long_run_is_not_announced_again(asked, tend_a_minute_later, empty_broker):
    run, _ = asked
    empty_broker.flushall()  # the worker has taken both messages: one it works on, one it holds back
    services.claim_run(run_id=run.pk, worker="worker-1", device="cpu")

    tend_a_minute_later()

    assert waiting() == 0


def test_what_was_lost_is_announced_again(asked, tend_a_minute_later, empty_broker):
    empty_broker.flushall()

    tend_a_minute_later()
    tend_a_minute_later()

    assert waiting() == 2
