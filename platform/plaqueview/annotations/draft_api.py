"""Drafts over REST: one resource a study, changed only by who knows its revision."""

import base64
import binascii
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from plaqueview.accounts.authentication import user_of
from plaqueview.annotations import services
from plaqueview.annotations.api import (
    AnyAccept,
    LesionFieldsSerializer,
    SizesByClassSerializer,
    SlicesByClassSerializer,
)
from plaqueview.annotations.measuring import LARGEST_MASK_BYTES
from plaqueview.annotations.models import Draft, Evidence
from plaqueview.annotations.serializers import StatementSerializer
from plaqueview.annotations.statements import MOST_STATEMENTS, Statement, StatementKind
from plaqueview.core.access import Action
from plaqueview.core.errors import InvalidError
from plaqueview.core.preconditions import precondition_of
from plaqueview.core.schema import IF_MATCH, IF_NONE_MATCH
from plaqueview.imaging.lesion_class import LesionClass
from plaqueview.studies.serializers import JSON, LesionCountsSerializer, LesionVolumesSerializer

# Four characters for three bytes.
LONGEST_MASK_TEXT = (LARGEST_MASK_BYTES + 2) // 3 * 4

UNCHANGED = OpenApiResponse(description="The ETag in If-None-Match is the current one.")


class DraftLesionSerializer(LesionFieldsSerializer):
    """A lesion of a draft; its id stays the same as long as its first voxel does."""

    id = serializers.UUIDField()
    statement = serializers.UUIDField(allow_null=True, help_text="The last one about this lesion.")


class ContradictionSerializer(serializers.Serializer[JSON]):
    statement = serializers.UUIDField()
    detail = serializers.CharField(help_text="For the reader.")


class DraftSerializer(serializers.Serializer[JSON]):
    """What a study's readers work on. `id` becomes the version's when it is submitted; the ETag is the revision's."""

    id = serializers.UUIDField()
    study = serializers.UUIDField()
    series = serializers.UUIDField()
    base = serializers.UUIDField(help_text="The version that it grew from.")
    base_version = serializers.IntegerField()
    revision = serializers.IntegerField(help_text="Higher with every saving, also from draft to draft.")
    is_blinded = serializers.BooleanField(help_text="Nobody but the reader sees it.")
    author = serializers.CharField(help_text="Who saved last.")
    modified = serializers.DateTimeField()
    statements = StatementSerializer(many=True)
    contradictions = ContradictionSerializer(
        many=True, help_text="Statements that the mask does not bear out; with one, the draft cannot be submitted."
    )
    lesions = DraftLesionSerializer(many=True)
    counting_rule = serializers.CharField()
    lesion_counts = LesionCountsSerializer()
    lesion_volumes_ml = LesionVolumesSerializer()
    counts_by_slice = SlicesByClassSerializer()
    counts_by_size = SizesByClassSerializer()
    size_rule = serializers.CharField()


class DraftContentSerializer(serializers.Serializer[JSON]):
    """What a reader saves, whole."""

    base = serializers.UUIDField(help_text="Any version of the study.")
    mask = serializers.CharField(
        max_length=LONGEST_MASK_TEXT,
        help_text="Base64 of the labels 0, 1 (inactive), 2 (active), on the grid of the base, as "
        "GET /api/v1/annotations/{id}/mask gives them.",
    )
    statements: serializers.ListSerializer[Any] = serializers.ListSerializer(  # Any: rows of any serializer
        child=StatementSerializer(), max_length=MOST_STATEMENTS
    )


class DraftOfStudy(APIView):
    actions = {
        "GET": Action.ANNOTATION_READ,
        "PUT": Action.ANNOTATION_EDIT,
        "DELETE": Action.ANNOTATION_EDIT,
    }
    conditional_methods = ("PUT", "DELETE")

    @extend_schema(operation_id="read_draft", summary="The draft of a study", responses=DraftSerializer)
    def get(self, request: Request, study_id: UUID) -> Response:
        return _answer(services.read_draft(study_id=study_id, actor=user_of(request)))

    @extend_schema(
        operation_id="save_draft",
        summary="Make or change the draft of a study",
        parameters=[IF_MATCH, IF_NONE_MATCH],
        request=DraftContentSerializer,
        responses={HTTPStatus.OK: DraftSerializer, HTTPStatus.CREATED: DraftSerializer},
    )
    def put(self, request: Request, study_id: UUID) -> Response:
        precondition = precondition_of(request.headers)
        draft = services.save_draft(
            study_id=study_id, precondition=precondition, content=_content(request), actor=user_of(request)
        )
        return _answer(draft, HTTPStatus.CREATED if precondition.is_for_new else HTTPStatus.OK)

    @extend_schema(
        operation_id="discard_draft",
        summary="Discard the draft of a study",
        parameters=[IF_MATCH],
        responses={204: None},
    )
    def delete(self, request: Request, study_id: UUID) -> Response:
        services.discard_draft(study_id=study_id, precondition=precondition_of(request.headers), actor=user_of(request))
        return Response(status=HTTPStatus.NO_CONTENT)


class DraftMask(APIView):
    actions = {"GET": Action.ANNOTATION_READ}
    content_negotiation_class = AnyAccept

    @extend_schema(
        operation_id="read_draft_mask",
        summary="The labels of the draft as bytes",
        responses={
            (HTTPStatus.OK, "application/octet-stream"): OpenApiResponse(OpenApiTypes.BINARY),
            HTTPStatus.NOT_MODIFIED: UNCHANGED,
        },
    )
    def get(self, request: Request, study_id: UUID) -> HttpResponse:
        draft = services.read_draft(study_id=study_id, actor=user_of(request))
        headers = {"ETag": draft.etag, "Cache-Control": "private, no-cache"}
        if request.headers.get("If-None-Match") == draft.etag:
            return HttpResponse(status=HTTPStatus.NOT_MODIFIED, headers=headers)
        return HttpResponse(bytes(draft.mask), content_type="application/octet-stream", headers=headers)


def _answer(draft: Draft, status: HTTPStatus = HTTPStatus.OK) -> Response:
    return Response(_body(draft), status=status, headers={"ETag": draft.etag})


def _body(draft: Draft) -> JSON:
    return {
        "id": str(draft.pk),
        "study": str(draft.study_id),
        "series": str(draft.base.series_id),
        "base": str(draft.base_id),
        "base_version": draft.base.version,
        "revision": draft.revision,
        "is_blinded": draft.reader_id is not None,
        "author": draft.author.get_username(),
        "modified": draft.modified.isoformat(),
        "statements": draft.statements,
        **draft.measures,
    }


def _content(request: Request) -> services.DraftContent:
    sent = DraftContentSerializer(data=request.data)
    sent.is_valid(raise_exception=True)
    content = sent.validated_data
    statements = [_statement(one) for one in content["statements"]]
    return services.DraftContent(content["base"], _bytes_of(content["mask"]), statements)


def _statement(sent: JSON) -> Statement:
    slice_index, row, column = sent["anchor"]
    return Statement(
        id=sent["id"],
        kind=StatementKind(sent["kind"]),
        anchor=(slice_index, row, column),
        lesion_class=LesionClass(sent["lesion_class"]),
        evidence=Evidence(sent["evidence"]) if sent["evidence"] else None,
        reason=sent["reason"],
    )


def _bytes_of(mask: str) -> bytes:
    try:
        return base64.b64decode(mask, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidError("mask is no base64", fields={"mask": "base64 of the mask's bytes"}) from error
