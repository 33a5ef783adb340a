"""The steps of a version: a draft is submitted, then approved or returned; the only place that moves its state."""

from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from plaqueview.accounts.models import User
from plaqueview.annotations import drafts, journal, versions
from plaqueview.annotations.double_readings import Figures, agreement_so_far, end_double_reading, take_reading
from plaqueview.annotations.files import store_encoded
from plaqueview.annotations.measuring import MeasuredMask, measure, regions_by
from plaqueview.annotations.models import Annotation, AnnotationState, Draft, Lesion, ReviewStep, Step
from plaqueview.annotations.ownership import require_turn
from plaqueview.annotations.statements import Statement, require_agreement, words_by_lesion
from plaqueview.audit.models import EventKind
from plaqueview.core.access import Action, require
from plaqueview.core.errors import ConflictError, DeniedError, InvalidError, NotFoundError
from plaqueview.core.preconditions import Precondition
from plaqueview.imaging.lesion_class import LesionClass
from plaqueview.studies import services as studies
from plaqueview.studies.models import StudyState

LONGEST_COMMENT: Final = 4000


@dataclass(frozen=True)
class Move:
    """What a step of review does: from which state to which, what its study becomes, and how the audit calls it."""

    before: AnnotationState
    after: AnnotationState
    study_state: StudyState
    event: EventKind


MOVES: Final = {
    Step.APPROVED: Move(
        AnnotationState.SUBMITTED, AnnotationState.APPROVED, StudyState.APPROVED, EventKind.ANNOTATION_APPROVED
    ),
    Step.RETURNED: Move(
        AnnotationState.SUBMITTED, AnnotationState.RETURNED, StudyState.READY, EventKind.ANNOTATION_RETURNED
    ),
}


@dataclass(frozen=True)
class Submission:
    """`is_new` is False when the same draft had been submitted before."""

    annotation: Annotation
    is_new: bool


def submit(*, draft_id: UUID, precondition: Precondition, comment: str, actor: User) -> Submission:
    """The draft is the study's next version, for good, under the draft's id, and waits for review.

    Submitted again, it is the same version. The mask is measured and stored before the study is locked. A blinded
    reader's version is not shown as the study's, and nobody is told of it.

    Raises: DeniedError, NotFoundError; InvalidError when the mask contradicts a statement; PreconditionError;
    ConflictError when the id is that of a version which never was a draft, or others read the study.
    """
    require(actor, Action.ANNOTATION_EDIT)
    _check_comment(comment)
    draft = Draft.objects.visible_to(actor).filter(pk=draft_id).select_related("study", "base", "author").first()
    if draft is None or draft.ended_at is not None:
        return Submission(_submitted(draft_id, actor), is_new=False)
    drafts.require_own(draft, actor)
    drafts.require_current(precondition, draft)
    return _freeze(draft, _frozen(draft), comment, actor)


def approve(*, annotation_id: UUID, comment: str, actor: User) -> Annotation:
    """The version is approved, and so is its study.

    Raises: DeniedError, also for the author where the department asks for a second reader; NotFoundError;
    ConflictError when the version does not wait for review.
    """
    return _move(annotation_id, Step.APPROVED, comment, actor)


def give_back(*, annotation_id: UUID, comment: str, actor: User) -> Annotation:
    """The version is returned to its author, with what the reviewer says; the study waits to be read again.

    Raises: DeniedError, NotFoundError; InvalidError without a comment; ConflictError as for `approve`.
    """
    if not comment.strip():
        detail = "say why the version is returned"
        raise InvalidError(detail, fields={"comment": detail})
    return _move(annotation_id, Step.RETURNED, comment, actor)


@dataclass(frozen=True, eq=False)
class _Frozen:
    """A draft's content as a version keeps it, and how far a blinded reader's agrees with the other's version."""

    mask: MeasuredMask
    mask_key: str
    statements: list[Statement]
    agreement: Figures | None


def _frozen(draft: Draft) -> _Frozen:
    statements = [Statement.from_json(stored) for stored in draft.statements]
    mask = measure(draft.base, bytes(draft.mask))
    require_agreement(statements, mask.table)
    return _Frozen(mask, store_encoded(mask.encoded), statements, agreement_so_far(draft, mask.encoded))


def _with_regions(content: _Frozen, base: Annotation) -> _Frozen:
    """With the map that the base has now: it may have come since the mask was measured."""
    regions = regions_by(base.region_map_key, content.mask.table, base)
    return replace(content, mask=replace(content.mask, regions=regions))


@transaction.atomic
def _freeze(draft: Draft, content: _Frozen, comment: str, actor: User) -> Submission:
    study = drafts.locked_study(draft.study_id, actor)
    stored = Draft.objects.select_related("study", "base", "author").get(pk=draft.pk)
    if stored.ended_at is not None:
        return Submission(_submitted(stored.pk, actor), is_new=False)
    drafts.require_current(Precondition(frozenset({draft.etag})), stored)
    require_turn(study, actor)
    content = _with_regions(content, stored.base)
    annotation = _version_of(stored, content, actor)
    versions.insert(annotation, _lesions_of(annotation, content))
    drafts.end(stored, actor)
    _take_step(annotation, Step.SUBMITTED, EventKind.ANNOTATION_SUBMITTED, comment, actor)
    if stored.reader_id is None:
        _show(annotation, StudyState.IN_REVIEW)
        journal.publish(annotation)
    else:
        take_reading(annotation, actor, content.agreement)
    return Submission(annotation, is_new=True)


