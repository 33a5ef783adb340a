"""Comments over REST."""

from http import HTTPStatus
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from plaqueview.accounts.authentication import user_of
from plaqueview.annotations import services
from plaqueview.annotations.models import Comment
from plaqueview.annotations.review import LONGEST_COMMENT
from plaqueview.annotations.serializers import AnchorField
from plaqueview.core.access import Action
from plaqueview.studies.serializers import JSON


class CommentSerializer(serializers.Serializer[JSON]):
    """What a reader says of a study, of one of its versions, or of a lesion, whose voxel `anchor` names."""

    id = serializers.UUIDField(read_only=True)
    author = serializers.CharField(read_only=True)
    created = serializers.DateTimeField(read_only=True)
    text = serializers.CharField(max_length=LONGEST_COMMENT)
    annotation = serializers.UUIDField(allow_null=True, default=None)
    anchor = AnchorField(allow_null=True, default=None, help_text="Slice, row, column.")
    resolved_at = serializers.DateTimeField(read_only=True, allow_null=True)
    resolved_by = serializers.CharField(read_only=True, allow_null=True)


class CommentsOfStudy(generics.GenericAPIView[Comment]):
    actions = {"GET": Action.ANNOTATION_READ, "POST": Action.ANNOTATION_EDIT}
    filter_backends = []

    @extend_schema(
        operation_id="list_comments",
        summary="The comments on a study, oldest first",
        responses=CommentSerializer(many=True),
    )
    def get(self, request: Request, study_id: UUID) -> Response:
        comments = services.read_comments(study_id=study_id, actor=user_of(request))
        return self.get_paginated_response([_row(comment) for comment in self.paginate_queryset(comments) or []])

    @extend_schema(
        operation_id="add_comment",
        summary="Say something about a study, a version or a lesion",
        request=CommentSerializer,
        responses={HTTPStatus.CREATED: CommentSerializer},
    )
    def post(self, request: Request, study_id: UUID) -> Response:
        sent = CommentSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        anchor = sent.validated_data["anchor"]
        remark = services.Remark(
            text=sent.validated_data["text"],
            annotation_id=sent.validated_data["annotation"],
            anchor=(anchor[0], anchor[1], anchor[2]) if anchor else None,
        )
        comment = services.add_comment(study_id=study_id, remark=remark, actor=user_of(request))
        return Response(_row(comment), status=HTTPStatus.CREATED)


class CommentResolve(APIView):
    actions = {"POST": Action.ANNOTATION_EDIT}

    @extend_schema(
        operation_id="resolve_comment", summary="Settle a comment", request=None, responses=CommentSerializer
    )
    def post(self, request: Request, comment_id: UUID) -> Response:
        return Response(_row(services.resolve_comment(comment_id=comment_id, actor=user_of(request))))


def _row(comment: Comment) -> JSON:
    return {
        "id": str(comment.pk),
        "author": comment.author.get_username(),
        "created": comment.created.isoformat(),
        "text": comment.text,
        "annotation": str(comment.annotation_id) if comment.annotation_id else None,
        "anchor": comment.anchor,
        "resolved_at": comment.resolved_at.isoformat() if comment.resolved_at else None,
        "resolved_by": comment.resolved_by.get_username() if comment.resolved_by else None,
    }
