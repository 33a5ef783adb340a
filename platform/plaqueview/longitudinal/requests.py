"""What a user, or a study that the network has read, asks for: the registration of a study to a prior."""

from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from plaqueview.accounts.models import User
from plaqueview.audit.models import EventKind
from plaqueview.core.access import Action, require
from plaqueview.core.errors import ConflictError, InvalidError, NotFoundError
from plaqueview.core.queue import INFERENCE_QUEUE, enqueue
from plaqueview.longitudinal import journal
from plaqueview.longitudinal.models import LIVE_STATES, Registration, RegistrationState
from plaqueview.studies import reading as studies
from plaqueview.studies.models import Study

REGISTER_TASK: Final = "longitudinal.register"

# A reader compares with the visit before, and sometimes with the one before that.
PRIORS_BY_THEMSELVES: Final = 2

TRIED_AGAIN: Final = {RegistrationState.FAILED, RegistrationState.CANCELLED}

EVENT_OF_END: Final = {
    RegistrationState.SUCCEEDED: EventKind.REGISTRATION_SUCCEEDED,
    RegistrationState.FAILED: EventKind.REGISTRATION_FAILED,
    RegistrationState.CANCELLED: EventKind.REGISTRATION_CANCELLED,
}


@transaction.atomic
def request(*, study_id: UUID, prior_id: UUID, actor: User | None) -> Registration:
    """The FLAIRs of the two studies, as they are now, have a registration that is there or on its way.

    Asked again it is the same one; a user who asks for one that failed or was cancelled has it tried again, the system,
    `actor` None, does not.

    Raises: DeniedError; NotFoundError; InvalidError when the prior is no earlier study of the same patient;
    ConflictError when one of the two has no FLAIR.
    """
    study = _locked_study(study_id, actor)
    prior = _prior_of(study, prior_id)
    if study.flair_series_id is None or prior.flair_series_id is None:
        which = "the study" if study.flair_series_id is None else "the prior"
        raise ConflictError(f"{which} has no FLAIR series; choose one first")
    registration, is_new = Registration.objects.select_related("study").get_or_create(
        study=study,
        prior=prior,
        fixed_series_id=study.flair_series_id,
        moving_series_id=prior.flair_series_id,
        fixed_sha256=study.flair_sha256,
        moving_sha256=prior.flair_sha256,
        defaults={"requested_by": actor},
    )
    if is_new or (actor is not None and registration.state in TRIED_AGAIN):
        registration.reason, registration.attempts, registration.finished_at = "", 0, None
        queue(registration)
        journal.record(EventKind.REGISTRATION_REQUESTED, registration, actor=actor)
    return registration


@transaction.atomic
def request_for_study(study_id: UUID) -> None:
    """A study that the network has read is registered to its newest priors, and the visits after it to this one."""
    study = Study.objects.filter(pk=study_id).first()
    if study is None:
        return
    for later in _read_studies_of(study):
        priors = _newest_priors(later)
        for prior in priors if later == study else [one for one in priors if one == study]:
            request(study_id=later.pk, prior_id=prior.pk, actor=None)


@transaction.atomic
def cancel(*, registration_id: UUID, actor: User) -> Registration:
    """The registration is cancelled; a worker that is at it writes nothing.

    Raises: DeniedError; NotFoundError; ConflictError when it has ended otherwise.
    """
    require(actor, Action.JOB_CANCEL)
    visible = Registration.objects.visible_to(actor).select_for_update(of=("self",)).select_related("study")
    registration = visible.filter(pk=registration_id).first()
    if registration is None:
        raise NotFoundError("no such registration, or none that you may see")
    if registration.state == RegistrationState.CANCELLED:
        return registration
    if registration.state not in LIVE_STATES:
        raise ConflictError(f"the registration has {registration.state}; only one that waits or runs can be cancelled")
    registration.reason = f"The registration was cancelled by {actor.get_username()}."
    end(registration, RegistrationState.CANCELLED, actor=actor)
    return registration


def end(registration: Registration, state: RegistrationState, *, actor: User | None) -> None:
    """The registration has ended; the event and the audit say so."""
    registration.state, registration.finished_at = state, timezone.now()
    registration.lease_token = registration.lease_expires_at = None
    registration.save()
    journal.record(EVENT_OF_END[state], registration, actor=actor)
    journal.publish(registration)


def queue(registration: Registration) -> None:
    """The registration waits for a worker, and the workers are told after the commit."""
    lay_by(registration)
    enqueue(REGISTER_TASK, str(registration.pk), queue=INFERENCE_QUEUE)


def lay_by(registration: Registration) -> None:
    """The registration waits for a worker; the clock tells the workers in a while."""
    registration.state = RegistrationState.QUEUED
    registration.lease_token = registration.lease_expires_at = None
    registration.save()
    journal.publish(registration)


def _read_studies_of(study: Study) -> list[Study]:
    """The studies of the same patient that have a FLAIR and a result, this one among them."""
    of_patient = Study.objects.filter(patient=study.patient_id, flair_series__isnull=False)
    return list(of_patient.exclude(current_annotation_id=None).order_by("pk"))


def _newest_priors(study: Study) -> list[Study]:
    ids = [prior.pk for prior in studies.priors_of(study)]
    with_flair = Study.objects.filter(pk__in=ids, flair_series__isnull=False).in_bulk()
    return [with_flair[pk] for pk in ids if pk in with_flair][:PRIORS_BY_THEMSELVES]


def _locked_study(study_id: UUID, actor: User | None) -> Study:
    visible = Study.objects.all()
    if actor is not None:
        require(actor, Action.INFERENCE_REQUEST)
        visible = Study.objects.visible_to(actor)
    study = visible.select_for_update().filter(pk=study_id).first()
    if study is None:
        raise NotFoundError("no such study, or none that you may see")
    return study


def _prior_of(study: Study, prior_id: UUID) -> Study:
    """A prior is of the same patient, and so of the same site: who may see the study may see it."""
    if prior_id not in {prior.pk for prior in studies.priors_of(study)}:
        raise InvalidError(
            "prior has to be an earlier study of the same patient",
            fields={"prior": "the id of an earlier study of the same patient"},
        )
    return Study.objects.get(pk=prior_id)
