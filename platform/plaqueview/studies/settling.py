"""Looking at a study as a whole once it is in: completeness, the choice of the FLAIR, and what happens next."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction

from plaqueview.accounts.models import User
from plaqueview.audit.models import EventKind
from plaqueview.audit.services import record
from plaqueview.core import clock
from plaqueview.core.access import Action, require
from plaqueview.core.errors import InvalidError, NotFoundError
from plaqueview.core.queue import LATER, enqueue
from plaqueview.imaging.completeness import Completeness, InstanceHeader, assess
from plaqueview.imaging.post_contrast import choose_post_contrast_t1
from plaqueview.imaging.series_choice import SeriesHeader, choose_flair
from plaqueview.imaging.t1_pair import choose_t1_pair
from plaqueview.studies.instance_header import series_header, slice_header
from plaqueview.studies.models import (
    UNDER_READERS,
    Instance,
    Series,
    SeriesSource,
    Study,
    StudyState,
    Upload,
    UploadState,
)
from plaqueview.studies.summaries import MAX_REASON_LENGTH, announce_study

SETTLE_TASK = "studies.settle"
PROCESS_UPLOAD_TASK = "studies.process_upload"
# Floors above: named, never held.
REQUEST_TASK = "inference.request_for_study"
ENHANCEMENT_TASK = "enhancement.request_for_study"
HEADERS_TASK = "pacs.keep_headers"

# A study that waits for its job longer than this lost the message that asks for one.
JOB_MESSAGE_LOST_AFTER = timedelta(seconds=30)

JOB_IS_COMING = {"queued", "running"}

# Senders that part a study into several requests pause for less than this between them.
MOMENT_S = 0.5

WITHOUT_VOLUME = {StudyState.RECEIVING, StudyState.INCOMPLETE, StudyState.NO_FLAIR}


@transaction.atomic
def settle(study_id: UUID, *, quiet_s: float = 0.0) -> None:
    """Every series is assessed, the FLAIR is chosen, and inference is asked for when there is something new to look at.

    A reader's choice of series stays. A study in review or approved keeps its state and its FLAIR, on which its
    versions lie. Settling twice changes nothing, and so does settling a study that was not quiet for so long, since
    whoever sends it settles it later, and one that was removed meanwhile.
    """
    study = Study.objects.select_for_update().filter(pk=study_id).first()
    if study is None or study.is_settled or study.last_received_at > clock.now() - timedelta(seconds=quiet_s):
        return
    series = list(study.series.all())
    headers = {one.series_instance_uid: _assessed(one) for one in series}
    _store_choice(study, headers, series)
    study.is_settled = True
    _move_on(study)
    study.save()
    record(EventKind.STUDY_SETTLED, actor=None, object_type="study", object_id=study.pk, site_id=study.site_id)
    announce_study(study)
    enqueue(HEADERS_TASK, str(study.pk), priority=LATER)
    if study.current_annotation_id is not None and study.series_choice["t1_pair"]["before"]:
        enqueue(ENHANCEMENT_TASK, str(study.pk))


def settle_soon(study_ids: Collection[UUID]) -> None:
    """The studies are settled in a moment, unless more of them arrives until then: a sender's next request, or its
    next association, follows within that moment.
    """
    for study_id in study_ids:
        enqueue(SETTLE_TASK, str(study_id), str(MOMENT_S), delay_s=MOMENT_S)


@transaction.atomic
def override_flair(*, study_id: UUID, series_id: UUID, actor: User) -> Study:
    """The series is the study's FLAIR by the reader's word.

    A study that had none to look at is then queued; any other keeps its result until a new job is requested.

    Raises: NotFoundError, DeniedError; InvalidError when the series is no MR series of the study.
    """
    require(actor, Action.STUDY_OVERRIDE)
    study = Study.objects.visible_to(actor).select_for_update(of=("self",)).filter(pk=study_id).first()
    if study is None:
        raise NotFoundError(f"there is no study {study_id} that you may see")
    series = study.series.filter(pk=series_id).first()
    if series is None or series.modality != "MR":
        raise InvalidError("flair_series has to be an MR series of the study", fields={"flair_series": str(series_id)})
    record(
        EventKind.FLAIR_CHOSEN,
        actor=actor,
        object_type="study",
        object_id=study.pk,
        site_id=study.site_id,
        details={"series": str(series.pk), "instead_of": str(study.flair_series_id or "")},
    )
    study.flair_series, study.flair_overridden_by = series, actor
    study.flair_sha256 = fingerprint_of(series) if study.state not in WITHOUT_VOLUME else ""
    if study.is_settled:
        _move_on(study)
    study.save()
    announce_study(study)
    return study


def enqueue_overdue() -> None:
    """Each study whose last instance is older than the quiet period is about to be settled; what got stuck is resent.

    Tasks are named one by one, so that a study that cannot be settled does not hold up the others.
    """
    now = clock.now()
    quiet = now - timedelta(seconds=settings.QUIET_PERIOD_S)
    for study_id in Study.objects.filter(is_settled=False, last_received_at__lte=quiet).values_list("pk", flat=True):
        enqueue(SETTLE_TASK, str(study_id))
    waiting = Study.objects.filter(state=StudyState.QUEUED, is_settled=True, modified__lte=now - JOB_MESSAGE_LOST_AFTER)
    for study_id, job in waiting.values_list("pk", "job_summary"):
        if job is None or job["state"] not in JOB_IS_COMING:
            enqueue(REQUEST_TASK, str(study_id))
    orphaned = Upload.objects.filter(state=UploadState.PROCESSING, lease_expires_at__lte=now)
    for upload_id in orphaned.values_list("pk", flat=True):
        enqueue(PROCESS_UPLOAD_TASK, str(upload_id))


def slice_headers(series: Series) -> list[InstanceHeader]:
    """Every slice of the series as its instances' headers tell it, in no order."""
    stored = Instance.objects.filter(series=series).order_by().values_list("attributes", flat=True)
    return [slice_header(one) for attributes in stored for one in attributes.get("slices", ())]


