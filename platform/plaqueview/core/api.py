"""REST conventions: the one place that turns errors into HTTP, checks actions, pages lists and remembers keys."""

import hashlib
import json
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import OperationalError, transaction
from django.http import Http404
from django.utils import timezone
from rest_framework import exceptions, pagination, renderers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import exception_handler

from plaqueview.core.errors import (
    ConflictError,
    DeniedError,
    InvalidError,
    NotFoundError,
    PlaqueViewError,
    UnavailableError,
)
from plaqueview.core.models import IdempotentRequest
from plaqueview.core.problems import MEDIA_TYPE, problem_body, status_of

logger = logging.getLogger(__name__)

LONGEST_KEY = 255
ABANDONED_AFTER = timedelta(minutes=10)


class ProblemResponse(Response):
    """A problem, as JSON whatever the view's own media type is. Source: RFC 9457."""

    def __init__(self, status: HTTPStatus, *, code: str, detail: str, fields: Mapping[str, str] | None = None) -> None:
        body = problem_body(status, code=code, detail=detail, fields=fields)
        super().__init__(body, status=status, content_type=MEDIA_TYPE)

    @property
    def rendered_content(self) -> bytes:  # type: ignore[override]  # the framework renders bytes, its stubs say text
        self["Content-Type"] = MEDIA_TYPE
        rendered: bytes = renderers.JSONRenderer().render(self.data)
        return rendered


class CappedPagination(pagination.PageNumberPagination):
    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200


def problem_response(error: Exception, context: dict[str, Any]) -> Response | None:  # Any: the framework's context
    """The RFC 9457 answer to an error that a caller can act on; None lets anything else become a 500."""
    match error:
        case PlaqueViewError():
            answer = ProblemResponse(status_of(error), code=error.code, detail=error.detail, fields=error.fields)
            answer.data |= error.members
            return answer
        case Http404():
            detail = "no such thing, or none that you may see"
            return ProblemResponse(HTTPStatus.NOT_FOUND, code=NotFoundError.code, detail=detail)
        case PermissionDenied():
            return ProblemResponse(HTTPStatus.FORBIDDEN, code=DeniedError.code, detail=str(error) or "not allowed")
        case OperationalError():
            logger.error("the database cannot serve: %s", type(error.__cause__ or error).__name__)
            detail = "the database cannot serve now; try again soon"
            return ProblemResponse(HTTPStatus.SERVICE_UNAVAILABLE, code=UnavailableError.code, detail=detail)
        case exceptions.APIException():
            return _problem_of_framework(error, exception_handler(error, context))
    return None


def _problem_of_framework(error: exceptions.APIException, answer: Response | None) -> Response:
    fields = _fields_of(error.detail) if isinstance(error, exceptions.ValidationError) else {}
    detail = "the request has invalid fields" if fields else str(error.detail)
    problem = ProblemResponse(HTTPStatus(error.status_code), code=error.default_code, detail=detail, fields=fields)
    for header in ("WWW-Authenticate", "Retry-After"):
        if answer is not None and header in answer:
            problem[header] = answer[header]
    return problem


def _fields_of(detail: Any, name: str = "") -> dict[str, str]:  # Any: the framework nests lists and dicts freely
    """Every text by the path of its field, such as `scopes.0`."""
    if isinstance(detail, dict):
        children = [_fields_of(value, f"{name}.{key}".lstrip(".")) for key, value in detail.items()]
    elif isinstance(detail, list) and any(isinstance(value, dict | list) for value in detail):
        children = [_fields_of(value, f"{name}.{index}".lstrip(".")) for index, value in enumerate(detail)]
    else:
        texts = detail if isinstance(detail, list) else [detail]
        return {name or "non_field_errors": "; ".join(map(str, texts))}
    return {field: text for child in children for field, text in child.items()}


def accepted(body: dict[str, Any], *, location: str) -> Response:  # Any: a serializer's data
    """`202 Accepted`: the work is queued and can be followed at `location`."""
    return Response(body, status=HTTPStatus.ACCEPTED, headers={"Location": location})


def once_per_key(request: Request, work: Callable[[], Response]) -> Response:
    """The work's answer; a second request with the same `Idempotency-Key` gets the first one's answer again.

    The work and its answer are kept in one transaction: bytes that take long to arrive are received before it. What
    raises leaves nothing behind, so that the key may be tried again. An upload counts as the same by its length.

    Raises: ConflictError when the key was used for another request, or while its first request still runs.
    """
    key = request.headers.get("Idempotency-Key")
    if not key:
        return work()
    if len(key) > LONGEST_KEY:
        raise InvalidError(f"the Idempotency-Key has {len(key)} characters, at most {LONGEST_KEY} are kept")
    if request.user.pk is None:
        raise exceptions.NotAuthenticated
    fingerprint = _fingerprint(request)
    entry, is_first = IdempotentRequest.objects.get_or_create(
        actor_id=request.user.pk, key=key, defaults={"fingerprint": fingerprint}
    )
    if not is_first and not _is_abandoned(entry):
        return _repeated(entry, fingerprint)
    with _released_on_error(entry), transaction.atomic():
        response = work()
        entry.status, entry.location = response.status_code, response.get("Location", "")
        entry.body = json.loads(renderers.JSONRenderer().render(response.data))
        entry.save()
    return response


def _fingerprint(request: Request) -> str:
    digest = hashlib.sha256(f"{request.method} {request.get_full_path()}\n".encode())
    if request.content_type.startswith("multipart/"):
        digest.update(request.headers.get("Content-Length", "").encode())
    else:
        digest.update(renderers.JSONRenderer().render(request.data))
    return digest.hexdigest()


def _is_abandoned(entry: IdempotentRequest) -> bool:
    """The process that held the key died; its transaction left nothing, and from now on the key is held here."""
    deadline = timezone.now() - ABANDONED_AFTER
    if entry.status is not None or entry.modified > deadline:  # most are; asking does not wait for the writer's lock
        return False
    held = IdempotentRequest.objects.filter(pk=entry.pk, status=None, modified__lt=deadline)
    return held.update(modified=timezone.now()) == 1


@contextmanager
def _released_on_error(entry: IdempotentRequest) -> Iterator[None]:
    is_kept = False
    try:
        yield
        is_kept = True
    finally:
        if not is_kept:
            IdempotentRequest.objects.filter(pk=entry.pk).delete()


def _repeated(entry: IdempotentRequest, fingerprint: str) -> Response:
    if entry.fingerprint != fingerprint:
        raise ConflictError("this Idempotency-Key was used for another request; send a new key")
    if entry.status is None:
        raise ConflictError("the first request with this Idempotency-Key still runs; ask again in a moment")
    headers = {"Location": entry.location} if entry.location else {}
    return Response(entry.body, status=entry.status, headers=headers)
