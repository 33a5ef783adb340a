"""A registration is asked for once, belongs to one worker at a time, and ends in a named state."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from plaqueview.accounts.services import create_site
from plaqueview.audit.models import AuditEvent, EventKind
from plaqueview.core.access import Role
from plaqueview.core.errors import ConflictError, InvalidError, NotFoundError
from plaqueview.core.leases import ClaimLostError
from plaqueview.inference import services as inference
from plaqueview.longitudinal import services
from plaqueview.longitudinal.brightening import brightening_from
from plaqueview.longitudinal.models import Registration, RegistrationState
from tests.accounts.people import make_user
from tests.inference.scenes import choose_flair, make_study, segmentation
from tests.inference.scenes import claimed as claimed_job
from tests.longitudinal.visits import LASTING, STILL, brightened_in, claimed, read_with, registered, visits

pytestmark = pytest.mark.django_db

FOUND = services.Found(STILL, similarity_before=0.5, similarity=0.9, seconds=1.5, brightening=brightened_in(LASTING))


def kinds_on_record() -> list[str]:
    return list(
        AuditEvent.objects.filter(object_type="registration").order_by("sequence").values_list("kind", flat=True)
    )


def lapse(claim: services.Claim) -> None:
    """The worker has not renewed for longer than its lease."""
    Registration.objects.filter(pk=claim.registration_id).update(lease_expires_at=timezone.now() - timedelta(seconds=1))


# --- asking -----------------------------------------------------------------------------------------------------------


def test_a_request_is_queued_sent_announced_and_on_record(sent_tasks, announced, django_capture_on_commit_callbacks):
    study, prior = visits()

    with django_capture_on_commit_callbacks(execute=True):
        registration = services.request(study_id=study.pk, prior_id=prior.pk, actor=None)

    assert (registration.study, registration.prior, registration.state) == (study, prior, "queued")
    assert (registration.fixed_series, registration.moving_series) == (study.flair_series, prior.flair_series)
    assert sent_tasks == [("longitudinal.register", (str(registration.pk),), "inference")]
    assert announced == [
        {
            "type": "registration.changed",
            "study": str(study.pk),
            "registration": str(registration.pk),
            "state": "queued",
            "topics": (f"study.{study.pk}",),
            "site_id": study.site_id,
        }
    ]
    assert kinds_on_record() == ["registration.requested"]


def test_asking_again_gives_the_same_one(sent_tasks):
    study, prior = visits()
    first = services.request(study_id=study.pk, prior_id=prior.pk, actor=None)

    again = services.request(study_id=study.pk, prior_id=prior.pk, actor=make_user(Role.NEUROLOGIST, site=study.site))

    assert again == first
    assert kinds_on_record() == ["registration.requested"]


def test_a_series_that_grew_is_registered_anew():
    study, prior = visits()
    first = registered(study, prior)
    choose_flair(study, study.flair_series, content="with one slice more")

    second = services.request(study_id=study.pk, prior_id=prior.pk, actor=None)

    assert second != first
    assert (second.state, Registration.objects.count()) == ("queued", 2)


def test_a_user_has_a_failed_one_tried_again_and_the_system_does_not():
    study, prior = visits()
    services.fail(claimed(study, prior), reason="No head was found.")

    by_system = services.request(study_id=study.pk, prior_id=prior.pk, actor=None)
    assert (by_system.state, by_system.reason) == ("failed", "No head was found.")

    by_user = services.request(study_id=study.pk, prior_id=prior.pk, actor=make_user(Role.INTEGRATOR, site=study.site))
    assert (by_user.pk, by_user.state, by_user.reason, by_user.attempts) == (by_system.pk, "queued", "", 0)


def test_a_cancelled_one_is_nobody_s_any_more_and_is_tried_again_on_request():
    study, prior = visits()
    claim = claimed(study, prior)
    reader = make_user(Role.NEUROLOGIST, site=study.site)

    cancelled = services.cancel(registration_id=claim.registration_id, actor=reader)

    assert (cancelled.state, cancelled.reason) == (
        "cancelled",
        f"The registration was cancelled by {reader.username}.",
    )
    with pytest.raises(ClaimLostError):
        services.complete(claim, found=FOUND)
    assert services.request(study_id=study.pk, prior_id=prior.pk, actor=None).state == "cancelled"
    again = services.request(study_id=study.pk, prior_id=prior.pk, actor=reader)
    assert (again.pk, again.state, again.reason) == (cancelled.pk, "queued", "")
    assert kinds_on_record() == ["registration.requested", "registration.cancelled", "registration.requested"]


def test_what_has_succeeded_is_not_cancelled():
    study, prior = visits()
    claim = claimed(study, prior)
    services.complete(claim, found=FOUND)

    with pytest.raises(ConflictError, match="has succeeded"):
        services.cancel(registration_id=claim.registration_id, actor=make_user(Role.NEUROLOGIST, site=study.site))
    with pytest.raises(NotFoundError):
        services.cancel(registration_id=claim.registration_id, actor=make_user(Role.NEUROLOGIST))


def test_only_an_earlier_study_of_the_same_patient_is_a_prior():
    study, prior = visits()
    stranger = make_study(site=study.site, uid="9.9")

    for study_id, prior_id in ((study.pk, stranger.pk), (prior.pk, study.pk), (study.pk, study.pk)):
        with pytest.raises(InvalidError, match="an earlier study of the same patient"):
            services.request(study_id=study_id, prior_id=prior_id, actor=None)

    assert Registration.objects.count() == 0


def test_a_prior_without_a_flair_is_refused():
    study, prior = visits()
    prior.flair_series = None
    prior.save()

    with pytest.raises(ConflictError, match="the prior has no FLAIR"):
        services.request(study_id=study.pk, prior_id=prior.pk, actor=None)


def test_another_site_cannot_ask():
    study, prior = visits()
    outsider = make_user(Role.ADMIN, site=create_site(name="Elsewhere"))

    with pytest.raises(NotFoundError):
        services.request(study_id=study.pk, prior_id=prior.pk, actor=outsider)

    assert Registration.objects.count() == 0


# --- by itself --------------------------------------------------------------------------------------------------------


def pairs() -> set[tuple[str, str]]:
    found = Registration.objects.values_list("study__study_date__year", "prior__study_date__year")
    return {(study, prior) for study, prior in found}


def test_a_prediction_names_the_task_that_asks(sent_tasks, django_capture_on_commit_callbacks):
    study = make_study()

    with django_capture_on_commit_callbacks(execute=True):
        inference.complete(claimed_job(study), segmentation=segmentation())

    assert ("longitudinal.request_for_study", (str(study.pk),), "default") in sent_tasks


def test_the_two_newest_priors_with_a_flair_are_registered():
    newest, _, without_flair, third, fourth = visits(5)
    without_flair.flair_series = None
    without_flair.save()
    read_with(newest, LASTING)

    services.request_for_study(newest.pk)

    assert pairs() == {(2024, 2023), (2024, 2021)}
    assert {third.study_date.year, fourth.study_date.year} == {2021, 2020}


def test_a_prior_that_is_read_later_is_still_compared_with_the_visit_after_it():
    newest, prior, first = visits(3)
    for study in (newest, prior):
        read_with(study, LASTING)

    services.request_for_study(prior.pk)

    assert pairs() == {(2024, 2023), (2023, 2022)}
    assert first.current_annotation_id is None


def test_a_patient_s_only_study_has_none():
    (study,) = visits(1)
    read_with(study, LASTING)

    services.request_for_study(study.pk)

    assert Registration.objects.count() == 0


# --- claims -----------------------------------------------------------------------------------------------------------


def test_one_worker_holds_it_at_a_time(settings):
    study, prior = visits()
    claim = claimed(study, prior, worker="inference@here:7")

    registration = Registration.objects.get()
    assert (registration.state, registration.worker, registration.attempts) == ("running", "inference@here:7", 1)
    assert registration.lease_expires_at - registration.started_at == timedelta(seconds=settings.JOB_LEASE_S)
    assert services.claim(registration_id=claim.registration_id, worker="another") is None


def test_a_result_is_written_once(announced):
    study, prior = visits()
    claim = claimed(study, prior)

    services.complete(claim, found=FOUND)

    registration = Registration.objects.get()
    assert (registration.state, registration.matrix) == ("succeeded", list(STILL))
    assert (registration.similarity_before, registration.similarity, registration.seconds) == (0.5, 0.9, 1.5)
    assert brightening_from(registration.brightening) == FOUND.brightening
    assert [event["state"] for event in announced] == ["queued", "running", "succeeded"]
    assert kinds_on_record() == ["registration.requested", "registration.succeeded"]
    with pytest.raises(ClaimLostError):
        services.complete(claim, found=FOUND)
    with pytest.raises(ClaimLostError):
        services.renew(claim)


def test_a_failure_says_why():
    study, prior = visits()

    services.fail(claimed(study, prior), reason="The volumes do not overlap.")

    registration = Registration.objects.get()
    assert (registration.state, registration.reason, registration.matrix) == (
        "failed",
        "The volumes do not overlap.",
        None,
    )
    assert kinds_on_record() == ["registration.requested", "registration.failed"]


def test_what_is_put_back_waits_with_the_reason_and_as_many_attempts_as_before(sent_tasks):
    study, prior = visits()
    claim = claimed(study, prior)
    sent_tasks.clear()

    services.put_back(claim, reason="the storage bucket refuses: SlowDown")

    registration = Registration.objects.get()
    assert (registration.state, registration.attempts, registration.lease_token) == ("queued", 0, None)
    assert registration.reason == "the storage bucket refuses: SlowDown; it is tried again by itself"
    assert sent_tasks == []
    again = services.claim(registration_id=registration.pk, worker="worker-2")
    services.complete(again, found=FOUND)
    assert (Registration.objects.get().state, Registration.objects.get().reason) == ("succeeded", "")
    with pytest.raises(ClaimLostError):
        services.put_back(claim, reason="late")


def test_who_lost_the_lease_writes_nothing():
    study, prior = visits()
    first = claimed(study, prior)
    lapse(first)
    second = services.claim(registration_id=first.registration_id, worker="worker-2")
    assert second is not None

    for attempt in (lambda: services.complete(first, found=FOUND), lambda: services.fail(first, reason="Late.")):
        with pytest.raises(ClaimLostError):
            attempt()

    assert Registration.objects.get().state == RegistrationState.RUNNING
    services.complete(second, found=FOUND)
    assert Registration.objects.get().attempts == 2


def test_the_clock_puts_a_dead_worker_s_registration_back(sent_tasks, django_capture_on_commit_callbacks):
    study, prior = visits()
    claim = claimed(study, prior)
    lapse(claim)

    with django_capture_on_commit_callbacks(execute=True):
        assert services.requeue_expired() == 1

    assert Registration.objects.get().state == RegistrationState.QUEUED
    assert ("longitudinal.register", (str(claim.registration_id),), "inference") in sent_tasks


def test_a_registration_of_which_workers_die_has_failed(settings):
    study, prior = visits()
    claim = claimed(study, prior)
    Registration.objects.update(attempts=settings.JOB_MAX_ATTEMPTS)
    lapse(claim)

    assert services.requeue_expired() == 0

    registration = Registration.objects.get()
    assert (registration.state, registration.reason) == (
        "failed",
        "The worker died 3 times while it registered these studies.",
    )


def test_a_message_that_was_lost_is_sent_again(sent_tasks, django_capture_on_commit_callbacks):
    study, prior = visits()
    registration = services.request(study_id=study.pk, prior_id=prior.pk, actor=None)
    Registration.objects.update(modified=timezone.now() - timedelta(minutes=5))

    with django_capture_on_commit_callbacks(execute=True):
        services.requeue_expired()

    assert ("longitudinal.register", (str(registration.pk),), "inference") in sent_tasks


def test_the_database_holds_to_the_states():
    study, prior = visits()
    registered(study, prior)

    for fields in ({"matrix": None}, {"state": "perfect"}, {"state": "failed"}, {"state": "running"}, {"prior": study}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Registration.objects.update(**fields)


# --- reading ----------------------------------------------------------------------------------------------------------


def test_reading_is_on_record_and_stays_within_the_site():
    study, prior = visits()
    registration = registered(study, prior)
    insider = make_user(Role.NEUROLOGIST, site=study.site)
    outsider = make_user(Role.NEUROLOGIST, site=create_site(name="Elsewhere"))

    assert services.read_registration(registration_id=registration.pk, actor=insider) == registration
    with pytest.raises(NotFoundError):
        services.read_registration(registration_id=registration.pk, actor=outsider)

    event = AuditEvent.objects.get(kind=EventKind.REGISTRATION_READ)
    assert (event.object_id, event.actor_name) == (str(registration.pk), insider.get_username())
