"""Frames and bulk data over WADO-RS: uncompressed, or as they were compressed by whoever sent them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from typing import ClassVar

from django.http import HttpResponse
from pydicom.uid import ExplicitVRLittleEndian
from rest_framework.exceptions import NotAcceptable
from rest_framework.request import Request

from plaqueview.accounts.authentication import user_of
from plaqueview.accounts.models import User
from plaqueview.core.access import Action
from plaqueview.core.errors import InvalidError
from plaqueview.pacs import bulk_data, frames
from plaqueview.pacs.api import IMMUTABLE, OCTETS, DicomWebView
from plaqueview.pacs.media_ranges import Made, chosen
from plaqueview.pacs.multipart import PartWriter
from plaqueview.pacs.ranges import Asked, answer_of, is_known
from plaqueview.pacs.retrieval import StoredInstance, etag_of, retrieve
from plaqueview.pacs.stored_frames import MEDIA_TYPES, USUAL_SYNTAX, read_stored_frame


@dataclass(frozen=True)
class Form:
    """In which transfer syntax, as which media type, and whether as a single part."""

    media_type: str
    transfer_syntax_uid: str
    is_single: bool

    @property
    def is_stored(self) -> bool:
        return self.media_type != OCTETS


class Frames(DicomWebView):
    """Frames: several as multipart/related, one also by itself."""

    actions: ClassVar = {"GET": Action.DICOMWEB_READ}

    def get(
        self, request: Request, study_uid: str, series_uid: str, instance_uid: str, frame_list: str
    ) -> HttpResponse:
        uids = {"study_uid": study_uid, "series_uid": series_uid, "instance_uid": instance_uid}
        return answer_frames(request, user_of(request), frame_list, **uids)


class BulkData(DicomWebView):
    """A value that the header as DICOM JSON names by its address only."""

    actions: ClassVar = {"GET": Action.DICOMWEB_READ}

    def get(self, request: Request, study_uid: str, series_uid: str, instance_uid: str, tag: str) -> HttpResponse:
        (instance,) = retrieve(
            actor=user_of(request), study_uid=study_uid, series_uid=series_uid, instance_uid=instance_uid
        )
        is_pixels = tag.upper() == bulk_data.PIXEL_DATA
        syntax = instance.transfer_syntax_uid if is_pixels else str(ExplicitVRLittleEndian)
        form = form_of(request, syntax, part_count=1)
        headers = {"ETag": etag_of([instance], tag.upper(), form), "Cache-Control": IMMUTABLE}
        if is_known(request, headers["ETag"]):
            return HttpResponse(status=HTTPStatus.NOT_MODIFIED, headers=headers)
        if not is_pixels:
            return _answer(request, form, [bulk_data.read_element(instance, tag)], headers)
        if pixels := bulk_data.read_native_pixels(instance):
            return _answer(request, form, [pixels], headers)
        contents = _read(instance, range(1, instance.number_of_frames + 1), form)
        return _answer(request, form, contents if form.is_stored else [bulk_data.joined(instance, contents)], headers)


def answer_frames(request: Asked, actor: User, frame_list: str, **uids: str) -> HttpResponse:
    """The frames of the list, of the one instance that the UIDs name. Raises: as `retrieve`, `form_of` and `_read`."""
    numbers = frame_numbers(frame_list)
    (instance,) = retrieve(actor=actor, **uids)
    form = form_of(request, instance.transfer_syntax_uid, part_count=len(numbers))
    headers = {"ETag": etag_of([instance], frame_list, form), "Cache-Control": IMMUTABLE}
    if is_known(request, headers["ETag"]):
        return HttpResponse(status=HTTPStatus.NOT_MODIFIED, headers=headers)
    return _answer(request, form, _read(instance, numbers, form), headers)


def frame_numbers(frame_list: str) -> list[int]:
    numbers = frame_list.split(",")
    if not all(number.isdecimal() and len(number) < 7 for number in numbers):
        raise InvalidError(f"{frame_list!r} is no list of frame numbers", fields={"frames": "numbers from 1"})
    return [int(number) for number in numbers]


def form_of(request: Asked, stored_syntax: str, *, part_count: int) -> Form:
    """The form that is accepted most gladly; only uncompressed and as stored are made. Source: PS3.18 8.7.3.3.

    Raises: NotAcceptable.
    """
    made = chosen(request, _made_of(stored_syntax))
    if made is not None:
        return Form(made.media_type, made.transfer_syntax_uid, is_single=made.is_single and part_count == 1)
    stored = MEDIA_TYPES.get(stored_syntax)
    usual = f'multipart/related; type="{OCTETS}"; transfer-syntax={ExplicitVRLittleEndian}'
    as_stored = f', or type="{stored}"; transfer-syntax={stored_syntax}' if stored else ""
    raise NotAcceptable(f"need {usual}{as_stored}")


@cache
def _made_of(stored_syntax: str) -> tuple[Made, ...]:
    """The forms of pixels that are stored in this syntax. Without a parameter the usual syntax of the type is meant."""
    kinds = [(OCTETS, str(ExplicitVRLittleEndian), {"", "*", str(ExplicitVRLittleEndian)})]
    if stored := MEDIA_TYPES.get(stored_syntax):
        usual = {""} if USUAL_SYNTAX[stored] == stored_syntax else set()
        kinds.append((stored, stored_syntax, {"*", stored_syntax, *usual}))
    return tuple(
        Made(media_type, is_single, syntax, frozenset(parameters))
        for media_type, syntax, parameters in kinds
        for is_single in (False, True)
    )


def _read(instance: StoredInstance, numbers: Sequence[int], form: Form) -> list[bytes]:
    read = read_stored_frame if form.is_stored else frames.read_frame
    return [read(instance, number) for number in numbers]


def _answer(request: Asked, form: Form, contents: Sequence[bytes], headers: dict[str, str]) -> HttpResponse:
    part_type = f"{form.media_type}; transfer-syntax={form.transfer_syntax_uid}"
    if form.is_single and len(contents) == 1:
        return answer_of(request, contents[0], part_type if form.is_stored else OCTETS, headers)
    writer = PartWriter(form.media_type)
    body = b"".join(writer.body((part_type, content) for content in contents))
    return HttpResponse(body, content_type=writer.content_type, headers=headers)
