"""Every write of patients."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db import transaction
from django.db.models import ProtectedError, TextField
from django.db.models.functions import Cast, Substr

from plaqueview.accounts.models import Site, User
from plaqueview.audit.models import EventKind
from plaqueview.audit.services import record
from plaqueview.core.access import Action, require
from plaqueview.core.errors import ConflictError, InvalidError, NotFoundError
from plaqueview.core.identifier_keys import KEY_ID_LETTERS, MARK, require_opened, ring
from plaqueview.patients.models import Patient
from plaqueview.patients.search import search_line


@dataclass(frozen=True)
class PatientIdentity:
    """A patient as an instance names them; without a `patient_id` only the study tells who it is."""

    patient_id: str
    issuer_of_patient_id: str
    name: str
    birth_date: date | None
    sex: str


@transaction.atomic
def find_or_create(*, site: Site, identity: PatientIdentity, study_instance_uid: str) -> Patient:
    """The site's one patient under this issuer and identifier; demographics stay as they were first received.

    Raises: UnavailableError when the patient may be there, sealed under a key that is not here.
    """
    who = {
        "site": site,
        "issuer_of_patient_id": identity.issuer_of_patient_id if identity.patient_id else "",
        "patient_id": identity.patient_id,
        "unidentified_study_instance_uid": "" if identity.patient_id else study_instance_uid,
    }
    for known in Patient.objects.filter(**who).order_by()[:1]:  # in no order, so that it is found by its identifier
        return known
    _require_that_none_is_unopened(site)
    patient, _ = Patient.objects.get_or_create(
        **who,
        defaults={
            "name": identity.name,
            **Patient.born_on(identity.birth_date),
            "sex": identity.sex,
            "search_text": search_line(identity.name, identity.patient_id)[:500],
        },
    )
    return patient


def _require_that_none_is_unopened(site: Site) -> None:
    """Raises: UnavailableError; a new patient could then be one whom nobody can read, a second time."""
    kept = Cast("patient_id", TextField())
    of_site = Patient.objects.filter(site=site).order_by()
    sealed = of_site.annotate(mark=Substr(kept, 1, len(MARK)), key=Substr(kept, len(MARK) + 1, KEY_ID_LETTERS))
    unopened = sealed.filter(mark=MARK).exclude(key__in=ring().key_ids)
    require_opened(*unopened.values_list("patient_id", flat=True)[:1])  # read in an index, no row is looked at


def is_same_patient(patient: Patient, identity: PatientIdentity) -> bool:
    """Whether the identity is the patient's; a name may differ, an identifier or its issuer may not.

    Raises: UnavailableError when the patient's identifier is sealed under a key that is not here.
    """
    require_opened(patient.patient_id)
    if not identity.patient_id:
        return not patient.patient_id
    return (patient.patient_id, patient.issuer_of_patient_id) == (identity.patient_id, identity.issuer_of_patient_id)


def remove_without_studies(patient: Patient) -> None:
    """A patient of whom nothing is left is gone; one to whom anything else refers stays."""
    try:
        patient.delete()
    except ProtectedError:
        return


@transaction.atomic
def hold(*, patient_id: UUID, reason: str, actor: User) -> Patient:
    """Nothing of the patient is deleted, by nobody and no rule, until the hold is released.

    Raises: DeniedError, NotFoundError; InvalidError without a reason.
    """
    if not reason.strip():
        raise InvalidError("say why the patient is held", fields={"reason": "say why the patient is held"})
    return _set_hold(patient_id, reason.strip(), EventKind.PATIENT_HELD, actor)


@transaction.atomic
def release(*, patient_id: UUID, actor: User) -> Patient:
    """Raises: DeniedError, NotFoundError."""
    return _set_hold(patient_id, "", EventKind.PATIENT_RELEASED, actor)


def require_no_hold(patient: Patient) -> None:
    """Raises: ConflictError."""
    if obstacle := obstacle_of_hold(patient):
        raise ConflictError(obstacle)


def obstacle_of_hold(patient: Patient) -> str:
    """Why nothing of the patient may be deleted; empty without a hold."""
    return f"the patient is held ({patient.hold_reason}); release the hold first" if patient.hold_reason else ""


def _set_hold(patient_id: UUID, reason: str, kind: EventKind, actor: User) -> Patient:
    """The same once more is no event."""
    require(actor, Action.PATIENT_ERASE)
    patient = locked_patient(patient_id, actor)
    if patient.hold_reason != reason:
        patient.hold_reason = reason
        patient.save(update_fields=["hold_reason", "modified"])
        record(kind, actor=actor, object_type="patient", object_id=patient.pk, site_id=patient.site_id)
    return patient


def locked_patient(patient_id: UUID, actor: User | None) -> Patient:
    """The patient, whose row is locked until the transaction ends. `actor` None is a rule of the department.

    Raises: NotFoundError.
    """
    visible = Patient.objects.all() if actor is None else Patient.objects.visible_to(actor)
    patient = visible.select_for_update(of=("self",)).filter(pk=patient_id).first()
    if patient is None:
        raise NotFoundError("no such patient, or none that you may see")
    return patient
