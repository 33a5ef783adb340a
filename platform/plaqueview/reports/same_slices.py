"""The key slices of a patient's newest visit, and the same planes of the head in the visits before."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from plaqueview.accounts.models import User
from plaqueview.annotations import services as annotations
from plaqueview.annotations.masks import labels_of
from plaqueview.annotations.models import Annotation
from plaqueview.core.access import Action, require
from plaqueview.core.errors import ConflictError
from plaqueview.imaging import mask_codec
from plaqueview.imaging.dicom_read import SeriesReadError
from plaqueview.imaging.dicom_source import DocumentError
from plaqueview.imaging.same_plane import plane_in
from plaqueview.imaging.volume import Volume
from plaqueview.imaging.windowing import apply_window
from plaqueview.reports.findings import prior_of
from plaqueview.reports.key_slices import affine_of, chosen_slices, picture_of, png_of, size_mm, window_of
from plaqueview.reports.stamps import stamp_of
from plaqueview.studies import reading as study_reading
from plaqueview.studies import services as studies

PART: Final = "timeline"
MOST_SLICES: Final = 3
MOST_VISITS: Final = 6


@dataclass(frozen=True, eq=False)
class SameSlice:
    """One plane of the head, the oldest visit first.

    `slice_index` is that of the newest, which the others follow; `aspect` is width over height in mm.
    """

    slice_index: int
    aspect: float
    pictures: tuple[tuple[Annotation, bytes], ...]


@dataclass(frozen=True, eq=False)
class _Aligned:
    """A version, and the matrix from LPS mm of the newest visit to LPS mm of its own."""

    annotation: Annotation
    matrix: NDArray[np.float64]


def read_same_slices(*, patient_id: UUID, actor: User) -> list[SameSlice]:
    """Empty until a network or a reader has read a study; visits that are not registered are left out.

    That the actor read the patient and each version is on record before a slice is drawn, and in no transaction with
    it, so that nobody else's event waits for the drawing.

    Raises: DeniedError; NotFoundError; ConflictError when a series no longer fits its version or cannot be read.
    """
    require(actor, Action.STUDY_READ)
    patient = study_reading.read_patient(patient_id=patient_id, actor=actor)
    read = [one for one in study_reading.studies_of_patient(patient) if one.current_annotation_id]
    if not read:
        return []
    newest = annotations.read_current(study_id=read[0].pk, actor=actor, part=PART)
    visits = list(_registered(newest, actor))[::-1]
    try:
        return [_same_slice(index, newest, visits) for index in _indices(newest)]
    except (DocumentError, SeriesReadError) as error:
        raise ConflictError(f"the slices cannot be drawn: {error}") from error


def _indices(newest: Annotation) -> list[int]:
    """The middle slice where there is no lesion to show."""
    lesions = tuple(newest.lesions.order_by("number"))
    return chosen_slices(lesions, most=MOST_SLICES) or [newest.slices // 2]


def _registered(newest: Annotation, actor: User) -> Iterator[_Aligned]:
    """The newest visit, its prior, the prior's prior and so on, as far as they are registered."""
    visit = _Aligned(newest, np.eye(4))
    yield visit
    for _ in range(MOST_VISITS - 1):
        prior = prior_of(visit.annotation, stamp_of(visit.annotation))
        if prior is None:
            return
        annotations.read(annotation_id=prior.annotation.pk, actor=actor, part=PART)
        step = np.array(prior.registration.matrix, np.float64).reshape(4, 4)
        visit = _Aligned(prior.annotation, step @ visit.matrix)
        yield visit


def _same_slice(slice_index: int, newest: Annotation, visits: list[_Aligned]) -> SameSlice:
    grid = Volume(np.empty(newest.shape, np.uint8), affine_of(newest))
    height, width = size_mm(newest)
    return SameSlice(
        slice_index, width / height, tuple((one.annotation, _picture(one, grid, slice_index)) for one in visits)
    )


def _picture(visit: _Aligned, grid: Volume, slice_index: int) -> bytes:
    annotation = visit.annotation
    plane = plane_in(affine_of(annotation), grid=grid, slice_index=slice_index, matrix=visit.matrix)
    window = window_of(annotation)
    needed = plane.slices_needed(annotation.slices)
    voxels = np.zeros(grid.shape[1:], np.float32)
    if needed:
        loaded = studies.load_slices(annotation.series, needed)
        voxels = plane.sampled(np.stack([loaded[index] for index in needed]), needed.start)
    labels = plane.labels(mask_codec.decode(labels_of(annotation).content))
    return png_of(picture_of(apply_window(voxels, window), labels, grid.affine))
