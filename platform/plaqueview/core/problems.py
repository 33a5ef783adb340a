"""Problem details: the body of every refusal, inside the REST framework and outside of it.

Source: RFC 9457.
"""
# ruff: noqa: ARG001  (Django calls these views with arguments that some do not need)

from collections.abc import Mapping
from http import HTTPStatus

from django.http import HttpRequest, JsonResponse

from plaqueview.core.errors import (
    ConflictError,
    DeniedError,
    InvalidError,
    NotFoundError,
    PlaqueViewError,
    PreconditionError,
    PreconditionRequiredError,
    TooLargeError,
    UnavailableError,
)

MEDIA_TYPE = "application/problem+json"

STATUS_OF_ERROR: dict[type[PlaqueViewError], HTTPStatus] = {
    NotFoundError: HTTPStatus.NOT_FOUND,
    DeniedError: HTTPStatus.FORBIDDEN,
    InvalidError: HTTPStatus.UNPROCESSABLE_ENTITY,
    ConflictError: HTTPStatus.CONFLICT,
    PreconditionError: HTTPStatus.PRECONDITION_FAILED,
    PreconditionRequiredError: HTTPStatus.PRECONDITION_REQUIRED,
    TooLargeError: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    UnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
}


def status_of(error: PlaqueViewError) -> HTTPStatus:
    """The status of the error's class, or of the nearest class above it that has one."""
    return next(STATUS_OF_ERROR[kind] for kind in type(error).__mro__ if kind in STATUS_OF_ERROR)


def problem_body(
    status: HTTPStatus, *, code: str, detail: str, fields: Mapping[str, str] | None = None
) -> dict[str, object]:
    """`code` is for programs, `detail` for people, `fields` names what in the request is wrong."""
    body: dict[str, object] = {
        "type": f"urn:plaqueview:problem:{code}",
        "title": status.phrase,
        "status": int(status),
        "code": code,
        "detail": detail,
    }
    if fields:
        body["errors"] = [{"field": name, "detail": text} for name, text in fields.items()]
    return body


def problem(status: HTTPStatus, *, code: str, detail: str) -> JsonResponse:
    """A problem as Django's own response, for what never reaches a REST view."""
    return JsonResponse(problem_body(status, code=code, detail=detail), status=status, content_type=MEDIA_TYPE)


def bad_request(request: HttpRequest, exception: Exception) -> JsonResponse:
    return problem(HTTPStatus.BAD_REQUEST, code="bad_request", detail="the request is malformed")


def permission_denied(request: HttpRequest, exception: Exception) -> JsonResponse:
    return problem(HTTPStatus.FORBIDDEN, code=DeniedError.code, detail="not allowed")


def not_found(request: HttpRequest, exception: Exception | None = None) -> JsonResponse:
    return problem(HTTPStatus.NOT_FOUND, code=NotFoundError.code, detail="there is nothing at this address")


def server_error(request: HttpRequest) -> JsonResponse:
    return problem(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        code="server_error",
        detail="the server failed at this request; its log has the cause, and nothing was kept of the request",
    )


def csrf_failure(request: HttpRequest, reason: str = "") -> JsonResponse:
    return problem(
        HTTPStatus.FORBIDDEN,
        code="csrf_failed",
        detail=f"a request with a session needs the header X-CSRFToken of this origin: {reason}",
    )
