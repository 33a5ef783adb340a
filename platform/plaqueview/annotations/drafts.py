"""Every write of drafts, and their reading: one shared by a study's readers, or one for each of a blinded study."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from plaqueview.accounts.models import User
from plaqueview.annotations import statements as words
from plaqueview.annotations.draft_measures import measures_of
from plaqueview.annotations.measuring import MeasuredMask, measure
from plaqueview.annotations.models import Annotation, Draft
from plaqueview.annotations.ownership import draft_owner, require_turn
from plaqueview.annotations.reading import visible_study
from plaqueview.annotations.statements import Statement
from plaqueview.audit import services as audit
from plaqueview.audit.models import EventKind
from plaqueview.core.access import Action, require
from plaqueview.core.errors import InvalidError, NotFoundError, PreconditionError
from plaqueview.core.live import Event, announce, study_topic
from plaqueview.core.preconditions import Precondition
from plaqueview.studies.models import Study

JSON = dict[str, Any]  # Any: JSON

# The revision in the event that tells of a draft's end.
ENDED = 0


@dataclass(frozen=True)
class DraftContent:
    """What a reader saves: `mask` in the bytes of `imaging.mask_codec`, as they were received."""

    base_id: UUID
    mask: bytes
    statements: Sequence[Statement]


def read_draft(*, study_id: UUID, actor: User) -> Draft:
    """The draft that the actor would work on; the reading is on record.

    Raises: DeniedError; NotFoundError when there is no draft.
    """
    require(actor, Action.ANNOTATION_READ)
    study = visible_study(study_id, actor)
    draft = _open_draft(study, actor)
    if draft is None:
        raise NotFoundError("the study has no draft")
    audit.record_once(EventKind.DRAFT_READ, actor=actor, object_type="draft", object_id=draft.pk, site_id=study.site_id)
    return draft


def save_draft(*, study_id: UUID, precondition: Precondition, content: DraftContent, actor: User) -> Draft:
    """The study's draft holds the content, under the next revision; who looks at the study hears of it.

    The mask is measured before the study is locked, so that nobody waits for it.

    Raises: DeniedError, NotFoundError; InvalidError when the content is not of the study; PreconditionError;
    ConflictError when others read the study.
    """
    require(actor, Action.ANNOTATION_EDIT)
    visible_study(study_id, actor)
    base = _base(study_id, content.base_id, actor)
    words.check(content.statements, base.shape)
    measured = measure(base, content.mask)
    return _store(study_id, precondition, _Measured(base, measured, content.statements), actor)


@transaction.atomic
def discard_draft(*, study_id: UUID, precondition: Precondition, actor: User) -> None:
    """The study has no draft; its mask is gone.

    Raises: DeniedError; NotFoundError when there is none; PreconditionError.
    """
    require(actor, Action.ANNOTATION_EDIT)
    study = locked_study(study_id, actor)
    draft = _open_draft(study, actor)
    if draft is None:
        raise NotFoundError("the study has no draft")
    require_current(precondition, draft)
    record(EventKind.DRAFT_DISCARDED, draft, actor=actor)
    end(draft, actor)


def locked_study(study_id: UUID, actor: User) -> Study:
    """The study, whose versions and drafts nobody else changes until the transaction ends.

    Raises: NotFoundError when there is none that the actor may see.
    """
    study = Study.objects.visible_to(actor).select_for_update(of=("self",)).filter(pk=study_id).first()
    if study is None:
        raise NotFoundError("no such study, or none that you may see")
    return study


def require_own(draft: Draft, actor: User) -> None:
    """Raises: NotFoundError when the draft is that of another reader of a blinded study."""
    owner = draft_owner(draft.study, actor)
    if draft.reader_id != (owner.pk if owner else None):
        raise NotFoundError("no such draft, or none that you may see")


def require_current(precondition: Precondition, draft: Draft) -> None:
    """Raises: PreconditionError, which tells of the draft that is stored."""
    if not precondition.holds_for(draft.etag):
        raise PreconditionError(
            f"the draft is at revision {draft.revision}, saved by {draft.author.get_username()}; yours is another",
            members=_members(draft, draft.revision),
        )


def end(draft: Draft, actor: User) -> None:
    """The draft can be changed no more, and its mask is gone from the row; called under the lock of the study."""
    draft.author, draft.ended_at = actor, timezone.now()
    draft.mask, draft.statements, draft.measures = b"", [], {}
    draft.save()
    _publish(draft, ENDED)


def record(kind: EventKind, draft: Draft, *, actor: User) -> None:
    """The audit knows what happened to the draft."""
    audit.record(
        kind,
        actor=actor,
        object_type="draft",
        object_id=draft.pk,
        site_id=draft.study.site_id,
        details={"study": str(draft.study_id), "base": str(draft.base_id), "revision": draft.revision},
    )


@dataclass(frozen=True, eq=False)
class _Measured:
    base: Annotation
    mask: MeasuredMask
    statements: Sequence[Statement]


@transaction.atomic
def _store(study_id: UUID, precondition: Precondition, content: _Measured, actor: User) -> Draft:
    study = locked_study(study_id, actor)
    require_turn(study, actor)
    draft = _open_draft(study, actor)
    if draft is not None:
        require_current(precondition, draft)
    elif not precondition.holds_for(None):
        raise _gone(study, actor)
    is_new = draft is None
    draft = draft or Draft(study=study, reader=draft_owner(study, actor))
    draft.revision = _next_revision(study) if is_new else draft.revision + 1
    _fill(draft, content, actor)
    draft.save(force_insert=is_new)
    if is_new:
        record(EventKind.DRAFT_CREATED, draft, actor=actor)
    _publish(draft, draft.revision)
    return draft


def _fill(draft: Draft, content: _Measured, actor: User) -> None:
    known = map(Statement.from_json, [*content.base.statements, *draft.statements])
    signed = words.sign(content.statements, known=known, author=actor.get_username(), now=timezone.now())
    draft.base, draft.author, draft.mask = content.base, actor, content.mask.encoded
    draft.statements = [statement.as_json() for statement in signed]
    draft.measures = measures_of(draft.pk, content.mask, signed)


def _base(study_id: UUID, base_id: UUID, actor: User) -> Annotation:
    """Any version of the study, also an old one."""
    base = Annotation.objects.visible_to(actor).filter(pk=base_id, study_id=study_id).first()
    if base is None:
        raise InvalidError("base is no version of the study", fields={"base": "the id of a version of the study"})
    return base


def _open_draft(study: Study, actor: User) -> Draft | None:
    drafts = Draft.objects.open().filter(study=study, reader=draft_owner(study, actor))
    return drafts.select_related("study", "base", "author").first()


def _next_revision(study: Study) -> int:
    """Higher than that of every draft the study had, so that a tag names one content for good."""
    return (Draft.objects.filter(study=study).aggregate(last=Max("revision"))["last"] or 0) + 1


def _gone(study: Study, actor: User) -> PreconditionError:
    ended = Draft.objects.filter(study=study, reader=draft_owner(study, actor)).order_by("-revision").first()
    if ended is None:
        return PreconditionError("the study has no draft; If-None-Match: * makes one", members={"revision": None})
    is_version = Annotation.objects.filter(pk=ended.pk).exists()
    what = "submitted" if is_version else "discarded"
    return PreconditionError(
        f"the draft was {what} by {ended.author.get_username()}; If-None-Match: * makes a new one",
        members=_members(ended, None),
    )


def _members(draft: Draft, revision: int | None) -> JSON:
    return {"revision": revision, "author": draft.author.get_username(), "modified": draft.modified.isoformat()}


def _publish(draft: Draft, revision: int) -> None:
    """Who looks at the study hears of the draft after the commit; of a blinded reader's nobody does."""
    if draft.reader_id is not None:
        return
    event: Event = {
        "type": "draft.changed",
        "study": str(draft.study_id),
        "draft": str(draft.pk),
        "revision": revision,
        "author": draft.author.get_username(),
    }
    announce(event, topics=(study_topic(draft.study_id),), site_id=draft.study.site_id)
