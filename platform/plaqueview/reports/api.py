"""The documents of a version over REST."""

from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.views import APIView

from plaqueview.accounts.authentication import user_of
from plaqueview.annotations.api import AnyAccept
from plaqueview.core.access import Action
from plaqueview.core.problems import MEDIA_TYPE as PROBLEM
from plaqueview.core.schema import ProblemSerializer
from plaqueview.reports import services
from plaqueview.reports.documents import MEDIA_TYPES, DocumentKind
from plaqueview.studies.serializers import JSON

# A draft's document changes when the version is approved, so a browser asks again.
REVALIDATED = "private, no-cache"
FILES = {(HTTPStatus.OK, media_type.partition(";")[0]): OpenApiTypes.BINARY for media_type in MEDIA_TYPES.values()}

ANSWERS: dict[Any, Any] = {  # Any: what drf-spectacular takes
    **FILES,
    HTTPStatus.NOT_MODIFIED: OpenApiResponse(description="The ETag in If-None-Match is the current one."),
    (HTTPStatus.CONFLICT, PROBLEM): OpenApiResponse(
        ProblemSerializer, description="The series no longer fits the version."
    ),
}
SUMMARY = "A document of exactly this version"
DRAFT = "A version that is not approved says DRAFT in its document, and has UIDs of its own."
LANGUAGE = OpenApiParameter(
    "language", enum=[code for code, _ in settings.LANGUAGES], description="By default that of the department."
)


RELEASES = {"R4": DocumentKind.FHIR, "R5": DocumentKind.FHIR_R5}
RELEASE = OpenApiParameter("release", enum=list(RELEASES), description="Of FHIR; R4 by default.")


class FhirQuerySerializer(serializers.Serializer[JSON]):
    release = serializers.ChoiceField(list(RELEASES), required=False, default="R4")


class PagesQuerySerializer(serializers.Serializer[JSON]):
    language = serializers.ChoiceField(settings.LANGUAGES, required=False, default="")


class AnnotationDocument(APIView):
    """A file made of one version; each route names its kind."""

    actions = {"GET": Action.ANNOTATION_READ}
    content_negotiation_class = AnyAccept
    kind = DocumentKind.SEGMENTATION

    @extend_schema(summary=SUMMARY, description=DRAFT, responses=ANSWERS)
    def get(self, request: Request, annotation_id: UUID) -> HttpResponse:
        return self.answer(request, annotation_id)

    def answer(
        self, request: Request, annotation_id: UUID, *, kind: DocumentKind | None = None, language: str = ""
    ) -> HttpResponse:
        document = services.read_document(
            annotation_id=annotation_id, kind=kind or self.kind, actor=user_of(request), language=language
        )
        headers = {"ETag": f'"{document.sha256}"', "Cache-Control": REVALIDATED}
        if request.headers.get("If-None-Match") == headers["ETag"]:
            return HttpResponse(status=HTTPStatus.NOT_MODIFIED, headers=headers)
        headers["Content-Disposition"] = f'attachment; filename="{document.name}"'
        return HttpResponse(document.content, content_type=document.media_type, headers=headers)


class AnnotationPages(AnnotationDocument):
    """A file with pages, in one of the languages."""

    @extend_schema(summary=SUMMARY, description=DRAFT, parameters=[LANGUAGE], responses=ANSWERS)
    def get(self, request: Request, annotation_id: UUID) -> HttpResponse:
        asked = PagesQuerySerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        return self.answer(request, annotation_id, language=asked.validated_data["language"])


class AnnotationFhir(AnnotationDocument):
    """The bundle, in one of FHIR's releases."""

    @extend_schema(summary=SUMMARY, description=DRAFT, parameters=[RELEASE], responses=ANSWERS)
    def get(self, request: Request, annotation_id: UUID) -> HttpResponse:
        asked = FhirQuerySerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        return self.answer(request, annotation_id, kind=RELEASES[asked.validated_data["release"]])
