"""What one version found, read once: every document that speaks of it takes its numbers from here."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto

from django.utils import timezone

from plaqueview.annotations.models import Annotation, Lesion
from plaqueview.enhancement import services as enhancement
from plaqueview.enhancement.services import Uptakes
from plaqueview.imaging.dicom_document import Stamp
from plaqueview.imaging.lesion_class import LesionClass
from plaqueview.imaging.lesion_sizes import SizeClass
from plaqueview.imaging.protocol import Difference, Finding
from plaqueview.longitudinal import services as longitudinal
from plaqueview.longitudinal.services import Changes, Prior
from plaqueview.registry.models import ModelVersion
from plaqueview.reports.stamps import origin_of, stamp_of
from plaqueview.studies import protocols


class RegionState(Enum):
    """Whether the version's lesions have regions; `Annotation.region_note` says why they have none."""

    PENDING = auto()
    DETERMINED = auto()
    NOT_DETERMINED = auto()


@dataclass(frozen=True, eq=False)
class Findings:
    """The version with its stamp, its lesions by number, and the changes since a prior where one is registered.

    `uptakes` is what is known of contrast agent in its lesions; None where no search for it has ended.

    `caveat` is what the model's card says of every result of it; empty without a model. `protocol` is how the series
    was taken, `differences` how that compares with the prior's.
    """

    annotation: Annotation
    stamp: Stamp
    lesions: tuple[Lesion, ...]
    changes: Changes | None
    uptakes: Uptakes | None
    caveat: str
    protocol: tuple[Finding, ...]
    differences: tuple[Difference, ...]

    @property
    def volume_ml(self) -> float:
        """Of both classes."""
        return sum(self.annotation.volumes_ml.values())

    @property
    def sizes(self) -> Mapping[SizeClass, Mapping[LesionClass, int]]:
        """Lesions by size and class; empty in a version from before sizes were measured."""
        return {
            SizeClass(size): {LesionClass(kind): count for kind, count in by_class.items()}
            for size, by_class in self.annotation.counts_by_size.items()
        }

    @property
    def region_state(self) -> RegionState:
        if self.annotation.region_map_key:
            return RegionState.DETERMINED
        return RegionState.NOT_DETERMINED if self.annotation.region_note else RegionState.PENDING

    @property
    def said_at(self) -> datetime:
        """When the version got the words that it has now."""
        return self.stamp.approval.at if self.stamp.approval else self.stamp.created


def findings_of(annotation: Annotation) -> Findings:
    """An approved version is compared with what stood when it was approved, any other with what stands now."""
    stamp = stamp_of(annotation)
    prior = prior_of(annotation, stamp)
    model_id = origin_of(annotation).model_id
    model = ModelVersion.objects.filter(pk=model_id).first() if model_id else None
    return Findings(
        annotation=annotation,
        stamp=stamp,
        lesions=tuple(annotation.lesions.order_by("number")),
        changes=longitudinal.changes_since(prior, annotation) if prior else None,
        uptakes=uptakes_of(annotation, stamp),
        caveat=model.caveat if model else "",
        protocol=protocols.findings_of(annotation.series, until=_until(stamp)),
        differences=protocols.differences_between(annotation.series, prior.annotation.series if prior else None),
    )


def prior_of(annotation: Annotation, stamp: Stamp) -> Prior | None:
    """With what the version is compared; None where nothing is registered to it."""
    return longitudinal.prior_of(annotation, until=_until(stamp))


def uptakes_of(annotation: Annotation, stamp: Stamp) -> Uptakes | None:
    """Which of the version's lesions took up contrast agent; None where no search for it has ended."""
    return enhancement.uptakes_until(annotation, until=_until(stamp))


def _until(stamp: Stamp) -> datetime:
    """What is known later changes no approved version."""
    return stamp.approval.at if stamp.approval else timezone.now()
