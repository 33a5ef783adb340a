"""What of an answer a viewer needs: nothing of what it has, or a part of one body. Source: RFC 9110, 13 and 14."""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final, Protocol

from django.http import HttpResponse

ONE_RANGE: Final = re.compile(r"bytes=(\d{1,18})?-(\d{1,18})?")


class Texts(Protocol):
    def get(self, name: str, default: str, /) -> str: ...


class Asked(Protocol):
    """A request, as far as its headers and query: the REST framework's, or that of `pacs.middleware`."""

    @property
    def headers(self) -> Texts: ...

    @property
    def query_params(self) -> Texts: ...


def is_known(request: Asked, etag: str) -> bool:
    """Whether the caller has it already; it may name several, and a proxy that compresses makes names weak.

    Source: RFC 9110, 13.1.2.
    """
    known = request.headers.get("If-None-Match", "")
    if not known or known == etag:
        return bool(known)
    return known.strip() == "*" or etag in {one.strip().removeprefix("W/") for one in known.split(",")}


def answer_of(request: Asked, content: bytes, media_type: str, headers: Mapping[str, str]) -> HttpResponse:
    """The content, or the one range of its bytes that is asked for; several ranges are answered by the whole.

    A range of what the caller no longer has the same of (`If-Range`) is answered by the whole, too.
    """
    headers = {**headers, "Accept-Ranges": "bytes"}
    asked = ONE_RANGE.fullmatch(request.headers.get("Range", "").replace(" ", ""))
    is_same = request.headers.get("If-Range", headers["ETag"]) == headers["ETag"]
    if asked is None or not any(asked.groups()) or not is_same:
        return HttpResponse(content, content_type=media_type, headers=headers)
    first, last = _bounds(asked.group(1), asked.group(2), len(content))
    if first > last:
        headers["Content-Range"] = f"bytes */{len(content)}"
        return HttpResponse(status=HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, headers=headers)
    headers["Content-Range"] = f"bytes {first}-{last}/{len(content)}"
    part = content[first : last + 1]
    return HttpResponse(part, status=HTTPStatus.PARTIAL_CONTENT, content_type=media_type, headers=headers)


def _bounds(begin: str | None, end: str | None, size_bytes: int) -> tuple[int, int]:
    """The first and the last byte; without a beginning so many of the last ones."""
    if begin is None:
        return max(0, size_bytes - int(end or 0)), size_bytes - 1
    return int(begin), min(int(end), size_bytes - 1) if end is not None else size_bytes - 1
