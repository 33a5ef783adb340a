"""What a patient is called outside of the house: by a keyed hash, the same in every set that leaves it."""

from typing import Final

from django.utils.crypto import salted_hmac

from plaqueview.patients.models import Patient

SALT: Final = "plaqueview.training.pseudonym"  # as snapshots have it since the first
DIGITS: Final = 16  # of hexadecimal: 64 bits


def pseudonym_of(identity: str, *, prefix: str) -> str:
    """A name that tells nothing without this installation's key, and is the same every time."""
    return f"{prefix}-{keyed(SALT, identity)}"


def pseudonym_of_patient(patient: Patient) -> str:
    return pseudonym_of(identity_of(patient), prefix="P")


def identity_of(patient: Patient) -> str:
    """What names the person: their identifier and its issuer, or the one study of somebody without an identifier."""
    if not patient.patient_id:
        return f"study {patient.unidentified_study_instance_uid}"
    return f"patient {patient.issuer_of_patient_id}|{patient.patient_id}"


def keyed(salt: str, text: str) -> str:
    return salted_hmac(salt, text, algorithm="sha256").hexdigest()[:DIGITS]
