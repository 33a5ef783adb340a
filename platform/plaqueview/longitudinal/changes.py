"""What became of each lesion between a prior and a study, from the stored matrix and the two masks."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import numpy as np
from django.db import transaction
from django.db.models import Case, When

from plaqueview.accounts.models import User
from plaqueview.annotations import services as annotations
from plaqueview.annotations.masks import lesion_numbers_of
from plaqueview.annotations.models import Annotation
from plaqueview.core.errors import ConflictError, InvalidError
from plaqueview.imaging.brightened_spots import SpotChange, changes_of_spots
from plaqueview.imaging.longitudinal import ChangeRule, Comparison, compare_lesions
from plaqueview.longitudinal.brightening import Brightening, brightening_from
from plaqueview.longitudinal.models import Registration, RegistrationState
from plaqueview.studies import reading as studies


@dataclass(frozen=True, eq=False)
class Changes:
    """The comparison, with what was compared.

    `brightening` is what was kept beside the registration, `spots` the same with the version's lesions in them; None
    and empty where nothing was looked for on the version's grid.
    """

    annotation: Annotation
    prior_annotation: Annotation
    registration: Registration
    comparison: Comparison
    brightening: Brightening | None
    spots: tuple[SpotChange, ...]

    @property
    def brightened_only(self) -> tuple[SpotChange, ...]:
        """The spots where no lesion is new or enlarging by the masks."""
        return tuple(one for one in self.spots if not one.grew)


def read_changes(*, study_id: UUID, prior_id: UUID | None, annotation_id: UUID | None, actor: User) -> Changes:
    """The lesions of a version of the study, by default the current one, against the prior's current version.

    That the actor read both versions is on record before they are compared: nobody else's event waits for that.

    Raises: DeniedError; NotFoundError when one of them is not there; InvalidError when no prior is named or the
    annotation is of another study; ConflictError while their series are not registered.
    """
    return _compare(*_read(study_id=study_id, prior_id=prior_id, annotation_id=annotation_id, actor=actor))


@transaction.atomic
def _read(
    *, study_id: UUID, prior_id: UUID | None, annotation_id: UUID | None, actor: User
) -> tuple[Annotation, Annotation, Registration]:
    if annotation_id is None:
        annotation = annotations.read_current(study_id=study_id, actor=actor, part="changes")
    else:
        annotation = annotations.read(annotation_id=annotation_id, actor=actor, part="changes")
    if annotation.study_id != study_id:
        raise InvalidError("annotation is of another study", fields={"annotation": "a version of this study"})
    if prior_id is None:
        raise InvalidError("name the prior to compare with", fields={"prior": "the id of an earlier study"})
    prior_annotation = annotations.read_current(study_id=prior_id, actor=actor, part="changes")
    return annotation, prior_annotation, _registration(annotation, prior_annotation)


@dataclass(frozen=True, eq=False)
class Prior:
    """The version of an earlier study with which a version is compared, and how the head moved between them."""

    annotation: Annotation
    registration: Registration


def prior_of(annotation: Annotation, *, until: datetime) -> Prior | None:
    """The newest earlier study that had been registered to the version's series by then; None where none had.

    Of that study it is the version that stood then: a reader's, or else a network's. What came later changes nothing,
    so that an approved version has the same prior for good. Who asks puts the reading on record.
    """
    registered = Registration.objects.filter(
        study=annotation.study_id,
        fixed_series=annotation.series_id,
        state=RegistrationState.SUCCEEDED,
        finished_at__lte=until,
    )
    by_study = {one.prior_id: one for one in registered.order_by("created")}
    for study in studies.priors_of(annotation.study) if by_study else ():
        registration = by_study.get(study.pk)
        standing = _standing(registration, until) if registration else None
        if registration is not None and standing is not None:
            return Prior(standing, registration)
    return None


def changes_since(prior: Prior, annotation: Annotation) -> Changes:
    """What became of each lesion between the two versions."""
    return _compare(annotation, prior.annotation, prior.registration)


def _standing(registration: Registration, until: datetime) -> Annotation | None:
    """The prior's version as of then; what a reader of two says blinded never stands for a study."""
    versions = Annotation.objects.filter(
        study=registration.prior_id,
        series=registration.moving_series_id,
        created__lte=until,
        blinded_reading__isnull=True,
    )
    newest = versions.annotate(by_reader=Case(When(author=None, then=0), default=1)).order_by("-by_reader", "-version")
    return newest.select_related("study", "author").first()


def _registration(annotation: Annotation, prior_annotation: Annotation) -> Registration:
    """The newest one between the series of the two versions.

    Raises: ConflictError when there is none, or it has not succeeded.
    """
    of_series = Registration.objects.filter(
        study=annotation.study_id,
        prior=prior_annotation.study_id,
        fixed_series=annotation.series_id,
        moving_series=prior_annotation.series_id,
    )
    registration = of_series.order_by("-created").first()
    if registration is None:
        raise ConflictError("the two studies are not registered; ask for their registration first")
    if registration.state == RegistrationState.FAILED:
        raise ConflictError(f"the two studies could not be registered: {registration.reason}")
    if registration.state != RegistrationState.SUCCEEDED:
        raise ConflictError(f"the registration of the two studies is {registration.state}; try again when it has ended")
    return registration


def _compare(annotation: Annotation, prior_annotation: Annotation, registration: Registration) -> Changes:
    matrix = np.array(registration.matrix, np.float64).reshape(4, 4)
    here, there = lesion_numbers_of(annotation), lesion_numbers_of(prior_annotation)
    comparison = compare_lesions(here, there, matrix, rule=ChangeRule())
    brightening = _brightening(registration, here.shape)
    spots = changes_of_spots(brightening.spots, here.voxels, comparison.changes) if brightening else ()
    return Changes(annotation, prior_annotation, registration, comparison, brightening, spots)


def _brightening(registration: Registration, shape: tuple[int, ...]) -> Brightening | None:
    """What was kept, if it lies on the grid of this shape: a series that grew since has versions on both grids."""
    stored = registration.brightening and brightening_from(registration.brightening)
    return stored if stored and stored.shape == shape else None
