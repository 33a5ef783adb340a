"""What the worklist and the list of patients can be filtered and ordered by."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Model, Q, QuerySet
from django_filters import rest_framework as filters
from rest_framework.filters import OrderingFilter
from rest_framework.request import Request

from plaqueview.accounts.models import User
from plaqueview.core.identifier_keys import UnopenedText, ring
from plaqueview.patients.finding import patients_by_word
from plaqueview.patients.models import Patient
from plaqueview.patients.search import folded
from plaqueview.studies.follow_up import due_among
from plaqueview.studies.models import ReadingState, Study, StudyQuerySet, StudyState


class StableOrderingFilter(OrderingFilter):
    """Rows that tie are ordered by id, in the same direction, so that no row is on two pages and an index serves.

    A view's `ordering_columns` names the column of a field that is called otherwise, and its `sealed_columns` those of
    a field that may be sealed: by such a one the rows are put in order here, and their ids are given.
    """

    def get_ordering(self, request: Request, queryset: QuerySet[Any], view: Any) -> Sequence[str]:  # Any: any view
        ordering = list(super().get_ordering(request, queryset, view) or [])
        descends = bool(ordering) and ordering[-1].startswith("-")
        return [*ordering, "-id" if descends else "id"]

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> Any:  # Any: any view; as it says
        ordering = self.get_ordering(request, queryset, view)
        sealed: Mapping[str, Sequence[str]] = getattr(view, "sealed_columns", {})
        if ring().is_used and any(_field_of(term) in sealed for term in ordering):
            return ids_in_order(queryset, ordering, sealed)
        columns: Mapping[str, str] = getattr(view, "ordering_columns", {})
        return queryset.order_by(*(_by_column(term, columns) for term in ordering))


def _field_of(term: str) -> str:
    return term.removeprefix("-")


def _by_column(term: str, columns: Mapping[str, str]) -> str:
    field = _field_of(term)
    return term.removesuffix(field) + columns.get(field, field)


def ids_in_order(queryset: QuerySet[Any], ordering: Sequence[str], sealed: Mapping[str, Sequence[str]]) -> list[UUID]:
    """The ids of all the rows. Texts are ordered by code point, as SQLite does it.

    The terms after the last sealed one are the database's, and the order that it gives stays among those who tie.
    """
    here = max(at for at, term in enumerate(ordering) if _field_of(term) in sealed) + 1
    columns = [sealed.get(_field_of(term), [_field_of(term)]) for term in ordering[:here]]
    names = list(dict.fromkeys(name for several in columns for name in several))
    rows = list(queryset.order_by(*ordering[here:]).values_list("pk", *names))
    for term, several in reversed(list(zip(ordering, columns, strict=False))):
        places = [1 + names.index(name) for name in several]
        said = partial(_said, places=places, is_nothing_last=connection.features.nulls_order_largest)
        rows.sort(key=said, reverse=term.startswith("-"))
    return [row[0] for row in rows]


def _said(row: Sequence[Any], *, places: Sequence[int], is_nothing_last: bool) -> tuple[Any, ...]:  # Any: as they are
    """The first value at the places that says anything; nothing stands where the database puts it."""
    for place in places:
        if row[place] is not None and not isinstance(row[place], UnopenedText):
            return (not is_nothing_last, row[place])
    return (is_nothing_last,)


class SearchFilter(filters.CharFilter):
    """Every word has to occur in `search_text`, without regard to case and accents."""

    def filter(self, qs: QuerySet[Any], value: str) -> QuerySet[Any]:  # Any: studies or patients
        words = folded(value or "").split()
        patients = patients_by_word(words, user=self.parent.request.user) if words and ring().is_used else {}
        for word in words:
            qs = qs.filter(_has(word, patients[word], qs.model) if patients else Q(search_text__contains=word))
        return qs


def _has(word: str, patient_ids: Sequence[UUID], model: type[Model]) -> Q:
    """The word stands in what is sealed, or in what the study repeats because it is clear."""
    if model is Patient:
        return Q(pk__among=patient_ids)
    return Q(patient__id__among=patient_ids) | Q(search_text__contains=word)


class AssignedFilter(filters.CharFilter):
    """`me`, `nobody`, or a username; an id is compared and not joined, so that an index gives the order."""

    def filter(self, qs: StudyQuerySet, value: str) -> StudyQuerySet:
        match value:
            case "":
                return qs
            case "nobody":
                return qs.filter(assigned_to=None)
            case "me":
                return qs.filter(assigned_to=self.parent.request.user.pk)
        reader_id = User.objects.filter(username=value).values_list("pk", flat=True).first()
        return qs.filter(assigned_to=reader_id) if reader_id else qs.none()


class FollowUpFilter(filters.ChoiceFilter):
    def filter(self, qs: StudyQuerySet, value: str) -> StudyQuerySet:
        return due_among(qs) if value else qs


class KnownTeachingFilter(filters.ChoiceFilter):
    """Without it a database may put what is not known before the largest score."""

    def filter(self, qs: StudyQuerySet, value: str) -> StudyQuerySet:
        return qs.filter(teaching_score__isnull=False) if value else qs


class StudyFilter(filters.FilterSet):
    search = SearchFilter(label="Words of the name, patient ID, accession number or description.")
    # No study comes twice, and DISTINCT would have them all put in order first.
    state = filters.MultipleChoiceFilter(choices=StudyState.choices, distinct=False)
    patient = filters.UUIDFilter(field_name="patient_id")
    assigned = AssignedFilter(label="Who is to read it: `me`, `nobody`, or a username.")
    reading = filters.ChoiceFilter(choices=[choice for choice in ReadingState.choices if choice[0]])
    teaching = KnownTeachingFilter(choices=[("known", "known")], label="What labelling it would teach is known.")
    follow_up = FollowUpFilter(choices=[("due", "due")], label="The patient's next study is due.")
    received_after = filters.IsoDateTimeFilter(field_name="received_at", lookup_expr="gt")

    class Meta:
        model = Study
        fields: list[str] = []


class PatientFilter(filters.FilterSet):
    search = SearchFilter(label="Words of the name or patient ID.")

    class Meta:
        model = Patient
        fields: list[str] = []
