"""What a user, or a study that has settled, asks of inference: a job, its end, another try."""

from uuid import UUID

from django.db import transaction

from plaqueview.accounts.models import User
from plaqueview.annotations.models import Draft
from plaqueview.audit.models import EventKind
from plaqueview.core.access import Action, require
from plaqueview.core.errors import ConflictError, NotFoundError
from plaqueview.inference import journal, transitions
from plaqueview.inference.models import LIVE_STATES, InferenceJob, JobState
from plaqueview.studies import services as studies
from plaqueview.studies.models import UNDER_READERS, Study, StudyState

SUPERSEDED = "The study changed: another job reads it as it is now."


@transaction.atomic
def request(*, study_id: UUID, actor: User | None) -> InferenceJob:
    """The study's FLAIR, as it is now, has a job that waits or runs; asked again, it is the same job.

    One that waits in the background is brought forward when a user asks. `actor` None is the system, which asks once
    for the same instances and never for an incomplete study; a user may, and the result carries the warning. A live
    job over other instances gives way.

    Raises: DeniedError; NotFoundError; ConflictError when no FLAIR is chosen, a reader works on the study, or the
    system asks for an incomplete study.
    """
    study = _locked_study(study_id, actor)
    _require_readable(study, actor)
    same = InferenceJob.objects.with_references().filter(
        study=study, series=study.flair_series, flair_sha256=study.flair_sha256
    )
    known = (same if actor is None else same.live()).order_by("-created").first()
    if known is not None:
        if actor is not None and known.is_background:
            transitions.bring_forward(known)
        _show_again(study, known)
        return known
    _cancel_superseded(study)
    return _create(study, actor)


@transaction.atomic
def request_again(*, study_id: UUID, actor: User) -> InferenceJob:
    """The study has a job in the background; one that waits already is that.

    Raises: DeniedError; NotFoundError; ConflictError when no FLAIR is chosen, or a reader or a worker is at the study.
    """
    study = _locked_study(study_id, actor)
    _require_readable(study, actor)
    if Draft.objects.open().filter(study=study).exists():
        raise ConflictError("a reader works on a draft of the study")
    same = InferenceJob.objects.with_references().live().filter(study=study, flair_sha256=study.flair_sha256)
    known = same.filter(series=study.flair_series).first()
    if known is None:
        _cancel_superseded(study)
        return _create(study, actor, is_background=True)
    if known.state == JobState.RUNNING:
        raise ConflictError("a worker was reading the study at that moment")
    return known


@transaction.atomic
def cancel(*, job_id: UUID, actor: User) -> InferenceJob:
    """The job is cancelled; a worker that runs it hears of it at its next step, and writes nothing.

    Raises: DeniedError; NotFoundError; ConflictError when the job has ended otherwise.
    """
    require(actor, Action.JOB_CANCEL)
    job = _locked_job(job_id, actor)
    if job.state == JobState.CANCELLED:
        return job
    if job.state not in LIVE_STATES:
        raise ConflictError(f"the job has {job.state}; only a queued or running job can be cancelled")
    transitions.end(job, JobState.CANCELLED, reason=f"Inference was cancelled by {actor.get_username()}.", actor=actor)
    return job


@transaction.atomic
def retry(*, job_id: UUID, actor: User) -> InferenceJob:
    """A new job reads the study again after this one failed or was cancelled.

    Raises: DeniedError; NotFoundError; ConflictError when the job has not failed, or another series was chosen since.
    """
    require(actor, Action.INFERENCE_REQUEST)
    job = _locked_job(job_id, actor)
    if job.state not in {JobState.FAILED, JobState.CANCELLED}:
        raise ConflictError(f"the job is {job.state}; only a failed or cancelled job can be tried again")
    if job.study.flair_series_id != job.series_id:
        raise ConflictError("another series was chosen since; ask for a new inference of the study")
    journal.record(EventKind.JOB_RETRIED, job, actor=actor)
    return request(study_id=job.study_id, actor=actor)


def _require_readable(study: Study, actor: User | None) -> None:
    if study.flair_series is None:
        raise ConflictError(f"no FLAIR series is chosen for this study, which is {study.state}; choose one first")
    if study.state in UNDER_READERS:
        raise ConflictError(f"the study is {study.state}; a new inference would stand in the readers' way")
    if actor is None and study.state == StudyState.INCOMPLETE:
        raise ConflictError("the study is incomplete; a user may ask for inference all the same")


def _show_again(study: Study, known: InferenceJob) -> None:
    """A study that waits for a job that has long been there, because another of its series grew, waits no more."""
    if study.state == StudyState.QUEUED:
        studies.set_state(study.pk, *transitions.study_state_of(known))


def _create(study: Study, actor: User | None, *, is_background: bool = False) -> InferenceJob:
    job = InferenceJob(
        study=study,
        series=study.flair_series,
        flair_sha256=study.flair_sha256,
        requested_by=actor,
        is_background=is_background,
        warnings=_warnings_of(study),
    )
    transitions.queue(job)
    journal.record(EventKind.JOB_REQUESTED, job, actor=actor)
    return job


def _warnings_of(study: Study) -> list[str]:
    series = study.flair_series
    if series is None or series.is_complete:
        return []
    if series.is_complete is None:
        return ["The series was still being received when inference was asked for."]
    return [f"The series is incomplete: {'; '.join(series.problems)}."]


def _cancel_superseded(study: Study) -> None:
    live = InferenceJob.objects.locked().live().filter(study=study).first()
    if live is not None:
        transitions.close(live, JobState.CANCELLED, reason=SUPERSEDED, actor=None)


def _locked_study(study_id: UUID, actor: User | None) -> Study:
    visible = Study.objects.all()
    if actor is not None:
        require(actor, Action.INFERENCE_REQUEST)
        visible = Study.objects.visible_to(actor)
    study = visible.select_for_update().filter(pk=study_id).first()
    if study is None:
        raise NotFoundError("no such study, or none that you may see")
    return study


def _locked_job(job_id: UUID, actor: User) -> InferenceJob:
    job = InferenceJob.objects.visible_to(actor).filter(pk=job_id).first()
    if job is None:
        raise NotFoundError("no such job, or none that you may see")
    Study.objects.select_for_update().get(pk=job.study_id)
    return InferenceJob.objects.locked().get(pk=job_id)
