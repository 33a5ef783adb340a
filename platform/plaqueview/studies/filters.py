"""What the worklist and the list of patients can be filtered and ordered by."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from dateutil.relativedelta import relativedelta
from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Coalesce
from django.utils import timezone
from django_filters import rest_framework as filters
from rest_framework.filters import OrderingFilter
from rest_framework.request import Request

from plaqueview.accounts.models import User
from plaqueview.patients.models import Patient
from plaqueview.patients.search import folded
from plaqueview.studies.models import ReadingState, Study, StudyQuerySet, StudyState


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
    """The newest study of its patient, read, and made longer ago than patients wait for the next one."""

    def filter(self, qs: StudyQuerySet, value: str) -> StudyQuerySet:
        if not value:
            return qs
        later = Q(study_date__gt=OuterRef("study_date"))
        later |= Q(study_date=OuterRef("study_date"), received_at__gt=OuterRef("received_at"))
        newer = Study.objects.filter(later, patient=OuterRef("patient"))
        due_date = timezone.localdate() - relativedelta(months=settings.FOLLOW_UP_MONTHS)
        # Not the column by itself: its index would find these rows, all of them, and leave them to be sorted.
        dated = qs.alias(made_on=Coalesce("study_date", Value(date.max)))
        return dated.filter(~Exists(newer), reading=ReadingState.READ, made_on__lt=due_date)


class KnownTeachingFilter(filters.ChoiceFilter):
    """Without it a database may put what is not known before the largest score."""

    def filter(self, qs: StudyQuerySet, value: str) -> StudyQuerySet:
        return qs.filter(teaching_score__isnull=False) if value else qs


class StudyFilter(filters.FilterSet):
    search = SearchFilter(label="Words of the name, patient ID, accession number or description.")
    state = filters.MultipleChoiceFilter(choices=StudyState.choices)
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
