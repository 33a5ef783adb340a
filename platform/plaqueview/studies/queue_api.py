"""The reading queue over REST."""

from http import HTTPStatus
from typing import ClassVar
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from plaqueview.accounts.authentication import user_of
from plaqueview.core.access import Action
from plaqueview.studies import queue
from plaqueview.studies.serializers import StudySerializer


class AssignmentSerializer(serializers.Serializer[None]):
    reader = serializers.CharField(allow_null=True, help_text="A username of GET /readers; null for nobody.")


class Assignment(APIView):
    actions: ClassVar = {"PUT": Action.ANNOTATION_EDIT}

    @extend_schema(
        operation_id="assign_study",
        summary="Take a study to read it, release it, or give it to a reader",
        request=AssignmentSerializer,
        responses=AssignmentSerializer,
    )
    def put(self, request: Request, study_id: UUID) -> Response:
        wanted = AssignmentSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        reader = wanted.validated_data["reader"]
        study = queue.assign(study_id=study_id, reader=reader, actor=user_of(request))
        return Response({"reader": study.assigned_to.get_username() if study.assigned_to else None})


class AfterSerializer(serializers.Serializer[None]):
    after = serializers.UUIDField(required=False)


class NextStudy(APIView):
    actions: ClassVar = {"GET": Action.ANNOTATION_EDIT}

    @extend_schema(
        operation_id="read_next_study",
        summary="The unread study that the caller reads next: their own, then nobody's",
        parameters=[OpenApiParameter("after", OpenApiTypes.UUID, description="The study that the caller leaves.")],
        responses={
            HTTPStatus.OK: StudySerializer,
            HTTPStatus.NO_CONTENT: OpenApiResponse(description="No other study is unread."),
        },
    )
    def get(self, request: Request) -> Response:
        asked = AfterSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        study = queue.read_next(after=asked.validated_data.get("after"), actor=user_of(request))
        return Response(StudySerializer(study).data) if study else Response(status=HTTPStatus.NO_CONTENT)
