"""The reads of annotations that the audit keeps."""

from collections.abc import Collection
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from plaqueview.accounts.models import User
from plaqueview.annotations import journal
from plaqueview.annotations.models import Annotation
from plaqueview.audit import services as audit
from plaqueview.audit.models import EventKind
from plaqueview.core.access import Action, require
from plaqueview.core.errors import NotFoundError
from plaqueview.studies.models import Study


@transaction.atomic
def read_versions(*, study_id: UUID, actor: User) -> QuerySet[Annotation]:
    """The versions of a study, newest first; the reading is on record, once in a while.

    Raises: DeniedError, NotFoundError.
    """
    require(actor, Action.ANNOTATION_READ)
    study = visible_study(study_id, actor)
    audit.record_once(
        EventKind.ANNOTATION_READ, actor=actor, object_type="study", object_id=study.pk, site_id=study.site_id,
        details={"part": "versions"},
    )  # fmt: skip
    return (
        Annotation.objects.visible_to(actor).filter(study=study).select_related("author", "study").order_by("-version")
    )


@transaction.atomic
def read(*, annotation_id: UUID, actor: User, part: str) -> Annotation:
    """The annotation; that the actor read this part of it is on record, once in a while.

    Raises: DeniedError, NotFoundError.
    """
    require(actor, Action.ANNOTATION_READ)
    visible = Annotation.objects.visible_to(actor).select_related("author", "study", "series", "base")
    annotation = visible.filter(pk=annotation_id).first()
    if annotation is None:
        raise NotFoundError("no such annotation, or none that you may see")
    journal.record_reading(annotation, actor=actor, part=part)
    return annotation


@transaction.atomic
def read_current(*, study_id: UUID, actor: User, part: str) -> Annotation:
    """The study's current annotation; that the actor read this part of it is on record.

    Raises: DeniedError; NotFoundError when the study has no annotation yet, which is not the same as no lesions.
    """
    require(actor, Action.ANNOTATION_READ)
    study = visible_study(study_id, actor)
    if study.current_annotation_id is None:
        raise NotFoundError(f"the study has no annotation yet; it is {study.state}")
    return read(annotation_id=study.current_annotation_id, actor=actor, part=part)


@transaction.atomic
def read_several(*, annotation_ids: Collection[UUID], actor: User, part: str) -> dict[UUID, Annotation]:
    """The annotations by id; that the actor read this part of each is on record, once in a while.

    Raises: DeniedError; NotFoundError when one of them is not there, or not for the actor to see.
    """
    require(actor, Action.ANNOTATION_READ)
    visible = Annotation.objects.visible_to(actor).select_related("author", "study__site", "series", "base")
    found = visible.in_bulk(annotation_ids)
    if len(found) < len(set(annotation_ids)):
        raise NotFoundError("no such annotation, or none that you may see")
    for annotation in found.values():
        journal.record_reading(annotation, actor=actor, part=part)
    return found


def visible_study(study_id: UUID, actor: User) -> Study:
    """Raises: NotFoundError when there is none that the actor may see."""
    study = Study.objects.visible_to(actor).filter(pk=study_id).first()
    if study is None:
        raise NotFoundError("no such study, or none that you may see")
    return study
