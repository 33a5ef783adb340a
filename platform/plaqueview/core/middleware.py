"""What holds for every request: its id, a limit on its size, and an answer that stays out of shared caches.

Headers are looked up one by one: to list all of them takes longer than all that is done here.
"""

import re
import uuid
from collections.abc import Callable
from http import HTTPStatus

from csp.constants import HEADER
from csp.utils import build_policy
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from plaqueview.core.errors import TooLargeError
from plaqueview.core.logs import REQUEST_ID
from plaqueview.core.problems import problem

GetResponse = Callable[[HttpRequest], HttpResponseBase]

PATHS_WITH_PATIENT_DATA = ("/api/", "/dicom-web/", "/_allauth/")
# Whose views know who asks before they read a byte; elsewhere the CSRF check may read a whole form before anybody does.
PATHS_OF_UPLOADS = ("/api/v1/uploads", "/api/v1/models/import", "/dicom-web/")
REQUEST_ID_HEADER = "X-Request-ID"
# What proxies send; anything else could write lines of its own into the log.
WELL_FORMED_ID = re.compile(r"[0-9A-Za-z-]{8,64}")


def name_request(get_response: GetResponse) -> GetResponse:
    """The id that the proxy gave, or a new one, stands in every line that is logged meanwhile, and in the answer."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        given = request.META.get("HTTP_X_REQUEST_ID", "")
        request_id = given if WELL_FORMED_ID.fullmatch(given) else uuid.uuid4().hex
        token = REQUEST_ID.set(request_id)
        try:
            response = get_response(request)
        finally:
            REQUEST_ID.reset(token)
        response.headers[REQUEST_ID_HEADER] = request_id
        return response

    return middleware


def state_content_policy(get_response: GetResponse) -> GetResponse:
    """Every answer names the content security policy of the settings; no view has one of its own, nor a nonce."""
    policy = build_policy()

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        response.headers.setdefault(HEADER, policy)
        return response

    return middleware


def limit_request_size(get_response: GetResponse) -> GetResponse:
    """A body is refused by its announced length, before a byte of it is read; a form on some paths is an upload.

    A body without a length is empty to Django, so that nothing passes unannounced.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        is_multipart = (request.content_type or "").startswith("multipart/")
        is_upload = is_multipart and request.path.startswith(PATHS_OF_UPLOADS)
        limit_bytes = settings.UPLOAD_MAX_BYTES if is_upload else settings.REQUEST_MAX_BYTES
        length = request.META.get("CONTENT_LENGTH") or "0"
        if not length.isdecimal():
            return problem(HTTPStatus.BAD_REQUEST, code="bad_request", detail="Content-Length is not a number")
        if int(length) > limit_bytes:
            detail = f"the body has {length} bytes, this department accepts {limit_bytes}"
            return problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, code=TooLargeError.code, detail=detail)
        return get_response(request)

    return middleware


def keep_answers_private(get_response: GetResponse) -> GetResponse:
    """Answers that may hold patient data are stored nowhere, unless the view says how they may be."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if request.path.startswith(PATHS_WITH_PATIENT_DATA):
            response.headers.setdefault("Cache-Control", "no-store")
        return response

    return middleware
