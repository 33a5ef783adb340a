"""Every write of patients."""

from dataclasses import dataclass
from datetime import date

from django.db import transaction
from django.db.models import ProtectedError

from plaqueview.accounts.models import Site
from plaqueview.patients.models import Patient
from plaqueview.patients.search import folded


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
    """The site's one patient under this issuer and identifier; demographics stay as they were first received."""
    patient, _ = Patient.objects.get_or_create(
        site=site,
        issuer_of_patient_id=identity.issuer_of_patient_id if identity.patient_id else "",
        patient_id=identity.patient_id,
        unidentified_study_instance_uid="" if identity.patient_id else study_instance_uid,
        defaults={
            "name": identity.name,
            "birth_date": identity.birth_date,
            "sex": identity.sex,
            "search_text": folded(identity.name, identity.patient_id)[:500],
        },
    )
    return patient


def is_same_patient(patient: Patient, identity: PatientIdentity) -> bool:
    """Whether the identity is the patient's; a name may differ, an identifier or its issuer may not."""
    if not identity.patient_id:
        return not patient.patient_id
    return (patient.patient_id, patient.issuer_of_patient_id) == (identity.patient_id, identity.issuer_of_patient_id)


def remove_without_studies(patient: Patient) -> None:
    """A patient of whom nothing is left is gone; one to whom anything else refers stays."""
    try:
        patient.delete()
    except ProtectedError:
        return
