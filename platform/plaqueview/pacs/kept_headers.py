"""DICOM JSON of a series made once, and served from what was kept (docs/decisions/0050-kept-headers.md).

The file has a line that says its form and is like no other file's, one with the storage keys of the instances, and each
one's header as a line. A header is an instance's by the name of its bytes, so that no answer is older than these.
"""

import json
import logging
import zlib
from collections.abc import Mapping, Sequence
from secrets import token_hex
from typing import Final
from uuid import UUID

import pydicom
from django.conf import settings

from plaqueview.core.errors import UnavailableError
from plaqueview.core.queue import LATER, enqueue
from plaqueview.core.recent import Recent
from plaqueview.core.storage import read_whole
from plaqueview.pacs.metadata import read_headers
from plaqueview.pacs.retrieval import StoredInstance, instances_of
from plaqueview.studies import services
from plaqueview.studies.models import Series, Study
from plaqueview.studies.settling import HEADERS_TASK

logger = logging.getLogger(__name__)

# Another number once any header is turned into other JSON than before; a test holds it to what it stands for.
FORM: Final = 2
# Quotation marks within a value have a backslash before them, so this is the name of a member wherever it stands.
ADDRESS: Final = b'"BulkDataURI":"'
ASKED_AGAIN_AFTER_S: Final = 60.0
_asked: Final = Recent(most=10_000)


def metadata_of(instances: Sequence[StoredInstance]) -> bytes:
    """A JSON array with one dataset per instance. What is not kept is read, and asked to be kept from now on."""
    series = {one.headers_key: one.series_id for one in instances if one.headers_key}
    headers = {key: header for headers_key in series for key, header in _kept(headers_key).items()}
    missing = [one for one in instances if one.storage_key not in headers]
    if missing:
        headers |= read_headers(missing)
        _ask_to_keep(missing[0].study_id)
    root = json.dumps(f"{settings.ORIGIN}/dicom-web")[1:-1].encode()
    found = b"[" + b",".join([headers[one.storage_key] for one in instances]) + b"]"
    return found.replace(ADDRESS, ADDRESS + root)


def keep_of_study(study_id: UUID) -> None:
    """The headers of each series of the study are kept, unless instances still arrive. Twice does nothing."""
    if Study.objects.filter(pk=study_id, is_settled=True).exists():
        for series_id in Series.objects.filter(study=study_id).values_list("pk", flat=True):
            _keep_of_series(series_id)


def _keep_of_series(series_id: UUID) -> None:
    instances = instances_of(series_id)
    keys = [one.storage_key for one in instances]
    if not keys or list(_kept(instances[0].headers_key)) == keys:
        return
    headers = read_headers(instances)
    head = b"%b %b" % (_form(), token_hex(16).encode())
    content = b"\n".join([head, " ".join(keys).encode(), *(headers[key] for key in keys)])
    services.keep_headers(series_id=series_id, content=zlib.compress(content), storage_keys=keys)


def _kept(headers_key: str) -> Mapping[str, bytes]:
    """Each header by the storage key of its instance; none where they are kept in another form, or not any more."""
    if not headers_key:
        return {}
    try:
        head, keys, *headers = zlib.decompress(read_whole(headers_key)).split(b"\n")
    except (FileNotFoundError, UnavailableError, zlib.error) as error:
        logger.warning("the headers kept as %s cannot be read: %s", headers_key, type(error).__name__)
        return {}
    return dict(zip(keys.decode().split(" "), headers, strict=True)) if head.startswith(_form() + b" ") else {}


def _form() -> bytes:
    return f"{FORM} pydicom {pydicom.__version__}".encode()


def _ask_to_keep(study_id: UUID) -> None:
    if str(study_id) not in _asked:
        _asked.add(str(study_id), kept_s=ASKED_AGAIN_AFTER_S)
        enqueue(HEADERS_TASK, str(study_id), priority=LATER)
