"""Frames, files and headers, answered before the session's middleware, routes and the framework: most of their time."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from django.db import OperationalError
from django.http import HttpRequest, HttpResponseBase
from rest_framework.exceptions import APIException

from plaqueview.accounts.authentication import secret_in
from plaqueview.accounts.models import User
from plaqueview.accounts.services import user_of_token
from plaqueview.accounts.sessions import user_of_session
from plaqueview.core.errors import PlaqueViewError
from plaqueview.pacs.api import answer_instances, answer_metadata
from plaqueview.pacs.pixels_api import answer_frames

GetResponse = Callable[[HttpRequest], HttpResponseBase]
Answer = Callable[..., HttpResponseBase]  # of the request, the user, and what the address names

UID: Final = "[0-9.]+"
STUDY: Final = rf"/dicom-web/studies/(?P<study_uid>{UID})"
SERIES: Final = rf"{STUDY}/series/(?P<series_uid>{UID})"
INSTANCE: Final = rf"{SERIES}/instances/(?P<instance_uid>{UID})"


@dataclass(frozen=True)
class Route:
    """By what an address is answered, and what its view can do besides, as the framework names it."""

    address: re.Pattern[str]
    answer: Answer
    allow: str


ROUTES: Final = (
    Route(re.compile(rf"{INSTANCE}/frames/(?P<frame_list>[0-9,]+)"), answer_frames, "GET, HEAD, OPTIONS"),
    Route(re.compile(INSTANCE), answer_instances, "GET, DELETE, HEAD, OPTIONS"),
    Route(re.compile(SERIES), answer_instances, "GET, DELETE, HEAD, OPTIONS"),
    Route(re.compile(STUDY), answer_instances, "GET, POST, DELETE, HEAD, OPTIONS"),
    *(
        Route(re.compile(f"{level}/metadata"), answer_metadata, "GET, HEAD, OPTIONS")
        for level in (SERIES, STUDY, INSTANCE)
    ),
)


class Headers:
    """The request's headers one by one: to list all of them takes longer than to find the frame."""

    def __init__(self, request: HttpRequest) -> None:
        self._meta = request.META

    def get(self, name: str, default: str = "", /) -> str:
        value: str = self._meta.get("HTTP_" + name.upper().replace("-", "_"), default)
        return value


@dataclass(frozen=True)
class Early:
    """A request as the answers see it."""

    headers: Headers
    query_params: Mapping[str, str]


def answer_early(get_response: GetResponse) -> GetResponse:
    """What cannot be answered with what was asked for goes the ordinary way, which also says why not."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        answer = _answer(request) if request.path_info.startswith("/dicom-web/") and request.method == "GET" else None
        return get_response(request) if answer is None else answer

    return middleware


def _answer(request: HttpRequest) -> HttpResponseBase | None:
    asked = next(((route, found) for route in ROUTES if (found := route.address.fullmatch(request.path_info))), None)
    if asked is None:
        return None
    route, found = asked
    try:
        user = _user_of(request)
        if user is None:
            return None
        answer = route.answer(Early(Headers(request), _query_of(request)), user, **found.groupdict())
    except (PlaqueViewError, APIException, OperationalError):
        return None
    answer.headers["Allow"] = route.allow
    answer.headers["Vary"] = "Accept, Cookie"  # in which form it comes, and who may see it
    return answer


def _query_of(request: HttpRequest) -> Mapping[str, str]:
    """Nearly always there is none, and then none is read."""
    return request.GET.dict() if request.META.get("QUERY_STRING") else {}


def _user_of(request: HttpRequest) -> User | None:
    """By token or by session; which of them counts where both come is for the ordinary way to say."""
    authorization = request.META.get("HTTP_AUTHORIZATION", "")
    if request.META.get("HTTP_COOKIE"):
        return None if authorization else user_of_session(request.COOKIES)
    secret = secret_in(authorization)
    return user_of_token(secret) if secret else None
