"""A search for uptake is asked for once, belongs to one worker at a time, and stays right when lesions are edited."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from plaqueview.accounts.services import create_site
from plaqueview.audit.models import AuditEvent
from plaqueview.core.access import Role
from plaqueview.core.errors import ConflictError, NotFoundError
from plaqueview.core.leases import ClaimLostError
from plaqueview.enhancement import services
from plaqueview.enhancement.models import Enhancement, EnhancementState
from plaqueview.enhancement.places import places_from
from plaqueview.inference import services as inference
from tests.accounts.people import make_user
from tests.annotations.scenes import transactions_at_masks
from tests.enhancement.visits import NO_PAIR_REASON, choose_pair, claimed, enhanced, found_in, visit
from tests.inference.scenes import choose_flair, make_study, segmentation
from tests.inference.scenes import claimed as claimed_job
from tests.longitudinal.visits import LASTING, NEW, OLD, read_with

pytestmark = pytest.mark.django_db

# A vessel that runs through the lesion and on, and an uptake well inside it.
INSIDE, BESIDE = (LASTING[0], 2.5), ((0.0, -8.0, 0.0), 3.0)


def read_visit():
    study = visit()
    read_with(study, OLD, LASTING)
    return study


def kinds_on_record() -> list[str]:
    events = AuditEvent.objects.filter(object_type="enhancement").order_by("sequence")
    return list(events.values_list("kind", flat=True))


def lapse(claim: services.Claim) -> None:
    Enhancement.objects.filter(pk=claim.enhancement_id).update(lease_expires_at=timezone.now() - timedelta(seconds=1))


def lesions_by(study, annotation=None) -> list[int]:
    reader = make_user(Role.NEUROLOGIST, site=study.site)
    version_id = annotation and annotation.pk
    return sorted(services.read_uptakes(study_id=study.pk, annotation_id=version_id, actor=reader).lesions)


def test_it_is_asked_for_once_queued_sent_announced_and_on_record(
    sent_tasks, announced, django_capture_on_commit_callbacks
):
    study = read_visit()
    sent_tasks.clear()

    with django_capture_on_commit_callbacks(execute=True):
        services.request_for_study(study.pk)
        services.request_for_study(study.pk)

    row = Enhancement.objects.get()
    pair = study.series_choice["t1_pair"]
    assert (row.state, row.flair_series) == ("queued", study.flair_series)
    assert {"before": str(row.before_series_id), "after": str(row.after_series_id)}.items() <= pair.items()
    assert sent_tasks == [("enhancement.find", (str(row.pk),), "inference")]
    assert announced == [
        {
            "type": "enhancement.changed",
            "study": str(study.pk),
            "enhancement": str(row.pk),
            "state": "queued",
            "topics": (f"study.{study.pk}",),
            "site_id": study.site_id,
        }
    ]
    assert kinds_on_record() == ["enhancement.requested"]


def test_a_prediction_names_the_task_that_asks(sent_tasks, django_capture_on_commit_callbacks):
    study = make_study()

    with django_capture_on_commit_callbacks(execute=True):
        inference.complete(claimed_job(study), segmentation=segmentation())

    assert ("enhancement.request_for_study", (str(study.pk),), "default") in sent_tasks


def test_nothing_is_asked_of_a_study_without_lesions_or_pair_and_a_user_hears_why():
    unread, unpaired, old = visit(uid="1"), make_study(uid="2"), make_study(uid="3")
    choose_pair(unpaired, {"before": None, "after": None, "reason": NO_PAIR_REASON})
    for study in (unpaired, old):
        read_with(study, OLD)

    for study, why in (
        (unread, "nothing has read the study yet"),
        (unpaired, NO_PAIR_REASON),
        (old, "earlier release"),
    ):
        services.request_for_study(study.pk)
        with pytest.raises(ConflictError, match=why):
            services.request(study_id=study.pk, actor=make_user(Role.NEUROLOGIST, site=study.site))

    assert Enhancement.objects.count() == 0


def test_another_site_cannot_ask():
    study = read_visit()

    with pytest.raises(NotFoundError):
        services.request(study_id=study.pk, actor=make_user(Role.ADMIN, site=create_site(name="Elsewhere")))

    assert Enhancement.objects.count() == 0


def test_a_series_that_grew_is_compared_anew():
    study = read_visit()
    enhanced(study, INSIDE)
    choose_flair(study, study.flair_series, content="with one slice more")

    services.request_for_study(study.pk)

    assert list(Enhancement.objects.values_list("state", flat=True)) == ["queued", "succeeded"]


def test_one_worker_holds_it_at_a_time_and_its_result_is_written_once():
    study = read_visit()
    claim = claimed(study, worker="inference@here:7")

    assert services.claim(enhancement_id=claim.enhancement_id, worker="another") is None
    services.renew(claim)
    services.complete(claim, found=found_in(INSIDE))

    row = Enhancement.objects.get()
    assert (row.state, row.worker, row.similarity, row.lease_token) == ("succeeded", "inference@here:7", 0.9, None)
    assert places_from(row.places) == found_in(INSIDE).places
    for late in (lambda: services.complete(claim, found=found_in()), lambda: services.renew(claim)):
        with pytest.raises(ClaimLostError):
            late()
    assert kinds_on_record() == ["enhancement.requested", "enhancement.succeeded"]


def test_what_failed_is_tried_again_for_a_user_and_not_for_the_system():
    study = read_visit()
    services.fail(claimed(study), reason="No head was found.")

    services.request_for_study(study.pk)
    assert (Enhancement.objects.get().state, Enhancement.objects.get().reason) == ("failed", "No head was found.")

    services.request(study_id=study.pk, actor=make_user(Role.INTEGRATOR, site=study.site))
    assert (Enhancement.objects.get().state, Enhancement.objects.get().reason) == ("queued", "")


def test_what_is_put_back_waits_with_the_reason_and_as_many_attempts_as_before():
    study = read_visit()
    claim = claimed(study)

    services.put_back(claim, reason="the storage bucket refuses: SlowDown")

    row = Enhancement.objects.get()
    assert (row.state, row.attempts, row.lease_token, row.finished_at) == ("queued", 0, None, None)
    assert row.reason == "the storage bucket refuses: SlowDown; it is tried again by itself"
    services.complete(services.claim(enhancement_id=row.pk, worker="worker-2"), found=found_in(INSIDE))
    assert (Enhancement.objects.get().state, Enhancement.objects.get().reason) == ("succeeded", "")


def test_the_search_of_a_dead_worker_waits_again_until_too_many_died(settings):
    settings.JOB_MAX_ATTEMPTS = 2
    study = read_visit()
    for _ in range(2):
        lapse(claimed(study))
        services.requeue_expired()

    row = Enhancement.objects.get()
    assert (row.state, row.attempts) == ("failed", 2)
    assert row.reason == "The worker died 2 times while it compared the T1s."


def test_a_queued_one_whose_message_was_lost_is_sent_again(sent_tasks, django_capture_on_commit_callbacks):
    study = read_visit()
    services.request_for_study(study.pk)
    Enhancement.objects.update(modified=timezone.now() - timedelta(minutes=2))
    sent_tasks.clear()

    with django_capture_on_commit_callbacks(execute=True):
        services.requeue_expired()

    assert sent_tasks == [("enhancement.find", (str(Enhancement.objects.get().pk),), "inference")]


def test_the_kept_places_are_judged_by_the_lesions_of_each_version():
    study = visit()
    without = read_with(study, OLD)
    with_it = read_with(study, OLD, LASTING)
    enhanced(study, INSIDE, NEW)

    number = with_it.lesions.get(centroid_index__0=3, centroid_index__1=8).number
    assert lesions_by(study, without) == []
    assert lesions_by(study, with_it) == [number]
    assert lesions_by(study) == [number]


def test_what_lies_beside_a_lesion_is_no_uptake_of_it():
    study = read_visit()
    enhanced(study, BESIDE)

    assert lesions_by(study) == []


@pytest.mark.django_db(transaction=True)
def test_nobody_waits_while_the_lesions_are_measured(monkeypatch):
    study = read_visit()
    enhanced(study, INSIDE)
    seen = transactions_at_masks(monkeypatch)

    assert len(lesions_by(study)) == 1
    assert seen == [False]


def test_a_version_of_another_grid_says_so():
    study = read_visit()
    row = enhanced(study, INSIDE)
    row.places = {**row.places, "shape": [7, 32, 32]}
    row.save()

    read = services.read_uptakes(
        study_id=study.pk, annotation_id=None, actor=make_user(Role.NEUROLOGIST, site=study.site)
    )

    assert (read.found, read.reason) == (None, "the T1s were compared on another grid than that of this version")


def test_what_is_found_after_an_approval_is_not_known_to_it():
    study = read_visit()
    before = timezone.now()
    enhanced(study, INSIDE)
    annotation = study.annotations.get()

    assert services.uptakes_until(annotation, until=before) is None
    assert len(services.uptakes_until(annotation, until=timezone.now()).uptakes) == 1


def test_the_database_holds_to_the_states():
    enhancement = enhanced(read_visit(), INSIDE)

    for change in ({"state": "lost"}, {"places": None}, {"state": EnhancementState.RUNNING}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Enhancement.objects.filter(pk=enhancement.pk).update(**change)
