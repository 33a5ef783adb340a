"""Which side a patient stands on, and what they are called there: by a keyed hash, once and for good."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from django.conf import settings

from plaqueview.patients.models import Patient
from plaqueview.patients.pseudonyms import DIGITS, keyed, pseudonym_of_patient
from plaqueview.training.models import PatientSide, Side

SIDE_SALT: Final = "plaqueview.training.side"


@dataclass(frozen=True)
class Place:
    """A patient's pseudonym and side."""

    pseudonym: str
    side: Side


def place_patients(patients: Collection[Patient]) -> Mapping[Patient, Place]:
    """The place of each patient; who was placed before keeps it, and who is new is placed for good.

    The hash decides. A side that would have nobody takes the new patient whose hash lies nearest to it from a side
    that has several, so that a small department can train at all; nobody who was placed before is moved.

    Called in a transaction.
    """
    known = _known_places(patients)
    new = {patient: _hashed_place(patient) for patient in patients if patient not in known}
    _fill_empty_sides(known, new)
    PatientSide.objects.bulk_create(
        PatientSide(patient=patient, pseudonym=place.pseudonym, side=place.side) for patient, place in new.items()
    )
    return {**known, **new}


def _known_places(patients: Collection[Patient]) -> dict[Patient, Place]:
    rows = PatientSide.objects.filter(patient__in=patients)
    by_patient = {row.patient_id: Place(row.pseudonym, Side(row.side)) for row in rows}
    return {patient: by_patient[patient.pk] for patient in patients if patient.pk in by_patient}


def _hashed_place(patient: Patient) -> Place:
    """The same person known at another site has a place already."""
    pseudonym = pseudonym_of_patient(patient)
    elsewhere = PatientSide.objects.filter(pseudonym=pseudonym).order_by("created").first()
    return Place(pseudonym, Side(elsewhere.side) if elsewhere else _side_at(_position(pseudonym)))


def _side_at(position: float) -> Side:
    if position < settings.TRAINING_TEST_SHARE:
        return Side.TEST
    is_validation = position < settings.TRAINING_TEST_SHARE + settings.TRAINING_VALIDATION_SHARE
    return Side.VALIDATION if is_validation else Side.TRAIN


def _fill_empty_sides(known: Mapping[Patient, Place], new: dict[Patient, Place]) -> None:
    for side in Side:
        counts = Counter(place.side for place in [*known.values(), *new.values()])
        if counts[side]:
            continue
        movable = [patient for patient, place in new.items() if counts[place.side] > 1]
        if movable:
            nearest = min(movable, key=lambda patient: abs(_position(new[patient].pseudonym) - _middle_of(side)))
            new[nearest] = Place(new[nearest].pseudonym, side)


def _middle_of(side: Side) -> float:
    test, validation = settings.TRAINING_TEST_SHARE, settings.TRAINING_VALIDATION_SHARE
    return {Side.TEST: test / 2, Side.VALIDATION: test + validation / 2, Side.TRAIN: (1 + test + validation) / 2}[side]


def _position(pseudonym: str) -> float:
    """0 to 1, evenly spread."""
    return int(keyed(SIDE_SALT, pseudonym), 16) / 16.0**DIGITS
