"""Every write of comments, and their reading."""

from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from plaqueview.accounts.models import User
from plaqueview.annotations.models import Annotation, Comment
from plaqueview.annotations.ownership import is_blinded
from plaqueview.annotations.reading import visible_study
from plaqueview.audit import services as audit
from plaqueview.audit.models import EventKind
from plaqueview.core.access import Action, require
from plaqueview.core.errors import InvalidError, NotFoundError
from plaqueview.core.live import announce, study_topic


@dataclass(frozen=True)
class Remark:
    """What a reader says of a study, of one of its versions, or of a voxel (slice, row, column)."""

    text: str
    annotation_id: UUID | None = None
    anchor: tuple[int, int, int] | None = None


def read_comments(*, study_id: UUID, actor: User) -> QuerySet[Comment]:
    """The comments on a study, oldest first; the reading is on record.

    Raises: DeniedError, NotFoundError.
    """
    require(actor, Action.ANNOTATION_READ)
    study = visible_study(study_id, actor)
    audit.record_once(
        EventKind.COMMENT_READ, actor=actor, object_type="study", object_id=study.pk, site_id=study.site_id
    )
    visible = Comment.objects.visible_to(actor).select_related("author", "resolved_by")
    return visible.filter(study=study).order_by("created", "pk")


@transaction.atomic
def add_comment(*, study_id: UUID, remark: Remark, actor: User) -> Comment:
    """The remark stands beside the study, for good; who looks at the study hears of it.

    Raises: DeniedError, NotFoundError; InvalidError when the version is of another study, or the anchor outside of it.
    """
    require(actor, Action.ANNOTATION_EDIT)
    study = visible_study(study_id, actor)
    annotation = _version_of(study_id, remark, actor)
    comment = Comment.objects.create(
        study=study,
        annotation=annotation,
        author=actor,
        text=remark.text,
        anchor=list(remark.anchor) if remark.anchor else None,
    )
    _record(EventKind.COMMENT_CREATED, comment, actor)
    _publish(comment)
    return comment


@transaction.atomic
def resolve_comment(*, comment_id: UUID, actor: User) -> Comment:
    """The comment is settled, by whoever said so first.

    Raises: DeniedError, NotFoundError.
    """
    require(actor, Action.ANNOTATION_EDIT)
    visible = Comment.objects.visible_to(actor).select_for_update(of=("self",)).select_related("study", "author")
    comment = visible.filter(pk=comment_id).first()
    if comment is None:
        raise NotFoundError("no such comment, or none that you may see")
    if comment.resolved_at is None:
        comment.resolved_at, comment.resolved_by = timezone.now(), actor
        comment.save()
        _record(EventKind.COMMENT_RESOLVED, comment, actor)
        _publish(comment)
    return comment


def _version_of(study_id: UUID, remark: Remark, actor: User) -> Annotation | None:
    if remark.annotation_id is None:
        return None
    annotation = Annotation.objects.visible_to(actor).filter(pk=remark.annotation_id, study_id=study_id).first()
    if annotation is None:
        detail = "annotation is no version of the study"
        raise InvalidError(detail, fields={"annotation": detail})
    if remark.anchor and not all(index < size for index, size in zip(remark.anchor, annotation.shape, strict=True)):
        detail = f"the anchor {remark.anchor} lies outside of the grid {annotation.shape}"
        raise InvalidError(detail, fields={"anchor": detail})
    return annotation


def _record(kind: EventKind, comment: Comment, actor: User) -> None:
    audit.record(
        kind,
        actor=actor,
        object_type="comment",
        object_id=comment.pk,
        site_id=comment.study.site_id,
        details={
            "study": str(comment.study_id),
            "annotation": str(comment.annotation_id) if comment.annotation_id else None,
        },
    )


def _publish(comment: Comment) -> None:
    """Who looks at the study hears of the comment after the commit; of a blinded reader's nobody does."""
    if is_blinded(comment.study_id, comment.author):
        return
    event = {"type": "comment.changed", "study": str(comment.study_id), "comment": str(comment.pk)}
    announce(event, topics=(study_topic(comment.study_id),), site_id=comment.study.site_id)
