"""What a patient is called outside of the house: by a keyed hash, the same in every set that leaves it."""

from typing import Final

from django.utils.crypto import salted_hmac

from plaqueview.core.identifier_keys import require_opened
from plaqueview.imaging.deidentify import Pseudonyms
from plaqueview.patients.models import Patient
from plaqueview.patients.services import PatientIdentity

SALT: Final = "plaqueview.training.pseudonym"  # as snapshots have it since the first
UID_SALT: Final = "plaqueview.reports.research"  # as exports have it since the first
DIGITS: Final = 16  # of hexadecimal: 64 bits


def pseudonym_of(identity: str, *, prefix: str) -> str:
    """A name that tells nothing without this installation's key, and is the same every time."""
    return f"{prefix}-{keyed(SALT, identity)}"


def pseudonym_of_patient(patient: Patient) -> str:
    return pseudonym_of(identity_of(patient), prefix="P")


def identity_of(patient: Patient) -> str:
    """What names the person: their identifier and its issuer, or the one study of somebody without an identifier.

    Raises: UnavailableError when the identifier is sealed under a key that is not here.
    """
    require_opened(patient.patient_id)
    return _identity(patient, patient.unidentified_study_instance_uid)


def pseudonyms_of_patient(patient: Patient) -> Pseudonyms:
    """By which a study of the patient leaves the house."""
    return Pseudonyms(pseudonym_of_patient(patient), _uid_key())


def pseudonyms_on_arrival(identity: PatientIdentity, *, study_instance_uid: str) -> Pseudonyms:
    """By which a study comes in, if it comes without its patient: the same as of the patient, were they known here."""
    return Pseudonyms(pseudonym_of(_identity(identity, study_instance_uid), prefix="P"), _uid_key())


def _identity(person: Patient | PatientIdentity, study_instance_uid: str) -> str:
    if not person.patient_id:
        return f"study {study_instance_uid}"
    return f"patient {person.issuer_of_patient_id}|{person.patient_id}"


def _uid_key() -> bytes:
    return salted_hmac(UID_SALT, "uid", algorithm="sha256").digest()


def keyed(salt: str, text: str) -> str:
    return salted_hmac(salt, text, algorithm="sha256").hexdigest()[:DIGITS]
