"""What the rest of the house hears of annotations: the study's own columns, the audit, and who looks on."""

from collections.abc import Iterable, Mapping

from plaqueview.accounts.models import User
from plaqueview.annotations.models import Annotation
from plaqueview.audit import services as audit
from plaqueview.audit.models import EventKind
from plaqueview.core.live import WORKLIST, announce, study_topic
from plaqueview.imaging.claims import PREDICTION_CLAIM
from plaqueview.imaging.regions import Dissemination, Region
from plaqueview.studies import services as studies


def summary_of(annotation: Annotation) -> studies.AnnotationSummary:
    """What lists show of the annotation."""
    return studies.AnnotationSummary(
        id=annotation.pk,
        series_id=annotation.series_id,
        version=annotation.version,
        state=annotation.state,
        author=annotation.author.get_username() if annotation.author else None,
        model=_model_of(annotation),
        created=annotation.created,
        lesion_counts={kind.value: count for kind, count in annotation.counts.items()},
        lesion_volumes_ml={kind.value: volume_ml for kind, volume_ml in annotation.volumes_ml.items()},
        counting_rule=annotation.counting_rule,
        claim=PREDICTION_CLAIM if annotation.model_id else "",
        unconfirmed_active_count=annotation.unconfirmed_active_count,
        warnings=tuple(annotation.warnings),
        regions=regions_of(annotation),
    )


def regions_of(annotation: Annotation) -> studies.RegionSummary:
    """Where the lesions lie, as far as it is known."""
    unknown = {kind.value: count for kind, count in annotation.counts.items()}
    nowhere = dict.fromkeys(unknown, 0)
    counts = annotation.region_counts or {
        region.value: unknown if region is Region.NOT_DETERMINED else nowhere for region in Region
    }
    totals = {region: sum(counts[region.value].values()) for region in Region}
    is_known = bool(annotation.region_map_key)
    return studies.RegionSummary(
        state="determined" if is_known else "not_determined" if annotation.region_note else "pending",
        note=annotation.region_note,
        counts=counts,
        rule=annotation.region_rule,
        dissemination=Dissemination(totals).sentence if is_known else "",
    )


def _model_of(annotation: Annotation) -> studies.ModelReference | None:
    if annotation.model_id is None:
        return None
    return studies.ModelReference(
        id=annotation.model_id,
        name=annotation.model_name,
        version=annotation.model_version,
        sha256=annotation.model_sha256,
    )


def record(kind: EventKind, annotation: Annotation, *, actor: User | None, details: Mapping[str, str | int]) -> None:
    """The audit knows what happened to the version, and who did it; None is the system."""
    record_all(kind, [annotation], actor=actor, details=details)


def record_all(
    kind: EventKind, annotations: Iterable[Annotation], *, actor: User | None, details: Mapping[str, str | int]
) -> None:
    """The same of several versions, an event each."""
    happenings = [
        audit.Happening(kind, "annotation", one.pk, one.study.site_id, {"study": str(one.study_id), **details})
        for one in annotations
    ]
    audit.record_all(happenings, actor=actor)


def record_reading(annotation: Annotation, *, actor: User, part: str) -> None:
    """That the actor read this part of the version is one event a while: a page asks for it again and again."""
    audit.record_once(
        EventKind.ANNOTATION_READ,
        actor=actor,
        object_type="annotation",
        object_id=annotation.pk,
        site_id=annotation.study.site_id,
        details={"study": str(annotation.study_id), "part": part},
    )


def publish(annotation: Annotation) -> None:
    """Who looks at the worklist or the study hears of the version after the commit."""
    announce(
        {
            "type": "annotation.changed",
            "study": str(annotation.study_id),
            "annotation": str(annotation.pk),
            "version": annotation.version,
        },
        topics=(WORKLIST, study_topic(annotation.study_id)),
        site_id=annotation.study.site_id,
    )
