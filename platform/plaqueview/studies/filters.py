"""What the worklist and the list of patients can be filtered and ordered by."""

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from rest_framework.filters import OrderingFilter
from rest_framework.request import Request

from plaqueview.patients.models import Patient
from plaqueview.patients.search import folded
from plaqueview.studies.models import Study, StudyState


class StableOrderingFilter(OrderingFilter):
    """Rows that tie are ordered by id, in the same direction, so that no row is on two pages and an index serves."""

    def get_ordering(self, request: Request, queryset: QuerySet[Any], view: Any) -> Sequence[str]:  # Any: any view
        ordering = list(super().get_ordering(request, queryset, view) or [])
        descends = bool(ordering) and ordering[-1].startswith("-")
        return [*ordering, "-id" if descends else "id"]


class SearchFilter(filters.CharFilter):
    """Every word has to occur in `search_text`, without regard to case and accents."""

    def filter(self, qs: QuerySet[Any], value: str) -> QuerySet[Any]:  # Any: studies or patients
        for word in folded(value or "").split():
            qs = qs.filter(search_text__contains=word)
        return qs


class StudyFilter(filters.FilterSet):
    search = SearchFilter(label="Words of the name, patient ID, accession number or description.")
    state = filters.MultipleChoiceFilter(choices=StudyState.choices)
    patient = filters.UUIDFilter(field_name="patient_id")
    received_after = filters.IsoDateTimeFilter(field_name="received_at", lookup_expr="gt")

    class Meta:
        model = Study
        fields: list[str] = []


class PatientFilter(filters.FilterSet):
    search = SearchFilter(label="Words of the name or patient ID.")

    class Meta:
        model = Patient
        fields: list[str] = []
