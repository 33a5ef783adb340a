"""Which studies are read again, and why the others are not."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet, Subquery

from plaqueview.accounts.models import Site, User
from plaqueview.annotations.models import Annotation, Draft
from plaqueview.core.errors import InvalidError
from plaqueview.registry.models import ModelVersion
from plaqueview.studies.models import UNDER_READERS, Study

BY_READERS: Final = "a reader's version is in review or approved"
IN_A_DRAFT: Final = "a reader works on a draft"
BY_CHAMPION: Final = "the champion has read it"


@dataclass(frozen=True)
class Selection:
    """Which studies that have a result are read again: of some sites, of some days, last read by one version."""

    site_ids: tuple[UUID, ...] = ()
    studied_from: date | None = None
    studied_until: date | None = None
    model_id: UUID | None = None

    def as_json(self) -> dict[str, Any]:  # Any: JSON
        return {
            "studied_from": self.studied_from.isoformat() if self.studied_from else None,
            "studied_until": self.studied_until.isoformat() if self.studied_until else None,
            "model": str(self.model_id) if self.model_id else None,
        }


@dataclass(frozen=True)
class Divided:
    """The sites, the studies that are read again, and how many of the others there are by why they are not."""

    sites: QuerySet[Site]
    chosen: QuerySet[Study]
    left_out: Mapping[str, int]


def divide(selection: Selection, champion: ModelVersion, actor: User) -> Divided:
    """Raises: InvalidError when a site or the model is unknown."""
    sites = _sites(selection, actor)
    studies = _selected(selection, sites)
    drafted = Draft.objects.open().filter(study=OuterRef("pk"))
    of_readers = studies.filter(state__in=UNDER_READERS)
    others = studies.exclude(state__in=UNDER_READERS)
    in_a_draft = others.filter(Exists(drafted))
    others = others.exclude(Exists(drafted))
    by_champion = _last_read_by(champion.pk, others)
    counts = {BY_READERS: of_readers.count(), IN_A_DRAFT: in_a_draft.count(), BY_CHAMPION: by_champion.count()}
    left_out = {why: count for why, count in counts.items() if count}
    return Divided(sites, others.exclude(pk__in=by_champion.values("pk")), left_out)


def _sites(selection: Selection, actor: User) -> QuerySet[Site]:
    sites = Site.objects.filter(pk__in=actor.site_ids())
    if not selection.site_ids:
        return sites
    sites = sites.filter(pk__in=selection.site_ids)
    if sites.count() < len(set(selection.site_ids)):
        raise InvalidError("a site is unknown, or none that you may see", fields={"sites": "need sites of yours"})
    return sites


def _selected(selection: Selection, sites: QuerySet[Site]) -> QuerySet[Study]:
    studies = Study.objects.filter(site__in=sites, flair_series__isnull=False, current_annotation_id__isnull=False)
    studies = studies.filter(Exists(_results()))
    if selection.studied_from:
        studies = studies.filter(study_date__gte=selection.studied_from)
    if selection.studied_until:
        studies = studies.filter(study_date__lte=selection.studied_until)
    if selection.model_id is None:
        return studies
    if not ModelVersion.objects.filter(pk=selection.model_id).exists():
        raise InvalidError("the model is unknown", fields={"model": "need the id of a model version"})
    return _last_read_by(selection.model_id, studies)


def _last_read_by(model_id: UUID, studies: QuerySet[Study]) -> QuerySet[Study]:
    last = Subquery(_results().order_by("-version").values("model_id")[:1])
    return studies.filter(pk__in=studies.annotate(last_model=last).filter(last_model=model_id).values("pk"))


def _results() -> QuerySet[Annotation]:
    """What models said of the study of an outer query."""
    return Annotation.objects.filter(study=OuterRef("pk"), author=None)
