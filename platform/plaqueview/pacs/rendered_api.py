"""Rendered instances and thumbnails over DICOMweb. Source: PS3.18 10.4.1.1.3 and 10.4.1.1.4."""

from collections.abc import Iterable, Iterator
from http import HTTPStatus
from itertools import chain
from typing import ClassVar, Final

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from rest_framework.exceptions import NotAcceptable
from rest_framework.request import Request

from plaqueview.accounts.authentication import user_of
from plaqueview.core.access import Action
from plaqueview.core.errors import InvalidError
from plaqueview.imaging.frame_pixels import FORMATS, Look
from plaqueview.pacs import rendering
from plaqueview.pacs.api import IMMUTABLE, REVALIDATED, DicomWebView, require_utf_8
from plaqueview.pacs.media_ranges import Made, chosen
from plaqueview.pacs.multipart import PartWriter
from plaqueview.pacs.pixels_api import frame_numbers
from plaqueview.pacs.ranges import is_known
from plaqueview.pacs.retrieval import StoredInstance, etag_of, retrieve

PICTURES: Final = tuple(Made(kind, is_single) for is_single in (True, False) for kind in FORMATS)


class Rendered(DicomWebView):
    """Every frame below the UIDs of the route, or the frames named; several come as multipart/related."""

    actions: ClassVar = {"GET": Action.DICOMWEB_READ}

    def get(
        self,
        request: Request,
        study_uid: str,
        series_uid: str | None = None,
        instance_uid: str | None = None,
        frame_list: str = "",
    ) -> HttpResponseBase:
        instances = retrieve(
            actor=user_of(request), study_uid=study_uid, series_uid=series_uid, instance_uid=instance_uid
        )
        numbers = frame_numbers(frame_list) if frame_list else []
        look = rendering.look_of(request.query_params.dict(), media_type=picture_type(request))
        shown = rendering.shown_frames(instances, numbers)
        return answer(request, instances, shown, look, is_final=instance_uid is not None)


class Thumbnail(DicomWebView):
    """One small picture of whatever is below the UIDs of the route: the frame in the middle, or the one named."""

    actions: ClassVar = {"GET": Action.DICOMWEB_READ}

    def get(
        self,
        request: Request,
        study_uid: str,
        series_uid: str | None = None,
        instance_uid: str | None = None,
        frame_list: str = "",
    ) -> HttpResponseBase:
        instances = retrieve(
            actor=user_of(request), study_uid=study_uid, series_uid=series_uid, instance_uid=instance_uid
        )
        look = rendering.look_of(
            request.query_params.dict(), media_type=picture_type(request), size=rendering.THUMBNAIL_SIZE
        )
        numbers = frame_numbers(frame_list) if frame_list else []
        shown = rendering.shown_frames(instances, numbers)[:1] if numbers else rendering.middle_frame(instances)
        return answer(request, instances, shown, look, is_final=instance_uid is not None)


def picture_type(request: Request) -> str:
    """The kind of picture that is accepted most gladly. Raises: NotAcceptable; ParseError."""
    require_utf_8(request)
    made = chosen(request, PICTURES)
    if made is None:
        raise NotAcceptable(f"need one of {', '.join(FORMATS)}")
    return made.media_type


def answer(
    request: Request, instances: list[StoredInstance], shown: list[rendering.Shown], look: Look, *, is_final: bool
) -> HttpResponseBase:
    """Raises: NotAcceptable when there is nothing to be seen; InvalidError when no picture can be made."""
    if not shown:
        raise NotAcceptable("what is asked for has no pixels that could be rendered")
    etag = etag_of(instances, look, [number for _instance, number in shown])
    headers = {"ETag": etag, "Cache-Control": IMMUTABLE if is_final else REVALIDATED}
    if is_known(request, etag):
        return HttpResponse(status=HTTPStatus.NOT_MODIFIED, headers=headers)
    if len(shown) == 1:
        return HttpResponse(rendering.picture(*shown[0], look), content_type=look.media_type, headers=headers)
    writer = PartWriter(look.media_type)
    parts = with_a_picture(rendering.pictures(shown, look), look.media_type)
    return StreamingHttpResponse(writer.body(parts), content_type=writer.content_type, headers=headers)


def with_a_picture(parts: Iterator[tuple[str, bytes]], media_type: str) -> Iterable[tuple[str, bytes]]:
    """The parts, read up to the first picture. Raises: InvalidError when there is none."""
    beginning = []
    for part in parts:
        beginning.append(part)
        if part[0] == media_type:
            return chain(beginning, parts)
    raise InvalidError(f"of {len(beginning)} frames none can be rendered; {beginning[0][1].decode()}")
