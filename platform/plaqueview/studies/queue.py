"""The reading queue: who reads a study, and which one comes next."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q

from plaqueview.accounts.models import Site, User
from plaqueview.accounts.readers import reader_of_site, readers_of_site
from plaqueview.audit.models import EventKind
from plaqueview.audit.services import record, record_once
from plaqueview.core.access import Action, require
from plaqueview.core.errors import ConflictError, DeniedError, NotFoundError
from plaqueview.studies.models import ReadingState, Study, StudyQuerySet
from plaqueview.studies.summaries import announce_study

VOLUME_ML = F("active_volume_ml") + F("inactive_volume_ml")  # written as in the index `study_queue`


@transaction.atomic
def assign(*, study_id: UUID, reader: str | None, actor: User) -> Study:
    """The study is the reader's to read, or nobody's.

    A reader takes what is nobody's and releases what is theirs; who manages the reading does it for anybody.

    Raises: DeniedError; NotFoundError; InvalidError when the reader cannot read the study; ConflictError when it is
    another reader's.
    """
    require(actor, Action.ANNOTATION_EDIT)
    study = Study.objects.visible_to(actor).select_for_update(of=("self",)).filter(pk=study_id).first()
    if study is None:
        raise NotFoundError("no such study, or none that you may see")
    wanted = reader_of_site(reader, site_id=study.site_id, field="reader") if reader is not None else None
    wanted_id = wanted.pk if wanted else None
    if Action.READING_MANAGE not in actor.actions:
        _require_own(study, wanted_id, actor)
    if study.assigned_to_id != wanted_id:
        _hand(study, wanted, actor)
    return study


def _hand(study: Study, wanted: User | None, actor: User | None) -> None:
    details = {"from": str(study.assigned_to_id or ""), "to": str(wanted.pk if wanted else "")}
    study.assigned_to = wanted
    study.save(update_fields=["assigned_to", "modified"])
    record(
        EventKind.ASSIGNMENT_CHANGED,
        actor=actor,
        object_type="study",
        object_id=study.pk,
        site_id=study.site_id,
        details=details,
    )
    announce_study(study)


def release_abandoned() -> None:
    """Unread studies are nobody's again whose reader cannot read them any more, and who alone could have released them.

    An account was closed since, or has another role or other sites.
    """
    for site_id in Site.objects.values_list("pk", flat=True):
        others = User.objects.exclude(pk__in=readers_of_site(site_id))
        abandoned = Study.objects.filter(site=site_id, assigned_to__in=others, reading=ReadingState.UNREAD)
        for study_id in abandoned.values_list("pk", flat=True):
            with transaction.atomic():
                study = abandoned.select_for_update(of=("self",)).filter(pk=study_id).first()
                if study is not None:
                    _hand(study, None, None)


def _require_own(study: Study, wanted_id: UUID | None, actor: User) -> None:
    if wanted_id not in {None, actor.pk}:
        raise DeniedError("this needs the action reading.manage; you can take a study for yourself")
    if study.assigned_to is not None and study.assigned_to_id != actor.pk:
        holder = study.assigned_to.get_username()
        raise ConflictError(f"the study is assigned to {holder}, who can release it")


@transaction.atomic
def set_under_double_reading(study_id: UUID, *, is_under: bool) -> None:
    """The study is out of the queue while readers read it blinded, and back in it afterwards."""
    study = Study.objects.select_for_update().get(pk=study_id)
    study.is_under_double_reading = is_under
    study.save(update_fields=["is_under_double_reading", "modified"])
    announce_study(study)


def read_next(*, after: UUID | None, actor: User) -> Study | None:
    """The unread study that the actor reads next: their own, then nobody's; None when no other is unread.

    The one with the most predicted active plaques comes first, then the one with the largest volume of plaques, then
    the one that waits longest. `after` is the study that the actor leaves: while it is unread, those behind it come
    first, so that a reader who skips goes round the queue and not back and forth.

    Raises: DeniedError.
    """
    require(actor, Action.ANNOTATION_EDIT)
    sites = [_unread(studies) for studies in Study.objects.of_each_site(actor)]
    left = next((study for unread in sites if (study := unread.filter(pk=after).first())), None) if after else None
    other = Q() if left is None else ~Q(pk=left.pk)
    own, free = other & Q(assigned_to=actor), other & Q(assigned_to=None)
    if left is not None and left.assigned_to_id == actor.pk:
        turns = [*(own & behind for behind in _behind(left)), free, own]
    elif left is not None and left.assigned_to_id is None:
        turns = [*(free & behind for behind in _behind(left)), own, free]
    else:
        turns = [own, free]
    study = next((study for turn in turns if (study := _first(sites, turn))), None)
    if study is not None:
        record_once(EventKind.STUDY_READ, actor=actor, object_type="study", object_id=study.pk, site_id=study.site_id)
    return study


def _first(sites: Sequence[StudyQuerySet], turn: Q) -> Study | None:
    """Each site's first is the first of an index; the first of these is the first of all."""
    firsts = [study for unread in sites if (study := unread.filter(turn).first())]
    return min(firsts, key=_place, default=None)


def _place(study: Study) -> tuple[int, float, datetime, UUID]:
    """Where it stands in the order of `_unread`, whose annotation it carries."""
    volume_ml: float = study.volume_ml  # type: ignore[attr-defined]  # annotated
    return -(study.active_count or 0), -volume_ml, study.received_at, study.pk


def _unread(studies: StudyQuerySet) -> StudyQuerySet:
    unread = studies.select_related("patient", "assigned_to").filter(reading=ReadingState.UNREAD)
    return unread.annotate(volume_ml=VOLUME_ML).order_by("-active_count", "-volume_ml", "received_at", "id")


def _behind(study: Study) -> Sequence[Q]:
    """What follows the study in the order of `_unread`, whose annotation it carries, the nearest first.

    Each part is a stretch of the index; asked for at once, they would have it read from its beginning.
    """
    volume_ml: float = study.volume_ml  # type: ignore[attr-defined]  # annotated
    same_count = Q(active_count=study.active_count)
    same_volume = same_count & Q(volume_ml=volume_ml)
    same_time = same_volume & Q(received_at=study.received_at)
    return (
        same_time & Q(pk__gt=study.pk),
        same_volume & Q(received_at__gt=study.received_at),
        same_count & Q(volume_ml__lt=volume_ml),
        Q(active_count__lt=study.active_count),
    )
