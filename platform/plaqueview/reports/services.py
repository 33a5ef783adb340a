"""The reading of documents, which the audit keeps: a file leaves the house."""

from uuid import UUID

from plaqueview.accounts.models import User
from plaqueview.annotations import services as annotations
from plaqueview.annotations.models import Annotation, AnnotationState
from plaqueview.audit import services as audit
from plaqueview.audit.models import EventKind
from plaqueview.core.access import Action, require
from plaqueview.core.errors import ConflictError
from plaqueview.imaging.dicom_document import quiet
from plaqueview.imaging.dicom_read import SeriesReadError
from plaqueview.imaging.dicom_source import DocumentError
from plaqueview.reports import documents
from plaqueview.reports.documents import Document, DocumentKind
from plaqueview.reports.findings import prior_of
from plaqueview.reports.stamps import stamp_of


def read_document(*, annotation_id: UUID, kind: DocumentKind, actor: User, language: str = "") -> Document:
    """The document of exactly this version; a version that is not approved says so in it. The export is on record,
    and so is that the version of a prior was read with which the document compares it.

    Raises: DeniedError, also when a DICOM object, which names the patient, is asked for without the right to read
    studies; NotFoundError; ConflictError when the series no longer fits the version.
    """
    if kind in documents.NAMES_PATIENT:
        require(actor, Action.STUDY_READ)
    annotation = annotations.read(annotation_id=annotation_id, actor=actor, part=kind.value)
    if kind in documents.COMPARES:
        _read_prior(annotation, kind, actor)
    document = _made(annotation, kind, language)
    audit.record(
        EventKind.DOCUMENT_EXPORTED,
        actor=actor,
        object_type="annotation",
        object_id=annotation.pk,
        site_id=annotation.study.site_id,
        details={
            "study": str(annotation.study_id),
            "document": kind.value,
            "sha256": document.sha256,
            "is_approved": annotation.state == AnnotationState.APPROVED,
        },
    )
    return document


def _read_prior(annotation: Annotation, kind: DocumentKind, actor: User) -> None:
    prior = prior_of(annotation, stamp_of(annotation))
    if prior is not None:
        annotations.read(annotation_id=prior.annotation.pk, actor=actor, part=kind.value)


def _made(annotation: Annotation, kind: DocumentKind, language: str) -> Document:
    try:
        with quiet():
            return documents.make(annotation, kind, language=language)
    except (DocumentError, SeriesReadError) as error:
        raise ConflictError(f"{kind} cannot be written: {error}") from error
