"""Studies at a peer by DICOMweb: QIDO-RS and WADO-RS as a client. Source: PS3.18 10.4 and 10.6."""

import json
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from typing import Final
from urllib.parse import urlencode

import httpx
from django.conf import settings
from pydicom.dataset import Dataset

from plaqueview.core.timed_stream import Deadline
from plaqueview.pacs.dicomweb_peer import DICOM, JSON_TYPES, READ_BYTES, client_of, content_of, require_success
from plaqueview.pacs.models import RemoteNode
from plaqueview.pacs.multipart import BrokenBodyError, PartReader, media_type_of
from plaqueview.pacs.peer import PartlySentError, PeerError, PeerProblem
from plaqueview.pacs.remote_studies import RETURNED, Basket, RemoteStudies, StudyQuery, remote_study
from plaqueview.studies.instance_file import UNREADABLE

# Who searches waits for the answer, and the web server's proxy for a minute.
FIND_TIMEOUT_S, LONGEST_FIND_S = 20.0, 45.0
# For each piece of a retrieval, of READ_BYTES; shorter than its lease.
RETRIEVE_TIMEOUT_S: Final = 120.0
AS_STORED: Final = f'multipart/related; type="{DICOM}"; transfer-syntax=*'


def find(node: RemoteNode, query: StudyQuery, limit: int) -> RemoteStudies:
    """The peer's studies that match, no more than `limit`.

    Raises: PeerError, ssl.SSLError, SealBrokenError.
    """
    matched = query.attributes()
    included = [keyword for keyword in RETURNED if keyword not in matched]
    parameters = {**matched, "limit": str(limit + 1), "includefield": included}
    address = f"studies?{urlencode(parameters, doseq=True, safe='*')}"  # Orthanc takes %2A for no wildcard
    deadline = Deadline(LONGEST_FIND_S)
    with client_of(node, FIND_TIMEOUT_S, deadline) as client, client.stream("GET", address) as answer:
        require_success(answer, node)
        if answer.status_code == HTTPStatus.NO_CONTENT:
            return RemoteStudies([], has_more=False)
        rows = _rows(answer, node)
    studies = [study for row in rows if (study := remote_study(row)) is not None]
    return RemoteStudies(studies[:limit], has_more=len(studies) > limit)


def retrieve(node: RemoteNode, study_instance_uid: str, basket: Basket) -> str:
    """Every instance of the study was put into the basket, in the transfer syntax that the peer keeps; how it came.

    Raises: PeerError, ssl.SSLError, SealBrokenError, and what the basket raises.
    """
    address, deadline = f"studies/{study_instance_uid}", Deadline(RETRIEVE_TIMEOUT_S)
    with (
        client_of(node, RETRIEVE_TIMEOUT_S, deadline) as client,
        client.stream("GET", address, headers={"Accept": AS_STORED}) as answer,
    ):
        require_success(answer, node)
        media_type, parameters = media_type_of(answer.headers.get("content-type", ""))
        if media_type != "multipart/related" or not parameters.get("boundary"):
            raise _not_dicomweb(node, media_type)
        _take(_pieces(answer, deadline), node, PartReader(parameters["boundary"], basket.folder), basket)
        if answer.status_code == HTTPStatus.PARTIAL_CONTENT:  # PS3.18 Table 10.4.3-1
            raise PartlySentError(f"{node.address}: some instances of the study did not come")
    return "by WADO-RS"


def _pieces(answer: httpx.Response, deadline: Deadline) -> Iterator[bytes]:
    """The body, each piece within the time."""
    deadline.put_off()
    for piece in answer.iter_bytes(READ_BYTES):
        yield piece
        deadline.put_off()


def _take(pieces: Iterable[bytes], node: RemoteNode, reader: PartReader, basket: Basket) -> None:
    """Parts are put as they end; what breaks off is not."""
    received_bytes = 0
    try:
        for piece in pieces:
            received_bytes += len(piece)
            if received_bytes > settings.UPLOAD_MAX_BYTES:
                detail = f"{node.address}: the study has more than {settings.UPLOAD_MAX_BYTES} bytes"
                raise PeerError(PeerProblem.NOT_SENT, detail)
            reader.feed(piece)
            _put(reader, basket)
        reader.finish()
        _put(reader, basket)
    except BrokenBodyError as error:
        raise PeerError(PeerProblem.ABORTED, f"{node.address}: {error}") from error
    finally:
        reader.close()


def _put(reader: PartReader, basket: Basket) -> None:
    parts, reader.ready = reader.ready, []
    for part in parts:
        basket.put(part.path)
    basket.look()


def _rows(answer: httpx.Response, node: RemoteNode) -> list[Dataset]:
    media_type, _ = media_type_of(answer.headers.get("content-type", ""))
    if media_type not in JSON_TYPES:
        raise _not_dicomweb(node, media_type)
    content = content_of(answer, node)
    try:
        return [Dataset.from_json(row) for row in json.loads(content)]
    except UNREADABLE as error:
        raise PeerError(PeerProblem.NOT_DICOMWEB, f"{node.address}: the answer is no DICOM JSON") from error


def _not_dicomweb(node: RemoteNode, media_type: str) -> PeerError:
    detail = f"{node.address}: answered with {media_type or 'no media type'}, which is no DICOMweb"
    return PeerError(PeerProblem.NOT_DICOMWEB, detail)
