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

    The hash decides. A side that would have nobody takes the new person whose hash lies nearest to it from a side
    that has several, so that a small department can train at all; nobody who was placed before is moved, here or at
    another site, and the rows of one person at several sites stand together.

    Called in a transaction.
    """
    known = _known_places(patients)
    pseudonyms = {patient: pseudonym_of_patient(patient) for patient in patients if patient not in known}
    placed = {place.pseudonym: place.side for place in known.values()} | _sides_elsewhere(pseudonyms.values())
    new = {one: _side_at(_position(one)) for one in pseudonyms.values() if one not in placed}
    _fill_empty_sides(placed, new)
    sides = placed | new
    places = {patient: Place(pseudonym, sides[pseudonym]) for patient, pseudonym in pseudonyms.items()}
    PatientSide.objects.bulk_create(
        PatientSide(patient=patient, pseudonym=place.pseudonym, side=place.side) for patient, place in places.items()
    )
    return {**known, **places}


def _known_places(patients: Collection[Patient]) -> dict[Patient, Place]:
    rows = PatientSide.objects.filter(patient__in=patients)
    by_patient = {row.patient_id: Place(row.pseudonym, Side(row.side)) for row in rows}
    return {patient: by_patient[patient.pk] for patient in patients if patient.pk in by_patient}


def _sides_elsewhere(pseudonyms: Collection[str]) -> dict[str, Side]:
    """Where persons stand already who are known at another site."""
    rows = PatientSide.objects.filter(pseudonym__in=set(pseudonyms)).order_by("-created")
    return {row.pseudonym: Side(row.side) for row in rows}  # the first placed comes last, and counts


def _side_at(position: float) -> Side:
    if position < settings.TRAINING_TEST_SHARE:
        return Side.TEST
    is_validation = position < settings.TRAINING_TEST_SHARE + settings.TRAINING_VALIDATION_SHARE
    return Side.VALIDATION if is_validation else Side.TRAIN


def _fill_empty_sides(placed: Mapping[str, Side], new: dict[str, Side]) -> None:
    """A side without anybody has one of the new, where a side has several persons; sides are by pseudonym."""
    for side in Side:
        counts = Counter([*placed.values(), *new.values()])
        if counts[side]:
            continue
        movable = [pseudonym for pseudonym, stands_on in new.items() if counts[stands_on] > 1]
        if movable:
            new[min(movable, key=lambda pseudonym: abs(_position(pseudonym) - _middle_of(side)))] = side


def _middle_of(side: Side) -> float:
    test, validation = settings.TRAINING_TEST_SHARE, settings.TRAINING_VALIDATION_SHARE
    return {Side.TEST: test / 2, Side.VALIDATION: test + validation / 2, Side.TRAIN: (1 + test + validation) / 2}[side]


def _position(pseudonym: str) -> float:
    """0 to 1, evenly spread."""
    return int(keyed(SIDE_SALT, pseudonym), 16) / 16.0**DIGITS
