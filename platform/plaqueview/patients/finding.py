"""Finding rows by what is sealed: the values are opened and compared here, for the database cannot.

Source: docs/decisions/0046-sealed-identifiers.md
"""

from collections.abc import Callable, Collection
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from plaqueview.accounts.models import User
from plaqueview.core.identifier_keys import UnopenedText, ring
from plaqueview.patients.models import Patient
from plaqueview.patients.search import search_line


def ids_whose(column: str, test: Callable[[Any], bool], rows: QuerySet[Any]) -> list[UUID]:  # Any: the column's type
    """Those of the rows of which the column passes the test; what is empty or cannot be opened does not."""
    values = rows.order_by().values_list("pk", column)
    return [pk for pk, value in values if value and not isinstance(value, UnopenedText) and test(value)]


def patients_by_word(words: Collection[str], *, user: User) -> dict[str, list[UUID]]:
    """For each folded word, the user's patients in whose name or identifier it occurs."""
    rows = list(Patient.objects.visible_to(user).order_by().values_list("pk", "search_text"))
    return {
        word: [pk for pk, text in rows if word in text and not isinstance(text, UnopenedText)] for word in set(words)
    }


def repeated_for_search(patient: Patient, accession_number: str, study_description: str) -> dict[str, str]:
    """What a study repeats of its patient, for the database to sort by and to search in; nothing of what is sealed."""
    is_clear = patient.is_opened and not ring().seals
    name, patient_id = (patient.name, patient.patient_id) if is_clear else ("", "")
    return {
        "patient_name": name,
        "search_text": search_line(name, patient_id, accession_number, study_description),
    }
