"""Labels that were made elsewhere become an approved version of their study, and say where they come from."""

from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db import transaction

from plaqueview.accounts.services import import_account
from plaqueview.annotations import journal, versions
from plaqueview.annotations.files import store_encoded
from plaqueview.annotations.models import Annotation, AnnotationState
from plaqueview.audit.models import EventKind
from plaqueview.core.errors import ConflictError
from plaqueview.imaging import mask_codec
from plaqueview.imaging.lesion_class import LesionClass
from plaqueview.imaging.lesions import CountingRule, LesionTable, measure_lesions
from plaqueview.imaging.volume import Volume
from plaqueview.studies import services as studies
from plaqueview.studies.models import Study, StudyState

NO_REGIONS = "Imported labels come without a brain mask, which the telling of regions needs."


@dataclass(frozen=True, eq=False)
class ImportedLabels:
    """`labels` holds 0, 1 (inactive), 2 (active) on the grid of the series; `note` says what is known of their origin.

    They carry no evidence: whatever class they name is shown, and taken for unknown by training.
    """

    labels: Volume
    note: str


@transaction.atomic
def create_imported(*, study_id: UUID, series_id: UUID, imported: ImportedLabels) -> Annotation:
    """The study has the labels as its next version, approved where they come from and by nobody here.

    It has no step of review, so that no rule sends it to a node.

    Raises: ConflictError when the study has a version already.
    """
    study = Study.objects.select_for_update().get(pk=study_id)
    if Annotation.objects.filter(study=study).exists():
        raise ConflictError("the study has a version already; labels are imported with their study")
    rule = CountingRule(settings.LESION_CONNECTIVITY, settings.MINIMUM_LESION_VOLUME_MM3)
    table = measure_lesions(imported.labels, None, rule=rule)
    annotation = _annotation(study, series_id, imported, table)
    versions.insert(annotation, versions.unlocated_lesions(annotation, table))
    journal.record(EventKind.ANNOTATION_IMPORTED, annotation, actor=None, details={"version": annotation.version})
    studies.record_result(study_id=study.pk, annotation=journal.summary_of(annotation))
    studies.set_state(study.pk, StudyState.APPROVED)
    journal.publish(annotation)
    return annotation


def _annotation(study: Study, series_id: UUID, imported: ImportedLabels, table: LesionTable) -> Annotation:
    slices, rows, columns = imported.labels.shape
    return Annotation(
        study=study,
        series_id=series_id,
        version=versions.next_version(study),
        state=AnnotationState.APPROVED,
        author=import_account(),
        slices=slices,
        rows=rows,
        columns=columns,
        affine=imported.labels.affine.ravel().tolist(),
        mask_key=store_encoded(mask_codec.encode(imported.labels.voxels)),
        region_note=NO_REGIONS,
        **versions.measures_of(table),
        unconfirmed_active_count=table.counts()[LesionClass.ACTIVE],
        warnings=[imported.note],
    )
