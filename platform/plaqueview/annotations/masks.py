"""The bytes of each part of an annotation, as a browser or a script gets them."""

import gzip
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from plaqueview.annotations.models import Annotation
from plaqueview.core.errors import NotFoundError
from plaqueview.core.storage import stored_path
from plaqueview.imaging import mask_codec
from plaqueview.imaging.claims import PREDICTION_CLAIM
from plaqueview.imaging.lesions import CountingRule, measure_lesions
from plaqueview.imaging.nifti import encode_volume_nifti, read_volume_nifti
from plaqueview.imaging.volume import Volume, axial_reorientation
from plaqueview.studies.models import SeriesSource

COMPRESSION_LEVEL = 6


@dataclass(frozen=True)
class MaskBytes:
    """`etag` names the content, so that equal bytes have equal tags."""

    content: bytes
    media_type: str
    etag: str
    headers: Mapping[str, str] = field(default_factory=dict)


def labels_of(annotation: Annotation) -> MaskBytes:
    """Labels 0, 1 (inactive), 2 (active) in the bytes of `imaging.mask_codec`."""
    return _stored(annotation.mask_key)


def lesion_numbers_of(annotation: Annotation) -> Volume:
    """The lesions of the version by their numbers, as its rows have them: the same rule over the same labels."""
    affine = np.array(annotation.affine, np.float64).reshape(4, 4)
    labels = Volume(mask_codec.decode(labels_of(annotation).content), affine)
    rule = CountingRule(annotation.connectivity, annotation.minimum_volume_mm3)
    return labels.with_voxels(measure_lesions(labels, None, rule=rule).lesion_numbers)


def brain_on(series_id: UUID, shape: tuple[int, ...]) -> NDArray[np.bool_] | None:
    """The brain by the newest version of the series that has one on a grid of this shape; None where there is none."""
    with_mask = Annotation.objects.filter(series=series_id).exclude(brain_mask_key="")
    annotation = with_mask.order_by("-version").first()
    if annotation is None or annotation.shape != shape:
        return None
    return mask_codec.decode(brain_mask_of(annotation).content).astype(np.bool_)


def brain_mask_of(annotation: Annotation) -> MaskBytes:
    """The brain mask, 0 and 1, in the bytes of `imaging.mask_codec`.

    Raises: NotFoundError when the version came without one.
    """
    return _stored(_required(annotation.brain_mask_key, "brain mask"))


def probability_of(annotation: Annotation) -> MaskBytes:
    """The probability of a plaque of either class, gzip of uint8, 0 to 255, C order.

    Raises: NotFoundError when the version came without one.
    """
    part = _stored(_required(annotation.probability_key, "probability"))
    shape = ",".join(map(str, annotation.shape))
    return MaskBytes(part.content, part.media_type, part.etag, {"Content-Encoding": "gzip", "X-Shape": shape})


def nifti_of(annotation: Annotation) -> MaskBytes:
    """The labels as .nii.gz on the source grid: the NIfTI's own for a series that came as one, else the series'."""
    encoded = gzip.compress(_encoded_nifti(annotation), compresslevel=COMPRESSION_LEVEL, mtime=0)
    name = f"annotation-{annotation.pk}.nii.gz"
    return MaskBytes(
        encoded, "application/gzip", f"{annotation.pk}-nii", {"Content-Disposition": f'attachment; filename="{name}"'}
    )


PARTS: Mapping[str, Callable[[Annotation], MaskBytes]] = {
    "mask": labels_of,
    "brain-mask": brain_mask_of,
    "probability": probability_of,
    "mask.nii.gz": nifti_of,
}


def _required(key: str, name: str) -> str:
    if not key:
        raise NotFoundError(f"this version has no {name}")
    return key


def _stored(key: str) -> MaskBytes:
    path = stored_path(key)
    return MaskBytes(path.read_bytes(), "application/octet-stream", path.name)


def _encoded_nifti(annotation: Annotation) -> bytes:
    labels = mask_codec.decode(labels_of(annotation).content)
    if annotation.series.source == SeriesSource.NIFTI:
        return _on_nifti_grid(annotation, labels)
    affine = np.array(annotation.affine, np.float64).reshape(4, 4)
    return encode_volume_nifti(Volume(labels, affine), description=_description(annotation))


def _on_nifti_grid(annotation: Annotation, labels: NDArray[np.uint8]) -> bytes:
    """A series made from a NIfTI is its axial reorientation, which is undone here without resampling."""
    path = stored_path(annotation.series.source_key)
    source = read_volume_nifti(path)
    restored = axial_reorientation(source.affine).undo(labels)
    return encode_volume_nifti(source.with_voxels(restored), header_of=path, description=_description(annotation))


def _description(annotation: Annotation) -> str:
    """What a NIfTI header has room for, 80 characters: a long name is cut, the hash never."""
    if annotation.model_id is None:
        return f"Version {annotation.version} by a reader; research use only"
    stamp = f"{annotation.model_sha256[:12]} {annotation.model_version} {annotation.model_name}"
    return f"{PREDICTION_CLAIM}; research use only; {stamp}"
