"""Whose next study is due: the newest study of its patient, read, and made longer ago than patients wait."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from dateutil.relativedelta import relativedelta
from django.conf import settings
from django.db import connection
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from plaqueview.studies.models import ReadingState, Study, StudyQuerySet


def due_among(studies: StudyQuerySet) -> StudyQuerySet:
    """Those of the studies that are due."""
    later = Q(study_date__gt=OuterRef("study_date"))
    later |= Q(study_date=OuterRef("study_date"), received_at__gt=OuterRef("received_at"))
    later |= Q(study_date=OuterRef("study_date"), received_at=OuterRef("received_at"), pk__gt=OuterRef("pk"))
    newer = Study.objects.filter(later, patient=OuterRef("patient"))
    # Said the other way round: SQLite would find these rows, all of them, in the index of dates, and sort them.
    # Of an expression over the column PostgreSQL does not know for how many rows it holds.
    old = ~Q(study_date__gte=_due_date()) & Q(study_date__isnull=False)
    return studies.filter(old, ~Exists(newer), reading=ReadingState.READ)


def count_due(site_ids: Sequence[UUID]) -> int:
    """How many studies of the sites are due, on PostgreSQL: the newest of each patient are read in the order of an
    index, instead of looking for newer ones of every study that was read.
    """
    return sum(map(_count_of_site, site_ids))


def _count_of_site(site_id: UUID) -> int:
    """A patient is of one site. The framework itself does not count among the first of each."""
    dated = Study.objects.filter(site=site_id, study_date__isnull=False)
    newest = dated.order_by("-patient_id", "-study_date", "-received_at", "-id").distinct("patient_id")
    sql, parameters = newest.values_list("study_date", "reading").query.sql_with_params()
    counted = f"SELECT COUNT(*) FROM ({sql}) AS newest WHERE reading = %s AND study_date < %s"  # noqa: S608 (no value)
    with connection.cursor() as cursor:
        cursor.execute(counted, [*parameters, ReadingState.READ.value, _due_date()])
        (count,) = cursor.fetchone()
    return int(count)


def _due_date() -> date:
    return timezone.localdate() - relativedelta(months=settings.FOLLOW_UP_MONTHS)
