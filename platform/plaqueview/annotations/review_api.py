"""Submit, approve and return over REST."""

from http import HTTPStatus
from uuid import UUID

from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from plaqueview.accounts.authentication import user_of
from plaqueview.annotations import services
from plaqueview.annotations.api import AnnotationDetailSerializer, detail_of
from plaqueview.annotations.review import LONGEST_COMMENT
from plaqueview.core.access import Action
from plaqueview.core.preconditions import precondition_of
from plaqueview.core.schema import IF_MATCH
from plaqueview.studies.serializers import JSON


class ReviewCommentSerializer(serializers.Serializer[JSON]):
    comment = serializers.CharField(allow_blank=True, default="", max_length=LONGEST_COMMENT)


class ReturnCommentSerializer(serializers.Serializer[JSON]):
    comment = serializers.CharField(max_length=LONGEST_COMMENT, help_text="Why the version is returned.")


class AnnotationSubmit(APIView):
    actions = {"POST": Action.ANNOTATION_EDIT}
    conditional_methods = ("POST",)

    @extend_schema(
        operation_id="submit_draft",
        summary="Submit a draft: it becomes the study's next version, under the same id",
        description="Submitted again, the answer is `200` with the same version.",
        parameters=[IF_MATCH],
        request=ReviewCommentSerializer,
        responses={HTTPStatus.CREATED: AnnotationDetailSerializer, HTTPStatus.OK: AnnotationDetailSerializer},
    )
    def post(self, request: Request, annotation_id: UUID) -> Response:
        submission = services.submit(
            draft_id=annotation_id,
            precondition=precondition_of(request.headers),
            comment=_comment(ReviewCommentSerializer(data=request.data)),
            actor=user_of(request),
        )
        status = HTTPStatus.CREATED if submission.is_new else HTTPStatus.OK
        location = reverse("annotation-detail", args=[submission.annotation.pk])
        return Response(detail_of(submission.annotation), status=status, headers={"Location": location})


class AnnotationApprove(APIView):
    actions = {"POST": Action.ANNOTATION_REVIEW}

    @extend_schema(
        operation_id="approve_annotation",
        summary="Approve a submitted version",
        request=ReviewCommentSerializer,
        responses=AnnotationDetailSerializer,
    )
    def post(self, request: Request, annotation_id: UUID) -> Response:
        comment = _comment(ReviewCommentSerializer(data=request.data))
        approved = services.approve(annotation_id=annotation_id, comment=comment, actor=user_of(request))
        return Response(detail_of(approved))


class AnnotationReturn(APIView):
    actions = {"POST": Action.ANNOTATION_REVIEW}

    @extend_schema(
        operation_id="return_annotation",
        summary="Return a submitted version to its author",
        request=ReturnCommentSerializer,
        responses=AnnotationDetailSerializer,
    )
    def post(self, request: Request, annotation_id: UUID) -> Response:
        comment = _comment(ReturnCommentSerializer(data=request.data))
        returned = services.give_back(annotation_id=annotation_id, comment=comment, actor=user_of(request))
        return Response(detail_of(returned))


def _comment(sent: serializers.Serializer[JSON]) -> str:
    sent.is_valid(raise_exception=True)
    comment: str = sent.validated_data["comment"]
    return comment
