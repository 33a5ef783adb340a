"""Reading studies, series and patients: who sees what, and the event that says so."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import Count

from plaqueview.accounts.models import Site, User
from plaqueview.audit.models import EventKind
from plaqueview.audit.services import record_once
from plaqueview.core.access import Action, require
from plaqueview.core.among import rows_in_order
from plaqueview.core.errors import InvalidError, NotFoundError
from plaqueview.patients.models import Patient, PatientQuerySet
from plaqueview.studies.models import Series, Study, StudyQuerySet, Upload

NOT_FOUND = "there is no {} that you may see"

# What the list of patients says of a study.
COUNTED: Final = (
    "patient",
    "study_date",
    "received_at",
    "active_count",
    "inactive_count",
    "active_volume_ml",
    "inactive_volume_ml",
    "counting_rule",
)


@dataclass(frozen=True)
class StudySummary:
    """Numbers for the head of the worklist."""

    studies_by_state: dict[str, int]
    studies: int
    patients: int


def read_worklist(*, actor: User) -> StudyQuerySet:
    """The actor's studies, to be filtered, ordered and cut into pages; `rows_of_worklist` gives a page's rows."""
    require(actor, Action.STUDY_READ)
    record_once(EventKind.STUDY_READ, actor=actor, object_type="worklist", object_id="", site_id=None)
    return Study.objects.visible_to(actor)


def rows_of_worklist(study_ids: Sequence[UUID]) -> list[Study]:
    """These studies in this order, each with its patient, without what only the study's own page shows."""
    rows = Study.objects.select_related("patient", "assigned_to")
    return rows_in_order(rows.defer("series_choice", "search_text", "patient__search_text"), study_ids)


def read_summary(*, actor: User) -> StudySummary:
    require(actor, Action.STUDY_READ)
    by_state = Study.objects.visible_to(actor).order_by().values_list("state").annotate(count=Count("pk"))
    counts = dict(by_state)
    return StudySummary(counts, sum(counts.values()), Patient.objects.visible_to(actor).count())


def read_study(*, study_id: UUID, actor: User) -> Study:
    """Raises: DeniedError, NotFoundError."""
    require(actor, Action.STUDY_READ)
    visible = Study.objects.visible_to(actor).select_related(
        "patient", "assigned_to", "flair_overridden_by", "deidentification"
    )
    study = visible.prefetch_related("series").filter(pk=study_id).first()
    if study is None:
        raise NotFoundError(NOT_FOUND.format(f"study {study_id}"))
    record_once(EventKind.STUDY_READ, actor=actor, object_type="study", object_id=study.pk, site_id=study.site_id)
    return study


def priors_of(study: Study) -> list[Study]:
    """The patient's earlier studies, the newest first."""
    others = Study.objects.filter(patient=study.patient_id).exclude(pk=study.pk).only("study_date", "received_at")
    earlier = [other for other in others if _moment(other) < _moment(study)]
    return sorted(earlier, key=_moment, reverse=True)


def read_series(*, series_id: UUID, actor: User) -> Series:
    """Raises: DeniedError, NotFoundError."""
    require(actor, Action.STUDY_READ)
    series = Series.objects.visible_to(actor).select_related("study").filter(pk=series_id).first()
    if series is None:
        raise NotFoundError(NOT_FOUND.format(f"series {series_id}"))
    site_id = series.study.site_id
    record_once(EventKind.SERIES_READ, actor=actor, object_type="series", object_id=series.pk, site_id=site_id)
    return series


def read_patients(*, actor: User) -> PatientQuerySet:
    """The actor's patients, to be filtered, ordered and cut into pages; `patients_in_order` gives a page's rows."""
    require(actor, Action.PATIENT_READ)
    record_once(EventKind.PATIENT_READ, actor=actor, object_type="patients", object_id="", site_id=None)
    return Patient.objects.visible_to(actor)


def patients_in_order(patient_ids: Sequence[UUID]) -> list[Patient]:
    """These patients in this order, without what only a search looks at."""
    return rows_in_order(Patient.objects.select_related("site").defer("search_text"), patient_ids)


def read_patient(*, patient_id: UUID, actor: User) -> Patient:
    """Raises: DeniedError, NotFoundError."""
    require(actor, Action.PATIENT_READ)
    patient = Patient.objects.visible_to(actor).select_related("site").filter(pk=patient_id).first()
    if patient is None:
        raise NotFoundError(NOT_FOUND.format(f"patient {patient_id}"))
    record_once(
        EventKind.PATIENT_READ, actor=actor, object_type="patient", object_id=patient.pk, site_id=patient.site_id
    )
    return patient


def studies_of_patient(patient: Patient) -> list[Study]:
    """The newest first."""
    studies = Study.objects.filter(patient=patient).select_related("patient", "assigned_to")
    return sorted(studies.defer("series_choice", "search_text"), key=_moment, reverse=True)


def studies_by_patient(patients: Collection[Patient]) -> dict[UUID, list[Study]]:
    """The studies of each patient, the newest first, in one query for all of them, with no more than `COUNTED`."""
    found: dict[UUID, list[Study]] = {patient.pk: [] for patient in patients}
    studies = Study.objects.filter(patient__in=found).only(*COUNTED)
    for study in sorted(studies, key=_moment, reverse=True):
        found[study.patient_id].append(study)
    return found


def read_upload(*, upload_id: UUID, actor: User) -> Upload:
    """Raises: DeniedError, NotFoundError."""
    require(actor, Action.STUDY_UPLOAD)
    upload = Upload.objects.visible_to(actor).prefetch_related("files").filter(pk=upload_id).first()
    if upload is None:
        raise NotFoundError(NOT_FOUND.format(f"upload {upload_id}"))
    record_once(EventKind.UPLOAD_READ, actor=actor, object_type="upload", object_id=upload.pk, site_id=upload.site_id)
    return upload


@transaction.atomic
def site_of(*, actor: User, site_id: str) -> Site:
    """The site into which the actor sends: the one named, or the only one that there is.

    Raises: InvalidError when none of the actor's sites is meant.
    """
    sites = list(actor.sites.order_by("name"))
    if site_id:
        sites = [site for site in sites if str(site.pk) == site_id]
    if len(sites) != 1:
        raise InvalidError("name the site of the studies", fields={"site": "the id of one of your sites"})
    return sites[0]


def _moment(study: Study) -> tuple[date, float]:
    """Studies without a date count as older than all that have one."""
    return study.study_date or date.min, study.received_at.timestamp()
