"""Blinded double reading: two readers mark a study alone, their agreement is measured, an adjudicator decides.

The steps are made by what the readers do anyway: the second submission opens the adjudication, the approval of the
adjudicator's version ends it. `annotations.review` calls here when either happens, under the lock of the study.
"""

from dataclasses import asdict, dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from plaqueview.accounts.models import User
from plaqueview.accounts.readers import reader_of_site
from plaqueview.annotations import drafts
from plaqueview.annotations.masks import labels_of
from plaqueview.annotations.measuring import affine_of, rule_of
from plaqueview.annotations.models import Annotation, BlindedReading, DoubleReading, DoubleReadingState, Draft
from plaqueview.audit import services as audit
from plaqueview.audit.models import EventKind
from plaqueview.core.access import Action, require
from plaqueview.core.errors import ConflictError, InvalidError, NotFoundError
from plaqueview.imaging import mask_codec
from plaqueview.imaging.agreement import AgreementError, measure_agreement
from plaqueview.imaging.volume import Volume
from plaqueview.studies import services as studies
from plaqueview.studies.models import ReadingState, Study

# What `imaging.agreement` says, as its row keeps it.
Figures = dict[str, object]


@dataclass(frozen=True)
class Panel:
    """Who takes part, by username."""

    readers: tuple[str, str]
    adjudicator: str


@transaction.atomic
def create_double_reading(*, study_id: UUID, panel: Panel, actor: User) -> DoubleReading:
    """The study is read blinded by the two readers, and is out of the queue until the adjudicator has decided.

    Raises: DeniedError, NotFoundError; InvalidError when the three are not three readers of the study's site;
    ConflictError when a reader has marked the study, or it does not wait for one.
    """
    require(actor, Action.READING_MANAGE)
    study = Study.objects.visible_to(actor).select_for_update(of=("self",)).filter(pk=study_id).first()
    if study is None:
        raise NotFoundError("no such study, or none that you may see")
    if len({*panel.readers, panel.adjudicator}) != 3:
        detail = "the readers and the adjudicator have to be three people"
        raise InvalidError(detail, fields={"readers": detail})
    readers = [reader_of_site(name, site_id=study.site_id, field="readers") for name in panel.readers]
    adjudicator = reader_of_site(panel.adjudicator, site_id=study.site_id, field="adjudicator")
    _require_untouched(study)
    double_reading = DoubleReading.objects.create(study=study, adjudicator=adjudicator, requested_by=actor)
    BlindedReading.objects.bulk_create(
        BlindedReading(double_reading=double_reading, reader=reader) for reader in readers
    )
    studies.set_under_double_reading(study.pk, is_under=True)
    _record(EventKind.DOUBLE_READING_CREATED, double_reading, actor)
    return double_reading


def _require_untouched(study: Study) -> None:
    """Nobody can read blinded what another reader's marks already stand on."""
    if DoubleReading.objects.ongoing().filter(study=study).exists():
        raise ConflictError("the study is under double reading already")
    if study.reading != ReadingState.UNREAD:
        raise ConflictError(f"the study is {study.state}; only one that waits for a reader can be read twice")
    if Draft.objects.open().filter(study=study).exists():
        raise ConflictError("the study has a draft; it has to be submitted or discarded first")
    if Annotation.objects.filter(study=study, author__isnull=False).exists():
        raise ConflictError("a reader has marked the study before; nobody can read it blinded any more")


@transaction.atomic
def call_off(*, double_reading_id: UUID, actor: User) -> None:
    """The study is back in the queue, as when a reader falls ill. What was submitted stays and can be seen by all.

    Raises: DeniedError, NotFoundError; ConflictError when it is over.
    """
    require(actor, Action.READING_MANAGE)
    drafts.locked_study(_found(double_reading_id, actor).study_id, actor)
    double_reading = _found(double_reading_id, actor)
    if double_reading.state == DoubleReadingState.DONE:
        raise ConflictError("the adjudicator's version is approved; there is nothing to call off")
    for draft in Draft.objects.open().filter(study=double_reading.study_id, reader__isnull=False):
        drafts.record(EventKind.DRAFT_DISCARDED, draft, actor=actor)
        drafts.end(draft, actor)
    _record(EventKind.DOUBLE_READING_MOVED, double_reading, actor, state="called_off")
    double_reading.readings.all().delete()
    double_reading.delete()
    studies.set_under_double_reading(double_reading.study_id, is_under=False)


