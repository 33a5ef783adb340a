"""What a network says becomes a version of its study."""

from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from plaqueview.annotations import journal, versions
from plaqueview.annotations.files import MaskFiles
from plaqueview.annotations.models import Annotation, AnnotationState
from plaqueview.audit.models import EventKind
from plaqueview.imaging.lesion_class import LesionClass
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
    """The study has the prediction as its next version, with its lesions.

    The study shows it as the current one, unless it shows a reader's that was submitted or approved.
    """
    study = Study.objects.select_for_update().get(pk=study_id)
    annotation = _annotation(study, series_id, prediction)
    table = prediction.segmentation.lesions
    versions.insert(annotation, versions.unlocated_lesions(annotation, table))
    if not _shows_a_readers(study):
        studies.record_result(study_id=study_id, annotation=journal.summary_of(annotation))
    journal.record(EventKind.ANNOTATION_CREATED, annotation, actor=None, details={"version": annotation.version})
    journal.publish(annotation)
    return annotation


def _shows_a_readers(study: Study) -> bool:
    if study.current_annotation_id is None:
        return False
    of_reader = Annotation.objects.filter(state__in=[AnnotationState.SUBMITTED, AnnotationState.APPROVED])
    return of_reader.filter(pk=study.current_annotation_id).exists()


def _annotation(study: Study, series_id: UUID, prediction: Prediction) -> Annotation:
    segmentation, model = prediction.segmentation, prediction.model
    slices, rows, columns = segmentation.labels.shape
    return Annotation(
        study=study,
        series_id=series_id,
        version=versions.next_version(study),
        state=AnnotationState.PREDICTED,
        model_id=model.id,
        model_name=model.name,
        model_version=model.version,
        model_sha256=model.sha256,
        computation=segmentation.computation,
        slices=slices,
        rows=rows,
        columns=columns,
        affine=segmentation.labels.affine.ravel().tolist(),
        mask_key=prediction.files.mask_key,
        brain_mask_key=prediction.files.brain_mask_key,
        probability_key=prediction.files.probability_key,
        **versions.measures_of(segmentation.lesions),
        unconfirmed_active_count=segmentation.lesions.counts()[LesionClass.ACTIVE],
        warnings=[*segmentation.warnings, *prediction.caveats],
        seconds=dict(segmentation.seconds),
    )
