"""Annotations, their lesions and their masks over REST."""

from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import generics, serializers
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from plaqueview.accounts.authentication import user_of
from plaqueview.annotations import masks, services
from plaqueview.annotations.models import Annotation, AnnotationState, Evidence, Lesion, Step
from plaqueview.annotations.serializers import StatementSerializer
from plaqueview.core.access import Action
from plaqueview.core.errors import InvalidError
from plaqueview.imaging.claims import RESEARCH_NOTICE
from plaqueview.imaging.lesion_class import LesionClass
from plaqueview.imaging.lesion_sizes import SIZE_RULE
from plaqueview.imaging.regions import Region
from plaqueview.studies.serializers import JSON, AnnotationSummarySerializer

# A version never changes, so a browser need not ask for it twice; "private" keeps it out of shared caches.
IMMUTABLE = "private, max-age=31536000, immutable"


class SlicesByClassSerializer(serializers.Serializer[JSON]):
    active = serializers.ListField(child=serializers.IntegerField())
    inactive = serializers.ListField(child=serializers.IntegerField())


class ClassCountsOfSizeSerializer(serializers.Serializer[JSON]):
    active = serializers.IntegerField()
    inactive = serializers.IntegerField()


class SizesByClassSerializer(serializers.Serializer[JSON]):
    small = ClassCountsOfSizeSerializer()
    medium = ClassCountsOfSizeSerializer()
    large = ClassCountsOfSizeSerializer()


class AnnotationSerializer(AnnotationSummarySerializer):
    """A version as lists show it. The claim is empty when a reader is the author."""

    state = serializers.ChoiceField(AnnotationState.values)  # type: ignore[assignment]  # narrower than the summary's
    notice = serializers.CharField()


class ReviewStepSerializer(serializers.Serializer[JSON]):
    step = serializers.ChoiceField(Step.values)
    by = serializers.CharField()
    at = serializers.DateTimeField()
    comment = serializers.CharField()


class AnnotationDetailSerializer(AnnotationSerializer):
    """A version with its grid, its counts by slice, what readers said of it and the seconds that each step took.

    A reader's version names the one it grew from; a prediction has none, no statements, and no steps of review.
    """

    shape = serializers.ListField(child=serializers.IntegerField(), min_length=3, max_length=3)
    counts_by_slice = SlicesByClassSerializer()
    counts_by_size = SizesByClassSerializer(
        allow_null=True, help_text="Null in a version from before sizes were measured."
    )
    size_rule = serializers.CharField()
    seconds = serializers.DictField(child=serializers.FloatField())
    computation = serializers.CharField(
        help_text="In which precision the network ran, and on what; empty where none ran, or where that was not kept."
    )
    base = serializers.UUIDField(allow_null=True)
    base_version = serializers.IntegerField(allow_null=True)
    statements = StatementSerializer(many=True)
    review = ReviewStepSerializer(many=True)


def _row(annotation: Annotation) -> JSON:
    return {**services.summary_of(annotation).as_json(annotation.study_id), "notice": RESEARCH_NOTICE}


def detail_of(annotation: Annotation) -> JSON:
    return {
        **_row(annotation),
        "shape": list(annotation.shape),
        "counts_by_slice": annotation.counts_by_slice,
        "counts_by_size": annotation.counts_by_size or None,
        "size_rule": SIZE_RULE,
        "seconds": annotation.seconds,
        "computation": annotation.computation,
        "base": str(annotation.base_id) if annotation.base_id else None,
        "base_version": annotation.base.version if annotation.base else None,
        "statements": annotation.statements,
        "review": [
            {"step": one.step, "by": one.by.get_username(), "at": one.created.isoformat(), "comment": one.comment}
            for one in annotation.review.select_related("by").order_by("created")
        ],
    }


class LesionFieldsSerializer(serializers.Serializer[Any]):  # Any: rows of a version, or JSON of a draft
    number = serializers.IntegerField()
    lesion_class = serializers.ChoiceField([kind.value for kind in LesionClass])
    volume_ml = serializers.FloatField()
    longest_axis_mm = serializers.FloatField(help_text="In space.")
    in_plane_axis_mm = serializers.FloatField(
        allow_null=True, help_text="Within one slice; null in a version from before it was measured."
    )
    voxel_count = serializers.IntegerField()
    centroid_mm = serializers.ListField(child=serializers.FloatField(), help_text="x, y, z in LPS.")
    centroid_index = serializers.ListField(child=serializers.FloatField(), help_text="Slice, row, column.")
    slice_indices = serializers.ListField(child=serializers.IntegerField())
    mean_probability = serializers.FloatField(allow_null=True)
    region = serializers.ChoiceField([region.value for region in Region])
    evidence = serializers.ChoiceField(
        Evidence.values, allow_null=True, help_text="Why a reader confirmed the class; null until one does."
    )