@transaction.atomic
def read_double_reading(*, double_reading_id: UUID, actor: User) -> DoubleReading:
    """Raises: DeniedError; NotFoundError when the actor neither manages it nor takes part."""
    found = _found(double_reading_id, actor)
    _record_reading(actor, "double_reading", str(found.pk), found.study.site_id)
    return found


@transaction.atomic
def read_double_readings(*, actor: User) -> QuerySet[DoubleReading]:
    """Those that the actor manages or takes part in, the newest first; the reading is on record.

    Raises: DeniedError.
    """
    visible = _visible(actor)
    _record_reading(actor, "double_readings", "", None)
    return visible


def agreement_so_far(draft: Draft, labels: bytes) -> Figures | None:
    """How far the labels of a blinded reader agree with the other reader's version; None where that is not in.

    Asked before the study is locked, so that nobody waits while lesions are measured.
    """
    if draft.reader_id is None:
        return None
    ongoing = DoubleReading.objects.filter(study=draft.study_id, state=DoubleReadingState.READING).first()
    other = _other_version(ongoing, draft.reader_id) if ongoing else None
    return _agreement_of(Volume(mask_codec.decode(labels), affine_of(draft.base)), other) if other else None


def take_reading(annotation: Annotation, reader: User, agreement: Figures | None) -> None:
    """The reader's version is in; with the second one, the adjudicator sees both, and how far they agree.

    Without an `agreement` it is measured here: the other's version may have come since it was asked for.
    """
    reading = BlindedReading.objects.select_related("double_reading").get(
        double_reading__study=annotation.study_id, double_reading__state=DoubleReadingState.READING, reader=reader
    )
    reading.annotation = annotation
    reading.save()
    double_reading = reading.double_reading
    other = _other_version(double_reading, reader.pk)
    if other is not None:
        double_reading.agreement = agreement or _agreement_of(_volume_of(annotation), other)
        _move(double_reading, DoubleReadingState.ADJUDICATION, reader)


def end_double_reading(study_id: UUID, actor: User) -> None:
    """A version of the study was approved: with it, its adjudication is over."""
    double_reading = DoubleReading.objects.ongoing().filter(study=study_id).first()
    if double_reading is not None:
        _move(double_reading, DoubleReadingState.DONE, actor)
        studies.set_under_double_reading(study_id, is_under=False)


def _move(double_reading: DoubleReading, state: DoubleReadingState, actor: User) -> None:
    double_reading.state = state
    double_reading.save()
    _record(EventKind.DOUBLE_READING_MOVED, double_reading, actor)
    studies.announce_study(double_reading.study)


def _other_version(double_reading: DoubleReading, reader_id: UUID) -> Annotation | None:
    others = double_reading.readings.exclude(reader=reader_id).select_related("annotation")
    return next((one.annotation for one in others), None)


def _agreement_of(labels: Volume, other: Annotation) -> Figures | None:
    """By the rule of the version that came first; None where the readers marked different series."""
    try:
        return asdict(measure_agreement(_volume_of(other), labels, rule=rule_of(other)))
    except AgreementError:
        return None


def _volume_of(annotation: Annotation) -> Volume:
    return Volume(mask_codec.decode(labels_of(annotation).content), affine_of(annotation))


def _found(double_reading_id: UUID, actor: User) -> DoubleReading:
    found = _visible(actor).filter(pk=double_reading_id).first()
    if found is None:
        raise NotFoundError("no such double reading, or none that you may see")
    return found


def _visible(actor: User) -> QuerySet[DoubleReading]:
    require(actor, Action.ANNOTATION_READ)
    visible = DoubleReading.objects.visible_to(actor).select_related("study", "adjudicator", "requested_by")
    return visible.prefetch_related("readings__reader").order_by("-created", "pk")


def _record(kind: EventKind, double_reading: DoubleReading, actor: User, *, state: str = "") -> None:
    audit.record(
        kind,
        actor=actor,
        object_type="double_reading",
        object_id=double_reading.pk,
        site_id=double_reading.study.site_id,
        details={"study": str(double_reading.study_id), "state": state or str(double_reading.state)},
    )


def _record_reading(actor: User, object_type: str, object_id: str, site_id: UUID | None) -> None:
    audit.record_once(
        EventKind.DOUBLE_READING_READ, actor=actor, object_type=object_type, object_id=object_id, site_id=site_id
    )