def _assessed(series: Series) -> SeriesHeader:
    """The header with what its slices add up to; the findings stand in the series' row."""
    slices = slice_headers(series)
    completeness = assess(slices) if slices else Completeness(0, None, ("the series has no slices",))
    spacing_mm = _spacing_mm(completeness, slices)
    series.slice_count = completeness.slice_count
    series.spacing_mm = list(spacing_mm) if spacing_mm else None
    series.is_complete = completeness.is_complete
    series.problems = [*completeness.problems, *completeness.remarks]
    series.save(update_fields=["slice_count", "spacing_mm", "is_complete", "problems", "modified"])
    is_nifti = series.source == SeriesSource.NIFTI
    file_name = series.source_name.rpartition("/")[2]
    known: dict[str, object] = {"is_nifti": True, "series_description": file_name} if is_nifti else {}
    return series_header(
        series.attributes,
        slice_count=completeness.slice_count,
        spacing_mm=spacing_mm,
        is_complete=completeness.is_complete,
        **known,
    )


def _spacing_mm(completeness: Completeness, slices: Sequence[InstanceHeader]) -> tuple[float, float, float] | None:
    in_plane = slices[0].pixel_spacing if slices else None
    if completeness.slice_spacing_mm is None or in_plane is None:
        return None
    return completeness.slice_spacing_mm, *in_plane


def _store_choice(study: Study, header_of: Mapping[str, SeriesHeader], series: Sequence[Series]) -> None:
    headers = list(header_of.values())
    choice, post_contrast, pair = choose_flair(headers), choose_post_contrast_t1(headers), choose_t1_pair(headers)
    by_uid = {one.series_instance_uid: one for one in series}
    study.series_choice = {
        "reason": choice.reason,
        "candidates": [
            {
                "series": str(by_uid[one.series_instance_uid].pk),
                "score": one.score,
                "is_excluded": one.is_excluded,
                "reasons": list(one.reasons),
            }
            for one in choice.candidates
        ],
        "post_contrast": {
            "series": str(by_uid[post_contrast.series].pk) if post_contrast.series else None,
            "reason": post_contrast.reason,
        },
        "t1_pair": {
            "before": str(by_uid[pair.before].pk) if pair.before else None,
            "after": str(by_uid[pair.after].pk) if pair.after else None,
            "reason": pair.reason,
        },
    }
    if study.flair_overridden_by_id is not None:
        return
    chosen, kept = by_uid[choice.flair] if choice.flair else None, study.flair_series
    if kept is None or study.state not in UNDER_READERS:
        study.flair_series = chosen
    elif kept != chosen:
        stays = f"{header_of[kept.series_instance_uid].name} was read and stays the FLAIR"
        study.series_choice["reason"] = f"{stays}; the automatic choice would be: {choice.reason}"


def _move_on(study: Study) -> None:
    """The next state of a settled study, and the request for a job where its FLAIR is new."""
    if study.state in UNDER_READERS:
        return
    flair = study.flair_series
    if flair is None:
        study.flair_sha256 = ""
        _enter(study, StudyState.NO_FLAIR, study.series_choice["reason"])
    elif not flair.is_complete:
        study.flair_sha256 = ""
        _enter(study, StudyState.INCOMPLETE, "; ".join(flair.problems))
    elif (fingerprint := fingerprint_of(flair)) != study.flair_sha256 or study.state in WITHOUT_VOLUME:
        study.flair_sha256 = fingerprint
        _enter(study, StudyState.QUEUED, "")
        enqueue(REQUEST_TASK, str(study.pk))


def _enter(study: Study, state: StudyState, reason: str) -> None:
    study.state, study.state_reason = state, reason[:MAX_REASON_LENGTH]


def fingerprint_of(series: Series) -> str:
    """SHA-256 over the instances of the series; another one means another volume."""
    uids = Instance.objects.filter(series=series).order_by("sop_instance_uid").values_list("sha256", flat=True)
    return hashlib.sha256("\n".join(uids).encode()).hexdigest()