class LesionSerializer(LesionFieldsSerializer):
    id = serializers.UUIDField()


class AnnotationsOfStudy(generics.GenericAPIView[Annotation]):
    actions = {"GET": Action.ANNOTATION_READ}
    filter_backends = []

    @extend_schema(
        operation_id="list_annotations",
        summary="The versions of a study, newest first",
        responses=AnnotationSerializer(many=True),
    )
    def get(self, request: Request, study_id: UUID) -> Response:
        versions = services.read_versions(study_id=study_id, actor=user_of(request))
        page = self.paginate_queryset(versions)
        return self.get_paginated_response([_row(version) for version in page or []])


class AnnotationDetail(APIView):
    actions = {"GET": Action.ANNOTATION_READ}

    @extend_schema(operation_id="read_annotation", summary="One version", responses=AnnotationDetailSerializer)
    def get(self, request: Request, annotation_id: UUID) -> Response:
        annotation = services.read(annotation_id=annotation_id, actor=user_of(request), part="summary")
        return Response(detail_of(annotation))


CLASS_PARAMETER = OpenApiParameter("class", enum=[kind.value for kind in LesionClass], description="Only this class.")


class LesionList(generics.GenericAPIView[Lesion]):
    """Rows by falling volume."""

    actions = {"GET": Action.ANNOTATION_READ}
    serializer_class = LesionSerializer
    filter_backends = []

    def page_of(self, annotation: Annotation) -> Response:
        lesions = annotation.lesions.order_by("number")
        wanted = self.request.query_params.get("class")
        if wanted is not None:
            lesions = lesions.filter(lesion_class=_lesion_class(wanted))
        return self.get_paginated_response(self.get_serializer(self.paginate_queryset(lesions), many=True).data)


class LesionsOfStudy(LesionList):
    @extend_schema(
        operation_id="list_lesions_of_study",
        summary="The lesions of the study's current version",
        parameters=[CLASS_PARAMETER],
        responses=LesionSerializer(many=True),
    )
    def get(self, request: Request, study_id: UUID) -> Response:
        return self.page_of(services.read_current(study_id=study_id, actor=user_of(request), part="lesions"))


class LesionsOfAnnotation(LesionList):
    @extend_schema(
        operation_id="list_lesions",
        summary="The lesions of one version",
        parameters=[CLASS_PARAMETER],
        responses=LesionSerializer(many=True),
    )
    def get(self, request: Request, annotation_id: UUID) -> Response:
        return self.page_of(services.read(annotation_id=annotation_id, actor=user_of(request), part="lesions"))


def _lesion_class(name: str) -> LesionClass:
    try:
        return LesionClass(name)
    except ValueError:
        known = ", ".join(LesionClass)
        raise InvalidError(f"class is {name!r}, need one of {known}", fields={"class": f"one of {known}"}) from None


class AnyAccept(DefaultContentNegotiation):
    """A mask has one form: whatever the client accepts, it gets that form, and problems stay JSON."""

    def select_renderer(self, request: Any, renderers: Any, format_suffix: Any = None) -> Any:  # Any: DRF's own
        return renderers[0], renderers[0].media_type


class AnnotationPart(APIView):
    """A part of a version as bytes; each route names its part."""

    actions = {"GET": Action.ANNOTATION_READ}
    content_negotiation_class = AnyAccept
    part = "mask"

    @extend_schema(
        summary="A mask of a version as bytes",
        responses={
            (HTTPStatus.OK, "application/octet-stream"): OpenApiResponse(OpenApiTypes.BINARY),
            HTTPStatus.NOT_MODIFIED: OpenApiResponse(description="The ETag in If-None-Match is the current one."),
        },
    )
    def get(self, request: Request, annotation_id: UUID) -> HttpResponse:
        annotation = services.read(annotation_id=annotation_id, actor=user_of(request), part=self.part)
        mask = masks.PARTS[self.part](annotation)
        headers = {"ETag": f'"{mask.etag}"', "Cache-Control": IMMUTABLE}
        if request.headers.get("If-None-Match") == headers["ETag"]:
            return HttpResponse(status=HTTPStatus.NOT_MODIFIED, headers=headers)
        return HttpResponse(mask.content, content_type=mask.media_type, headers={**headers, **mask.headers})
