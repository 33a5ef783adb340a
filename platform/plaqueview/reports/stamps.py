"""Who says what in a version, as its documents repeat it."""

from collections.abc import Mapping
from typing import Final

from django.utils import timezone

from plaqueview import __version__
from plaqueview.accounts.models import User
from plaqueview.annotations.models import Annotation, AnnotationState, Evidence, Lesion, Step
from plaqueview.imaging.claims import RESEARCH_NOTICE
from plaqueview.imaging.dicom_document import Algorithm, Approval, Stamp, person_name
from plaqueview.imaging.lesion_class import LesionClass

# What the same evidence says of either class.
REASONS: Final[Mapping[LesionClass, Mapping[Evidence, str]]] = {
    LesionClass.ACTIVE: {
        Evidence.POST_GADOLINIUM: "enhances after gadolinium",
        Evidence.PRIOR: "new or larger than in a prior study",
        Evidence.READER_OPINION: "the reader's opinion",
    },
    LesionClass.INACTIVE: {
        Evidence.POST_GADOLINIUM: "does not enhance after gadolinium",
        Evidence.PRIOR: "neither new nor larger than in a prior study",
        Evidence.READER_OPINION: "the reader's opinion",
    },
}

# What a reader drew or turned without evidence; only activity has to be shown.
UNFOUNDED: Final[Mapping[LesionClass, str]] = {
    LesionClass.ACTIVE: "Active in the version of a reader, who named no evidence",
    LesionClass.INACTIVE: "Inactive in the version of a reader",
}


def stamp_of(annotation: Annotation) -> Stamp:
    """The version's stamp; it changes once in the version's life, when the version is approved."""
    reader = _name_of(annotation.author) if annotation.author else ""
    algorithm = _algorithm_of(origin_of(annotation))
    active = annotation.lesions.filter(lesion_class=LesionClass.ACTIVE)
    return Stamp(
        annotation_id=str(annotation.pk),
        version=annotation.version,
        created=timezone.localtime(annotation.created),
        reader=reader,
        algorithm=algorithm,
        approval=_approval_of(annotation),
        is_active_predicted=any(_is_predicted(lesion, reader, algorithm) for lesion in active),
        counting_rule=annotation.counting_rule,
        notice=RESEARCH_NOTICE,
        device=str(annotation.study.site_id),
        software_version=__version__,
    )


def basis_of(lesion: Lesion, stamp: Stamp) -> str:
    """What the class of the lesion rests on: a reader's evidence, the reader's version, or the network alone."""
    kind = LesionClass(lesion.lesion_class)
    if lesion.evidence:
        return f"Confirmed by a reader: {REASONS[kind][Evidence(lesion.evidence)]}"
    if is_predicted(lesion, stamp):
        return f"AI-predicted {kind} (FLAIR only)"
    return UNFOUNDED[kind]


def is_predicted(lesion: Lesion, stamp: Stamp) -> bool:
    """The network alone says that it is there, and of which class; no network saw labels that were imported."""
    return _is_predicted(lesion, stamp.reader, stamp.algorithm)


def _is_predicted(lesion: Lesion, reader: str, algorithm: Algorithm | None) -> bool:
    is_readers = lesion.evidence or lesion.statement_kind or algorithm is None
    return not (reader and is_readers)


def origin_of(annotation: Annotation) -> Annotation:
    """The first version in the line that the annotation grew from."""
    origin = annotation
    while origin.base is not None:
        origin = origin.base
    return origin


def _algorithm_of(origin: Annotation) -> Algorithm | None:
    if origin.model_id is None:
        return None
    return Algorithm(origin.model_name, origin.model_version, origin.model_sha256, origin.computation)


def _approval_of(annotation: Annotation) -> Approval | None:
    if annotation.state != AnnotationState.APPROVED:
        return None
    step = annotation.review.select_related("by").get(step=Step.APPROVED)
    return Approval(_name_of(step.by), annotation.study.site.name[:64], timezone.localtime(step.created))


def _name_of(user: User) -> str:
    return person_name(family=user.last_name or user.username, given=user.first_name)