def _submitted(draft_id: UUID, actor: User) -> Annotation:
    """The version that the draft has become."""
    visible = Annotation.objects.visible_to(actor).select_related("author", "study", "base")
    annotation = visible.filter(pk=draft_id).first()
    if annotation is None:
        raise NotFoundError("no such draft, or none that you may see; it may have been discarded")
    if annotation.author_id is None:
        raise ConflictError(f"the version is {annotation.state}; only a draft can be submitted")
    return annotation


def _version_of(draft: Draft, content: _Frozen, actor: User) -> Annotation:
    base, table = draft.base, content.mask.table
    confirmed = {number for number, word in words_by_lesion(content.statements, table).items() if word.confirmation}
    active = {lesion.number for lesion in table.lesions if lesion.lesion_class is LesionClass.ACTIVE}
    return Annotation(
        id=draft.pk,
        study=draft.study,
        series_id=base.series_id,
        version=versions.next_version(draft.study),
        state=AnnotationState.SUBMITTED,
        author=actor,
        base=base,
        slices=base.slices,
        rows=base.rows,
        columns=base.columns,
        affine=base.affine,
        mask_key=content.mask_key,
        brain_mask_key=base.brain_mask_key,
        probability_key=base.probability_key,
        **_regions_of(base, content.mask),
        **versions.measures_of(table),
        unconfirmed_active_count=len(active - confirmed),
        statements=draft.statements,
        warnings=base.warnings,
    )


def _regions_of(base: Annotation, mask: MeasuredMask) -> dict[str, Any]:  # Any: values of an annotation's fields
    """The region map of the base, with the counts of this mask; while the base waits for its map, so does this."""
    counts = versions.region_counts(mask.table, mask.regions) if base.region_map_key else {}
    return {
        "region_map_key": base.region_map_key,
        "region_rule": base.region_rule,
        "region_note": base.region_note,
        "region_counts": counts,
    }


def _lesions_of(annotation: Annotation, content: _Frozen) -> list[Lesion]:
    table = content.mask.table
    words = words_by_lesion(content.statements, table)
    authors = User.objects.in_bulk({one.author for one in content.statements}, field_name="username")
    pairs = zip(table.lesions, content.mask.regions, strict=True)
    rows = [Lesion(annotation=annotation, **versions.lesion_fields(one, region)) for one, region in pairs]
    for row in rows:
        word = words.get(row.number)
        if word is None:
            continue
        row.statement_kind, confirmation = word.last.kind.value, word.confirmation
        if confirmation is not None:
            row.evidence, row.evidence_at = confirmation.evidence, confirmation.created
            row.evidence_by = authors[confirmation.author]
    return rows


@transaction.atomic
def _move(annotation_id: UUID, step: Step, comment: str, actor: User) -> Annotation:
    require(actor, Action.ANNOTATION_REVIEW)
    _check_comment(comment)
    annotation = _locked(annotation_id, actor)
    move = MOVES[step]
    _check_move(annotation, step, actor)
    annotation.state = move.after
    Annotation.objects.filter(pk=annotation.pk).update(state=move.after, modified=timezone.now())
    _take_step(annotation, step, move.event, comment, actor)
    _show(annotation, move.study_state)
    if step is Step.APPROVED:
        end_double_reading(annotation.study_id, actor)
    journal.publish(annotation)
    return annotation


def _locked(annotation_id: UUID, actor: User) -> Annotation:
    """The version, locked together with its study."""
    visible = Annotation.objects.visible_to(actor).select_related("author", "study", "base")
    found = visible.filter(pk=annotation_id).first()
    if found is None:
        raise NotFoundError("no such annotation, or none that you may see")
    drafts.locked_study(found.study_id, actor)
    return visible.get(pk=annotation_id)


def _check_move(annotation: Annotation, step: Step, actor: User) -> None:
    before = MOVES[step].before
    if annotation.state != before:
        raise ConflictError(f"the version is {annotation.state}; only one that is {before} can be {step}")
    if annotation.study.current_annotation_id != annotation.pk:
        raise ConflictError(f"version {annotation.version} is not the study's current one; review that")
    if step is Step.APPROVED and settings.REVIEW_NEEDS_SECOND_READER and annotation.author_id == actor.pk:
        raise DeniedError("you are the author; in this department another reader approves")


def _take_step(annotation: Annotation, step: Step, event: EventKind, comment: str, actor: User) -> None:
    ReviewStep.objects.create(annotation=annotation, step=step, by=actor, comment=comment)
    details: dict[str, str | int] = {"base": str(annotation.base_id), "version": annotation.version}
    journal.record(event, annotation, actor=actor, details=details)


def _show(annotation: Annotation, state: StudyState) -> None:
    studies.record_result(study_id=annotation.study_id, annotation=journal.summary_of(annotation))
    studies.set_state(annotation.study_id, state)


def _check_comment(comment: str) -> None:
    if len(comment) > LONGEST_COMMENT:
        detail = f"the comment has {len(comment)} characters, at most {LONGEST_COMMENT} are kept"
        raise InvalidError(detail, fields={"comment": detail})
