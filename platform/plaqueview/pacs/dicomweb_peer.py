"""A peer by DICOMweb: QIDO-RS as an echo, and STOW-RS, as a client. Source: PS3.18 10.5 and 10.6.

httpx and not dicomweb-client: that one decodes each dataset and writes it anew, tries again by itself where the outbox
already does, and sends a Host header without the port.
"""

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, Final

import httpx
from django.conf import settings

from plaqueview.core.judged_transport import JudgedTransport
from plaqueview.core.timed_stream import Deadline
from plaqueview.pacs.models import RemoteNode
from plaqueview.pacs.multipart import PartWriter, media_type_of
from plaqueview.pacs.peer import LONGEST_STORE, Outgoing, PeerError, PeerProblem, Progress, Tally, error_of
from plaqueview.pacs.sealing import NODE_SEAL
from plaqueview.pacs.tls import context_of

CONNECT_TIMEOUT_S: Final = 4.0
ECHO_TIMEOUT_S, LONGEST_ECHO_S = 5.0, 10.0
STORE_TIMEOUT_S: Final = 60.0
# A request is held in memory, and has a length: not every server takes a body without one.
REQUEST_BYTES: Final = 32 * 1024 * 1024
READ_BYTES: Final = 1024 * 1024
LARGEST_RESULT_BYTES: Final = 16 * 1024 * 1024

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
    with (
        client_of(node, ECHO_TIMEOUT_S, Deadline(LONGEST_ECHO_S)) as client,
        client.stream("GET", "studies", params={"limit": 1}) as answer,
    ):
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
    deadline = Deadline(LONGEST_STORE * settings.TRANSFER_LEASE_S)
    with client_of(node, STORE_TIMEOUT_S, deadline) as client:
        for batch in _batches(instances):
            writer = PartWriter(DICOM)
            body = b"".join(writer.body((DICOM, one.path.read_bytes()) for one in batch))
            described = {"Content-Type": writer.content_type}
            with client.stream("POST", "studies", content=body, headers=described) as answer:
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
    content = content_of(answer, node)
    if answer.status_code not in WITH_REASONS:
        require_success(answer, node)
        return _failure_reasons(content) or []
    reasons = _failure_reasons(content)
    is_unsaid = reasons is None or (not reasons and answer.status_code == HTTPStatus.CONFLICT)
    return [PROCESSING_FAILURE] * count if is_unsaid else reasons or []


def _failure_reasons(content: bytes) -> list[int] | None:
    """None where the answer is not the dataset that says so: what was stored is then not known."""
    try:
        answered: Any = json.loads(content)  # Any: DICOM JSON of a peer
        failures = answered.get(FAILED_SEQUENCE, {}).get("Value", [])
        return [int(one.get(FAILURE_REASON, {}).get("Value", [PROCESSING_FAILURE])[0]) for one in failures]
    except (ValueError, TypeError, IndexError, AttributeError, RecursionError):
        return None


def content_of(answer: httpx.Response, node: RemoteNode) -> bytes:
    """All that the peer answered. Raises: PeerError when it is too much."""
    content = b""
    for chunk in answer.iter_bytes(READ_BYTES):
        content += chunk
        if len(content) > LARGEST_RESULT_BYTES:
            detail = f"{node.address}: the answer has more than {LARGEST_RESULT_BYTES} bytes"
            raise PeerError(PeerProblem.NOT_DICOMWEB, detail)
    return content


def require_success(answer: httpx.Response, node: RemoteNode) -> None:
    if answer.is_success:
        return
    status = answer.status_code
    phrase = "leads elsewhere" if answer.is_redirect else httpx.codes.get_reason_phrase(status)
    problem = PROBLEM_OF_STATUS.get(status, PeerProblem.REJECTED)
    raise PeerError(problem, f"{node.address}: HTTP {status} {phrase}".rstrip())


@contextmanager
def client_of(node: RemoteNode, timeout_s: float, deadline: Deadline) -> Iterator[httpx.Client]:
    """A client that follows no redirect, which could lead the credentials elsewhere.

    The time-out is for each piece of an answer, the deadline for the whole exchange.
    """
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
                verify=context_of(node) if node.url.startswith("https:") else True, deadline=deadline
            ),
            trust_env=False,
        ) as client:
            yield client
    except httpx.TimeoutException as error:
        raise PeerError(PeerProblem.TIMED_OUT, f"{node.address}: no answer in time") from error
    except (httpx.RemoteProtocolError, httpx.DecodingError) as error:
        raise PeerError(
            PeerProblem.NOT_DICOMWEB, f"{node.address}: the peer does not speak HTTP as it should"
        ) from error
    except httpx.TransportError as error:
        raise error_of(error, node.address) from error
