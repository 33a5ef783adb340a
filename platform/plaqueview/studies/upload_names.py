"""What senders called their files: the report of an upload tells it, also of files that led to no study."""

from collections.abc import Collection, Iterator
from typing import Final
from uuid import UUID

from plaqueview.core.stored_keys import rows_with
from plaqueview.studies.models import FileOutcome, UploadFile, UploadState

ERASED_NAME: Final = "(erased)"


def obstacles_of_uploads(file_ids: Collection[UUID]) -> Iterator[str]:
    """What has to end before the lines can go: a worker would take in anew what it no longer finds named."""
    at_work = {"upload__state__in": [UploadState.RECEIVING, UploadState.PROCESSING]}
    if any(some.filter(**at_work).exists() for some in rows_with(UploadFile, file_ids)):
        yield "an upload with files of the patient is being taken in; wait for it"


def forget_names_beside(file_ids: Collection[UUID]) -> set[UUID]:
    """The uploads of these lines, whose lines that lead to no study have lost their names: they may be the patients'.

    An archive leads to none itself, and is called like a patient more often than its members are.
    """
    uploads = {upload for some in rows_with(UploadFile, file_ids) for upload in some.values_list("upload", flat=True)}
    for some in rows_with(UploadFile, uploads, "upload"):
        some.filter(study=None).exclude(outcome=FileOutcome.WAITING).update(name=ERASED_NAME)
    return uploads
