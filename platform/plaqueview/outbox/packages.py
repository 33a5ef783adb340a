"""The objects of an approved version: made once, kept, and the same bytes for every node and every attempt."""

import zipfile
from io import BytesIO
from typing import Final

from pydicom import dcmread

from plaqueview.annotations.models import Annotation, AnnotationState
from plaqueview.core.storage import store_bytes, stored_path
from plaqueview.imaging.dicom_document import quiet
from plaqueview.imaging.dicom_read import SeriesReadError
from plaqueview.imaging.dicom_source import DocumentError
from plaqueview.outbox.models import KeptInstance, Transfer
from plaqueview.pacs.models import SentDocument
from plaqueview.pacs.peer import Outgoing
from plaqueview.reports.documents import DocumentKind, make

DOCUMENT_OF: Final = {
    SentDocument.SEGMENTATION: DocumentKind.SEGMENTATION,
    SentDocument.REPORT: DocumentKind.REPORT,
    SentDocument.CAPTURES: DocumentKind.CAPTURES,
    SentDocument.PAGES: DocumentKind.ENCAPSULATED_PAGES,
}


class PackageError(ValueError):
    """There is nothing that may, or can, be sent of the version."""


def package_of(transfer: Transfer) -> list[Outgoing]:
    """The transfer's objects, in the order of its documents; the transfer names their UIDs.

    Raises: PackageError when the version is not approved, or no longer fits its series.
    """
    annotation = Annotation.objects.select_related("study", "series", "base", "author").get(pk=transfer.annotation_id)
    if annotation.state != AnnotationState.APPROVED:
        raise PackageError(f"the version is {annotation.state}; only one that is approved is sent")
    kept = [one for kind in transfer.documents for one in _kept(annotation, SentDocument(kind))]
    uids = [one.sop_instance_uid for one in kept]
    Transfer.objects.filter(pk=transfer.pk).update(sop_instance_uids=uids)
    return [
        Outgoing(one.sop_class_uid, one.sop_instance_uid, one.transfer_syntax_uid, stored_path(one.storage_key))
        for one in kept
    ]


def _kept(annotation: Annotation, kind: SentDocument) -> list[KeptInstance]:
    kept = KeptInstance.objects.filter(annotation=annotation, kind=kind).order_by("position")
    if not kept.exists():
        fresh = [_instance(annotation, kind, *one) for one in enumerate(_files(annotation, kind))]
        KeptInstance.objects.bulk_create(fresh, ignore_conflicts=True)  # another worker may have been first
    return list(kept.all())


def _files(annotation: Annotation, kind: SentDocument) -> list[bytes]:
    try:
        with quiet():
            content = make(annotation, DOCUMENT_OF[kind]).content
    except (DocumentError, SeriesReadError) as error:
        raise PackageError(f"{kind.label} cannot be written: {error}") from error
    if kind is not SentDocument.CAPTURES:
        return [content]
    with zipfile.ZipFile(BytesIO(content)) as archive:
        return [archive.read(name) for name in sorted(archive.namelist())]


def _instance(annotation: Annotation, kind: SentDocument, position: int, content: bytes) -> KeptInstance:
    header = dcmread(BytesIO(content), stop_before_pixels=True, specific_tags=["SOPClassUID", "SOPInstanceUID"])
    return KeptInstance(
        annotation=annotation,
        kind=kind,
        position=position,
        sop_class_uid=header.SOPClassUID,
        sop_instance_uid=header.SOPInstanceUID,
        transfer_syntax_uid=header.file_meta.TransferSyntaxUID,
        storage_key=store_bytes([content], kind="documents").key,
    )
