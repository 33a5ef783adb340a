"""REST conventions: the one place that turns errors into HTTP, checks actions, pages lists and remembers keys."""

import hashlib
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.http import Http404
from rest_framework import exceptions, pagination, renderers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import exception_handler

from plaqueview.core.errors import ConflictError, DeniedError, NotFoundError, PlaqueViewError
from plaqueview.core.models import IdempotentRequest
from plaqueview.core.problems import MEDIA_TYPE, problem_body, status_of


class ProblemRenderer(renderers.JSONRenderer):
    """Source: RFC 9457."""

    media_type = MEDIA_TYPE
    format = "problem"


class CappedPagination(pagination.PageNumberPagination):
    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200


def problem_response(error: Exception, context: dict[str, Any]) -> Response | None:  # Any: DRF's context
    """The RFC 9457 answer to an error that a caller can act on; None lets anything else become a 500."""
    if isinstance(error, PlaqueViewError):
        return _problem(status_of(error), error.code, error.detail, error.fields)
    if isinstance(error, Http404):
        return _problem(HTTPStatus.NOT_FOUND, NotFoundError.code, "no such thing, or none that you may see", {})
    if isinstance(error, PermissionDenied):
        return _problem(HTTPStatus.FORBIDDEN, DeniedError.code, str(error) or "not allowed", {})
    response = exception_handler(error, context)
    if response is None or not isinstance(error, exceptions.APIException):
        return response
    fields = _fields_of(error.detail) if isinstance(error, exceptions.ValidationError) else {}
    detail = "the request has invalid fields" if fields else str(error.detail)
    problem = _problem(HTTPStatus(response.status_code), str(error.default_code), detail, fields)
    for header in ("WWW-Authenticate", "Retry-After"):
        if header in response:
            problem[header] = response[header]
    return problem


def _problem(status: HTTPStatus, code: str, detail: str, fields: dict[str, str]) -> Response:
    body = problem_body(status, code=code, detail=detail, fields=fields)
    response = Response(body, status=status, content_type=MEDIA_TYPE)
    response.accepted_renderer = ProblemRenderer()
    response.accepted_media_type = MEDIA_TYPE
    response.renderer_context = {}
    return response


def _fields_of(detail: Any) -> dict[str, str]:  # Any: DRF nests lists and dicts of errors freely
    if isinstance(detail, dict):
        return {
            str(name): "; ".join(map(str, texts)) if isinstance(texts, list) else str(texts)
            for name, texts in detail.items()
        }
    return {"non_field_errors": "; ".join(map(str, detail)) if isinstance(detail, list) else str(detail)}


def accepted(body: dict[str, Any], *, location: str) -> Response:  # Any: a serializer's data
    """`202 Accepted`: the work is queued and can be followed at `location`."""
    return Response(body, status=HTTPStatus.ACCEPTED, headers={"Location": location})


def once_per_key(request: Request, work: Callable[[], Response]) -> Response:
    """The work's answer; a second request with the same `Idempotency-Key` gets the first one's answer again.

    Raises: ConflictError when the key was used for another request, or when its first request still runs.
    """
    key = request.headers.get("Idempotency-Key")
    if not key:
        return work()
    fingerprint = hashlib.sha256(f"{request.method} {request.get_full_path()}".encode() + request.body).hexdigest()
    try:
        with transaction.atomic():
            entry = IdempotentRequest.objects.create(actor_id=request.user.pk, key=key, fingerprint=fingerprint)
            response = work()
            entry.status, entry.location, entry.body = response.status_code, response.get("Location", ""), response.data
            entry.save()
            return response
    except IntegrityError:
        entry = IdempotentRequest.objects.filter(actor_id=request.user.pk, key=key).first()
        if entry is None:
            raise
    return _repeated(entry, fingerprint)


def _repeated(entry: IdempotentRequest, fingerprint: str) -> Response:
    if entry.fingerprint != fingerprint:
        raise ConflictError("this Idempotency-Key was used for another request; send a new key")
    headers = {"Location": entry.location} if entry.location else {}
    return Response(entry.body, status=entry.status, headers=headers)
