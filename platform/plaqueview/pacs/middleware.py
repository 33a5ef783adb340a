"""Frames, answered before the session's middleware, routes and the REST framework, which took most of their time."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from rest_framework.exceptions import APIException

from plaqueview.accounts.authentication import secret_in
from plaqueview.accounts.models import User
from plaqueview.accounts.services import user_of_token
from plaqueview.accounts.sessions import user_of_session
from plaqueview.core.errors import PlaqueViewError
from plaqueview.pacs.pixels_api import answer_frames

GetResponse = Callable[[HttpRequest], HttpResponseBase]

FRAMES: Final = re.compile(
    r"/dicom-web/studies/(?P<study_uid>[0-9.]+)/series/(?P<series_uid>[0-9.]+)/instances/(?P<instance_uid>[0-9.]+)"
    r"/frames/(?P<frame_list>[0-9,]+)"
)
# As the ordinary way has them: the framework names what the view can do, and the session stands for who may see it.
HEADERS: Final = {"Allow": "GET, HEAD, OPTIONS", "Vary": "Cookie"}


class Headers:
    """The request's headers one by one: to list all of them takes longer than to find the frame."""

    def __init__(self, request: HttpRequest) -> None:
        self._meta = request.META

    def get(self, name: str, default: str = "", /) -> str:
        value: str = self._meta.get("HTTP_" + name.upper().replace("-", "_"), default)
        return value


@dataclass(frozen=True)
class Early:
    """A request as `answer_frames` sees it."""

    headers: Headers


def answer_frames_early(get_response: GetResponse) -> GetResponse:
    """What cannot be answered with frames goes the ordinary way, which also says why not."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        answer = _frames(request)
        return get_response(request) if answer is None else answer

    return middleware


def _frames(request: HttpRequest) -> HttpResponse | None:
    asked = FRAMES.fullmatch(request.path_info)
    if asked is None or request.method != "GET":
        return None
    try:
        user = _user_of(request)
        if user is None:
            return None
        answer = answer_frames(Early(Headers(request)), user, **asked.groupdict())
    except (PlaqueViewError, APIException, OperationalError):
        return None
    for name, value in HEADERS.items():
        answer.headers[name] = value
    return answer


def _user_of(request: HttpRequest) -> User | None:
    """By token or by session; which of them counts where both come is for the ordinary way to say."""
    authorization = request.META.get("HTTP_AUTHORIZATION", "")
    if request.META.get("HTTP_COOKIE"):
        return None if authorization else user_of_session(request.COOKIES)
    secret = secret_in(authorization)
    return user_of_token(secret) if secret else None
