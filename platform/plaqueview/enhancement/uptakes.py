"""Which lesions of a version took up contrast agent, from the kept places and the version's mask."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from plaqueview.accounts.models import User
from plaqueview.annotations import services as annotations
from plaqueview.annotations.masks import lesion_numbers_of
from plaqueview.annotations.models import Annotation
from plaqueview.core.errors import InvalidError
from plaqueview.enhancement.models import Enhancement
from plaqueview.enhancement.places import EnhancingPlaces, places_from
from plaqueview.enhancement.requests import reason_against
from plaqueview.imaging.enhancement import Uptake, uptakes_of

OTHER_GRID = "the T1s were compared on another grid than that of this version"


@dataclass(frozen=True, eq=False)
class Uptakes:
    """The enhancing places of a version's lesions.

    `found` is None where nothing was looked for, or not yet, or in vain; `reason` says why then, or is empty while the
    search is to come.
    """

    annotation: Annotation
    enhancement: Enhancement | None
    found: EnhancingPlaces | None
    uptakes: tuple[Uptake, ...]
    reason: str

    @property
    def lesions(self) -> frozenset[int]:
        """The numbers of the lesions that took it up."""
        return frozenset(one.lesion for one in self.uptakes)


def read_uptakes(*, study_id: UUID, annotation_id: UUID | None, actor: User) -> Uptakes:
    """The uptakes of a version of the study, by default the current one.

    That the actor read it is on record before its lesions are measured: nobody else's event waits for that.

    Raises: DeniedError; NotFoundError; InvalidError when the annotation is of another study.
    """
    annotation = _read(study_id=study_id, annotation_id=annotation_id, actor=actor)
    enhancement = Enhancement.objects.filter(flair_series=annotation.series_id).first()
    if enhancement is None:
        return Uptakes(annotation, None, None, (), reason_against(annotation.study))
    return _uptakes(annotation, enhancement)


@transaction.atomic
def _read(*, study_id: UUID, annotation_id: UUID | None, actor: User) -> Annotation:
    if annotation_id is None:
        annotation = annotations.read_current(study_id=study_id, actor=actor, part="enhancement")
    else:
        annotation = annotations.read(annotation_id=annotation_id, actor=actor, part="enhancement")
    if annotation.study_id != study_id:
        raise InvalidError("annotation is of another study", fields={"annotation": "a version of this study"})
    return annotation


def uptakes_until(annotation: Annotation, *, until: datetime) -> Uptakes | None:
    """What was known by then of the version; None where no search had ended. Who asks puts the reading on record."""
    ended = Enhancement.objects.filter(flair_series=annotation.series_id, finished_at__lte=until)
    enhancement = ended.first()
    return _uptakes(annotation, enhancement) if enhancement else None


def _uptakes(annotation: Annotation, enhancement: Enhancement) -> Uptakes:
    if enhancement.places is None:
        return Uptakes(annotation, enhancement, None, (), enhancement.reason)
    found = places_from(enhancement.places)
    if found.shape != annotation.shape:
        return Uptakes(annotation, enhancement, None, (), OTHER_GRID)
    uptakes = uptakes_of(found.places, lesion_numbers_of(annotation), rule=found.rule)
    return Uptakes(annotation, enhancement, found, uptakes, "")
