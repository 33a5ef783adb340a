"""A peer by DICOMweb: QIDO-RS as an echo, and STOW-RS, as a client. Source: PS3.18 10.5 and 10.6.

httpx and not dicomweb-client: that one decodes each dataset and writes it anew, tries again by itself where the outbox
already does, and sends a Host header without the port.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, Final

import httpx

from plaqueview.core.judged_transport import JudgedTransport
from plaqueview.pacs.models import RemoteNode
from plaqueview.pacs.multipart import PartWriter, media_type_of
from plaqueview.pacs.peer import Outgoing, PeerError, PeerProblem, Progress, Tally, error_of
from plaqueview.pacs.sealing import NODE_SEAL
from plaqueview.pacs.tls import context_of

CONNECT_TIMEOUT_S: Final = 4.0
ECHO_TIMEOUT_S: Final = 5.0
STORE_TIMEOUT_S: Final = 60.0
# A request is held in memory, and has a length: not every server takes a body without one.
REQUEST_BYTES: Final = 32 * 1024 * 1024

DICOM: Final = "application/dicom"
DICOM_JSON: Final = "application/dicom+json"
JSON_TYPES: Final = {DICOM_JSON, "application/json"}
PROCESSING_FAILURE: Final = 0x0110
FAILED_SEQUENCE, FAILURE_REASON = "00081198", "00081197"

PROBLEM_OF_STATUS: Final[dict[int, PeerProblem]] = {
    HTTPStatus.UNAUTHORIZED: PeerProblem.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN: PeerProblem.UNAUTHORIZED,
    HTTPStatus.NOT_FOUND: PeerProblem.NOT_DICOMWEB,
    HTTPStatus.METHOD_NOT_ALLOWED: PeerProblem.NOT_DICOMWEB,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: PeerProblem.NOT_STORED,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: PeerProblem.UNSUPPORTED,
}
# Some instances, or all of them, were refused, each with a reason.
WITH_REASONS: Final = {HTTPStatus.ACCEPTED, HTTPStatus.CONFLICT}


def echo(node: RemoteNode) -> str:
    """The peer's answer to a search for one study, in words; what it found is not read.

    Raises: PeerError, ssl.SSLError, SealBrokenError.
    """
    begin = time.monotonic()
    with client_of(node, ECHO_TIMEOUT_S) as client, client.stream("GET", "studies", params={"limit": 1}) as answer:
        require_success(answer, node)
        media_type, _ = media_type_of(answer.headers.get("content-type", ""))
        if answer.status_code == HTTPStatus.OK and media_type not in JSON_TYPES:
            detail = f"{node.address}: answered with {media_type or 'no media type'}, which is no DICOMweb"
            raise PeerError(PeerProblem.NOT_DICOMWEB, detail)
    return f"answered QIDO-RS in {(time.monotonic() - begin) * 1000:.0f} ms"


def store(node: RemoteNode, instances: Sequence[Outgoing], progress: Progress) -> str:
    """The peer has the instances; its answer in words.

    Raises: PeerError, ssl.SSLError, SealBrokenError.
    """
    tally = Tally(len(instances), [])
    with client_of(node, STORE_TIMEOUT_S) as client:
        for batch in _batches(instances):
            writer = PartWriter(DICOM)
            body = b"".join(writer.body((DICOM, one.path.read_bytes()) for one in batch))
            answer = client.post("studies", content=body, headers={"Content-Type": writer.content_type})
            for status in _refusals(answer, node, count=len(batch)):
                tally.add(status)
            progress()
    return tally.answer()


def _batches(instances: Iterable[Outgoing]) -> Iterator[list[Outgoing]]:
    batch: list[Outgoing] = []
    size = 0
    for one in instances:
        bytes_of_one = one.path.stat().st_size
        if batch and size + bytes_of_one > REQUEST_BYTES:
            yield batch
            batch, size = [], 0
        batch.append(one)
        size += bytes_of_one
    yield batch


def _refusals(answer: httpx.Response, node: RemoteNode, *, count: int) -> list[int]:
    """A status for each instance that was not stored. Source: PS3.18 Tables 10.5.3-1 and 10.5.3-2."""
    if answer.status_code not in WITH_REASONS:
        require_success(answer, node)
        return []
    reasons = _failure_reasons(answer)
    if not reasons and answer.status_code == HTTPStatus.CONFLICT:
        return [PROCESSING_FAILURE] * count
    return reasons


def _failure_reasons(answer: httpx.Response) -> list[int]:
    try:
        failures: Any = answer.json()[FAILED_SEQUENCE]["Value"]  # Any: DICOM JSON of a peer
        return [int(one.get(FAILURE_REASON, {}).get("Value", [PROCESSING_FAILURE])[0]) for one in failures]
    except (ValueError, KeyError, TypeError, IndexError, AttributeError):
        return []


def require_success(answer: httpx.Response, node: RemoteNode) -> None:
    if answer.is_success:
        return
    status = answer.status_code
    phrase = "leads elsewhere" if answer.is_redirect else httpx.codes.get_reason_phrase(status)
    problem = PROBLEM_OF_STATUS.get(status, PeerProblem.REJECTED)
    raise PeerError(problem, f"{node.address}: HTTP {status} {phrase}".rstrip())


@contextmanager
def client_of(node: RemoteNode, timeout_s: float) -> Iterator[httpx.Client]:
    """A client that follows no redirect, which could lead the credentials elsewhere."""
    headers = {"Accept": DICOM_JSON}
    if node.token_sealed:
        headers["Authorization"] = f"Bearer {NODE_SEAL.open(node.token_sealed)}"
    credentials = (node.username, NODE_SEAL.open(node.password_sealed)) if node.username else None
    try:
        with httpx.Client(
            base_url=f"{node.url.rstrip('/')}/",
            headers=headers,
            auth=credentials,
            timeout=httpx.Timeout(timeout_s, connect=CONNECT_TIMEOUT_S),
            transport=JudgedTransport(
                verify=context_of(node) if node.url.startswith("https:") else True, trust_env=False
            ),
            trust_env=False,
        ) as client:
            yield client
    except httpx.TimeoutException as error:
        raise PeerError(PeerProblem.TIMED_OUT, f"{node.address}: no answer in time") from error
    except httpx.RemoteProtocolError as error:
        raise PeerError(
            PeerProblem.NOT_DICOMWEB, f"{node.address}: the peer does not speak HTTP as it should"
        ) from error
    except httpx.TransportError as error:
        raise error_of(error, node.address) from error
