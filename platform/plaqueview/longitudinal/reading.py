"""The reads of registrations that the audit keeps."""

from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from plaqueview.accounts.models import User
from plaqueview.audit import services as audit
from plaqueview.audit.models import EventKind
from plaqueview.core.access import Action, require
from plaqueview.core.errors import NotFoundError
from plaqueview.longitudinal import journal
from plaqueview.longitudinal.models import Registration
from plaqueview.studies.models import Study


@transaction.atomic
def read_registration(*, registration_id: UUID, actor: User) -> Registration:
    """The registration; the reading is on record.

    Raises: DeniedError, NotFoundError.
    """
    require(actor, Action.STUDY_READ)
    visible = Registration.objects.visible_to(actor).select_related("study")
    registration = visible.filter(pk=registration_id).first()
    if registration is None:
        raise NotFoundError("no such registration, or none that you may see")
    journal.record(EventKind.REGISTRATION_READ, registration, actor=actor)
    return registration


def read_registrations(*, actor: User) -> QuerySet[Registration]:
    """The registrations that the actor may see, newest first; the reading is on record once in a while.

    Raises: DeniedError.
    """
    require(actor, Action.JOB_READ)
    audit.record_once(EventKind.REGISTRATION_READ, actor=actor, object_type="registration", object_id="", site_id=None)
    return Registration.objects.visible_to(actor).defer("brightening").order_by("-created")


@transaction.atomic
def read_registrations_of_study(*, study_id: UUID, prior_id: UUID | None, actor: User) -> QuerySet[Registration]:
    """The study's registrations, to one prior or to all, newest first; the reading is on record.

    Raises: DeniedError, NotFoundError.
    """
    require(actor, Action.STUDY_READ)
    study = Study.objects.visible_to(actor).filter(pk=study_id).first()
    if study is None:
        raise NotFoundError("no such study, or none that you may see")
    audit.record(
        EventKind.REGISTRATION_READ, actor=actor, object_type="study", object_id=study.pk, site_id=study.site_id
    )
    registrations = Registration.objects.filter(study=study).defer("brightening").order_by("-created")
    return registrations if prior_id is None else registrations.filter(prior=prior_id)
