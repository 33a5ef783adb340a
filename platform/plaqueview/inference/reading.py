"""The reads of jobs that the audit keeps."""

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from plaqueview.accounts.models import User
from plaqueview.audit import services as audit
from plaqueview.audit.models import EventKind
from plaqueview.core.access import Action, require
from plaqueview.core.among import rows_in_order
from plaqueview.core.errors import NotFoundError
from plaqueview.inference.models import InferenceJob
from plaqueview.studies.models import Study


@transaction.atomic
def read_job(*, job_id: UUID, actor: User) -> InferenceJob:
    """The job; the reading is on record.

    Raises: DeniedError, NotFoundError.
    """
    job = _visible_jobs(actor).filter(pk=job_id).first()
    if job is None:
        raise NotFoundError("no such job, or none that you may see")
    audit.record_once(EventKind.JOB_READ, actor=actor, object_type="job", object_id=job.pk, site_id=job.study.site_id)
    return job


@transaction.atomic
def read_jobs(*, actor: User) -> QuerySet[InferenceJob]:
    """The jobs that the actor may see, newest first, to be filtered and cut; the reading is on record.

    `rows_of_jobs` gives a page's rows. Raises: DeniedError.
    """
    jobs = _visible_jobs(actor)
    audit.record_once(
        EventKind.JOB_READ, actor=actor, object_type="", object_id="", site_id=None, details={"part": "list"}
    )
    return jobs


def rows_of_jobs(job_ids: Sequence[UUID]) -> list[InferenceJob]:
    """These jobs in this order; a page is cut from an index of ids before a row is read."""
    return rows_in_order(InferenceJob.objects.with_references(), job_ids)


@transaction.atomic
def read_jobs_of_study(*, study_id: UUID, actor: User) -> QuerySet[InferenceJob]:
    """The study's jobs, newest first; the reading is on record.

    Raises: DeniedError, NotFoundError.
    """
    jobs = _visible_jobs(actor)
    study = Study.objects.visible_to(actor).filter(pk=study_id).first()
    if study is None:
        raise NotFoundError("no such study, or none that you may see")
    audit.record_once(EventKind.JOB_READ, actor=actor, object_type="study", object_id=study.pk, site_id=study.site_id)
    return jobs.filter(study=study)


def _visible_jobs(actor: User) -> QuerySet[InferenceJob]:
    require(actor, Action.JOB_READ)
    return InferenceJob.objects.visible_to(actor).with_references().order_by("-created")
