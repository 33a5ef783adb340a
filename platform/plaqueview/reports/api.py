"""The documents of a version over REST."""

from http import HTTPStatus
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from plaqueview.accounts.authentication import user_of
from plaqueview.annotations.api import AnyAccept
from plaqueview.core.access import Action
from plaqueview.core.problems import MEDIA_TYPE as PROBLEM
from plaqueview.core.schema import ProblemSerializer
from plaqueview.reports import services
from plaqueview.reports.documents import MEDIA_TYPES, DocumentKind

# A draft's document changes when the version is approved, so a browser asks again.
REVALIDATED = "private, no-cache"
FILES = {(HTTPStatus.OK, media_type.partition(";")[0]): OpenApiTypes.BINARY for media_type in MEDIA_TYPES.values()}


class AnnotationDocument(APIView):
    """A file made of one version; each route names its kind."""

    actions = {"GET": Action.ANNOTATION_READ}
    content_negotiation_class = AnyAccept
    kind = DocumentKind.SEGMENTATION

    @extend_schema(
        summary="A document of exactly this version",
        description="A version that is not approved says DRAFT in its document, and has UIDs of its own.",
        responses={
            **FILES,
            HTTPStatus.NOT_MODIFIED: OpenApiResponse(description="The ETag in If-None-Match is the current one."),
            (HTTPStatus.CONFLICT, PROBLEM): OpenApiResponse(
                ProblemSerializer, description="The series no longer fits the version."
            ),
        },
    )
    def get(self, request: Request, annotation_id: UUID) -> HttpResponse:
        document = services.read_document(annotation_id=annotation_id, kind=self.kind, actor=user_of(request))
        headers = {"ETag": f'"{document.sha256}"', "Cache-Control": REVALIDATED}
        if request.headers.get("If-None-Match") == headers["ETag"]:
            return HttpResponse(status=HTTPStatus.NOT_MODIFIED, headers=headers)
        headers["Content-Disposition"] = f'attachment; filename="{document.name}"'
        return HttpResponse(document.content, content_type=document.media_type, headers=headers)
