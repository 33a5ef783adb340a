"""Every write of annotations, and the reads that the audit keeps."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import Max, QuerySet

from plaqueview.accounts.models import User
from plaqueview.annotations.files import MaskFiles
from plaqueview.annotations.models import PREDICTION_CLAIM, Annotation, AnnotationState, Lesion
from plaqueview.audit import services as audit
from plaqueview.audit.models import EventKind
from plaqueview.core.access import Action, require
from plaqueview.core.errors import NotFoundError
from plaqueview.core.live import WORKLIST, announce, study_topic
from plaqueview.imaging.lesions import LesionClass, LesionMeasures
from plaqueview.imaging.segmentation import Segmentation
from plaqueview.studies import services as studies
from plaqueview.studies.models import Study


@dataclass(frozen=True)
class Prediction:
    """What is kept of a network's word: the segmentation, where its arrays lie, and who said it.

    `caveats` stand beside the warnings of the segmentation: what was wrong with the series, what the model cannot do.
    """

    segmentation: Segmentation
    files: MaskFiles
    model: studies.ModelReference
    caveats: tuple[str, ...] = ()


@transaction.atomic
def create_predicted(*, study_id: UUID, series_id: UUID, prediction: Prediction) -> Annotation:
    """The study has the prediction as its next version, with its lesions, and shows it as the current one."""
    study = Study.objects.select_for_update().get(pk=study_id)
    annotation = _annotation(study, series_id, prediction)
    annotation.save(force_insert=True)
    Lesion.objects.bulk_create(_lesion(annotation, measures) for measures in prediction.segmentation.lesions.lesions)
    studies.record_result(study_id=study_id, annotation=summary_of(annotation))
    _record(EventKind.ANNOTATION_CREATED, annotation, actor=None, details={"version": annotation.version})
    _announce(annotation, study)
    return annotation


@transaction.atomic
def read_versions(*, study_id: UUID, actor: User) -> QuerySet[Annotation]:
    """The versions of a study, newest first; the reading is on record.

    Raises: DeniedError, NotFoundError.
    """
    require(actor, Action.ANNOTATION_READ)
    study = _visible_study(study_id, actor)
    audit.record(
        EventKind.ANNOTATION_READ, actor=actor, object_type="study", object_id=study.pk, site_id=study.site_id,
        details={"part": "versions"},
    )  # fmt: skip
    return Annotation.objects.filter(study=study).select_related("author", "study").order_by("-version")


@transaction.atomic
def read(*, annotation_id: UUID, actor: User, part: str) -> Annotation:
    """The annotation; that the actor read this part of it is on record.

    Raises: DeniedError, NotFoundError.
    """
    require(actor, Action.ANNOTATION_READ)
    visible = Annotation.objects.visible_to(actor).select_related("author", "study", "series")
    annotation = visible.filter(pk=annotation_id).first()
    if annotation is None:
        raise NotFoundError("no such annotation, or none that you may see")
    _record(EventKind.ANNOTATION_READ, annotation, actor=actor, details={"part": part})
    return annotation


@transaction.atomic
def read_current(*, study_id: UUID, actor: User, part: str) -> Annotation:
    """The study's current annotation; that the actor read this part of it is on record.

    Raises: DeniedError; NotFoundError when the study has no annotation yet, which is not the same as no lesions.
    """
    require(actor, Action.ANNOTATION_READ)
    study = _visible_study(study_id, actor)
    if study.current_annotation_id is None:
        raise NotFoundError(f"the study has no annotation yet; it is {study.state}")
    return read(annotation_id=study.current_annotation_id, actor=actor, part=part)


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
        warnings=tuple(annotation.warnings),
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


def _annotation(study: Study, series_id: UUID, prediction: Prediction) -> Annotation:
    segmentation, model = prediction.segmentation, prediction.model
    table = segmentation.lesions
    slices, rows, columns = segmentation.labels.shape
    counts, volumes_ml = table.counts(), table.volumes_ml()
    return Annotation(
        study=study,
        series_id=series_id,
        version=_next_version(study),
        state=AnnotationState.PREDICTED,
        model_id=model.id,
        model_name=model.name,
        model_version=model.version,
        model_sha256=model.sha256,
        slices=slices,
        rows=rows,
        columns=columns,
        affine=segmentation.labels.affine.ravel().tolist(),
        mask_key=prediction.files.mask_key,
        brain_mask_key=prediction.files.brain_mask_key,
        probability_key=prediction.files.probability_key,
        connectivity=table.rule.connectivity,
        minimum_volume_mm3=table.rule.minimum_volume_mm3,
        counting_rule=table.rule.sentence,
        active_count=counts[LesionClass.ACTIVE],
        inactive_count=counts[LesionClass.INACTIVE],
        active_volume_ml=volumes_ml[LesionClass.ACTIVE],
        inactive_volume_ml=volumes_ml[LesionClass.INACTIVE],
        counts_by_slice={kind.value: list(touching) for kind, touching in table.counts_by_slice().items()},
        warnings=[*segmentation.warnings, *prediction.caveats],
        seconds=dict(segmentation.seconds),
    )


def _next_version(study: Study) -> int:
    """Called under the lock of the study."""
    return (Annotation.objects.filter(study=study).aggregate(last=Max("version"))["last"] or 0) + 1


def _lesion(annotation: Annotation, measures: LesionMeasures) -> Lesion:
    return Lesion(
        annotation=annotation,
        number=measures.number,
        lesion_class=measures.lesion_class.value,
        voxel_count=measures.voxel_count,
        volume_ml=measures.volume_ml,
        longest_axis_mm=measures.longest_axis_mm,
        centroid_mm=list(measures.centroid_mm),
        centroid_index=list(measures.centroid_index),
        slice_indices=list(measures.slice_indices),
        mean_probability=measures.mean_probability,
    )


def _visible_study(study_id: UUID, actor: User) -> Study:
    study = Study.objects.visible_to(actor).filter(pk=study_id).first()
    if study is None:
        raise NotFoundError("no such study, or none that you may see")
    return study


def _record(kind: EventKind, annotation: Annotation, *, actor: User | None, details: Mapping[str, str | int]) -> None:
    audit.record(
        kind,
        actor=actor,
        object_type="annotation",
        object_id=annotation.pk,
        site_id=annotation.study.site_id,
        details={"study": str(annotation.study_id), **details},
    )


def _announce(annotation: Annotation, study: Study) -> None:
    announce(
        {
            "type": "annotation.changed",
            "study": str(study.pk),
            "annotation": str(annotation.pk),
            "version": annotation.version,
        },
        topics=(WORKLIST, study_topic(study.pk)),
        site_id=study.site_id,
    )
