"""Which lesions took up contrast agent, over REST."""

from http import HTTPStatus
from uuid import UUID

from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from plaqueview.accounts.authentication import user_of
from plaqueview.core.access import Action
from plaqueview.core.api import accepted, once_per_key
from plaqueview.core.schema import IDEMPOTENCY_KEY
from plaqueview.enhancement import services
from plaqueview.enhancement.models import EnhancementState
from plaqueview.imaging.enhancement import SUGGESTION, Uptake
from plaqueview.imaging.lesion_class import LesionClass
from plaqueview.studies.serializers import JSON

ANNOTATION = OpenApiParameter(
    "annotation", OpenApiTypes.UUID, description="A version of the study; the current one where none is named."
)


class UptakeSerializer(serializers.Serializer[JSON]):
    """One enhancing place of a lesion."""

    lesion = serializers.IntegerField(help_text="Its number in the version.")
    suggests = serializers.ChoiceField(
        [LesionClass.ACTIVE.value], help_text="The class for which it is evidence, for a reader."
    )
    volume_ml = serializers.FloatField(help_text="Of the place, within the lesion and its rim.")
    share_in_lesion = serializers.FloatField(help_text="Of the whole place, 0 to 1.")
    peak_deviations = serializers.FloatField(help_text="Of its brightest voxel, in robust standard deviations.")
    anchor = serializers.ListField(child=serializers.IntegerField(), help_text="Slice, row, column in the study.")


class EnhancementSerializer(serializers.Serializer[JSON]):
    """The lesions of a version that are brighter after contrast agent: evidence that a reader confirms, or not."""

    study = serializers.UUIDField()
    annotation = serializers.UUIDField()
    state = serializers.ChoiceField(
        EnhancementState.values, allow_null=True, help_text="Null where none was asked for."
    )
    reason = serializers.CharField(help_text="Why nothing is known of uptake; empty where it is, or will be.")
    before_series = serializers.UUIDField(allow_null=True, help_text="The T1 before contrast agent.")
    after_series = serializers.UUIDField(allow_null=True, help_text="The T1 after it.")
    similarity = serializers.FloatField(allow_null=True, help_text="Correlation of the two registered T1s, -1 to 1.")
    algorithm = serializers.IntegerField(allow_null=True, help_text="Version of what found the places.")
    rule = serializers.CharField(allow_null=True, help_text="Null where nothing is known of uptake.")
    suggestion = serializers.CharField(help_text="What an uptake says of a lesion's class, and what it does not.")
    lesions = serializers.ListField(child=serializers.IntegerField(), help_text="Those that took it up, by number.")
    uptakes = UptakeSerializer(many=True)


class QuerySerializer(serializers.Serializer[JSON]):
    """What the address asks for, beside the study."""

    annotation = serializers.UUIDField(required=False)


class EnhancementOfStudy(APIView):
    actions = {"GET": Action.ANNOTATION_READ, "POST": Action.INFERENCE_REQUEST}

    @extend_schema(
        operation_id="read_enhancement",
        summary="The lesions of a study that took up contrast agent, by its T1s before and after it",
        parameters=[ANNOTATION],
        responses=EnhancementSerializer,
    )
    def get(self, request: Request, study_id: UUID) -> Response:
        asked = QuerySerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        annotation_id = asked.validated_data.get("annotation")
        found = services.read_uptakes(study_id=study_id, annotation_id=annotation_id, actor=user_of(request))
        return Response(_enhancement(found))

    @extend_schema(
        operation_id="request_enhancement",
        summary="Ask for the comparison of the study's T1s before and after contrast agent",
        description="One that failed is tried again. 409 says why nothing can be looked for.",
        parameters=[IDEMPOTENCY_KEY],
        request=None,
        responses={HTTPStatus.ACCEPTED: EnhancementSerializer},
    )
    def post(self, request: Request, study_id: UUID) -> Response:
        return once_per_key(request, lambda: _requested(study_id, request))


def _requested(study_id: UUID, request: Request) -> Response:
    services.request(study_id=study_id, actor=user_of(request))
    found = services.read_uptakes(study_id=study_id, annotation_id=None, actor=user_of(request))
    return accepted(_enhancement(found), location=reverse("study-enhancement", args=[study_id]))


def _enhancement(read: services.Uptakes) -> JSON:
    row, found = read.enhancement, read.found
    return {
        "study": str(read.annotation.study_id),
        "annotation": str(read.annotation.pk),
        "state": row and row.state,
        "reason": read.reason,
        "before_series": row and str(row.before_series_id),
        "after_series": row and str(row.after_series_id),
        "similarity": row and row.similarity,
        "algorithm": found and found.algorithm,
        "rule": found and found.rule.sentence,
        "suggestion": SUGGESTION,
        "lesions": sorted(read.lesions),
        "uptakes": [_uptake(one) for one in read.uptakes],
    }


def _uptake(one: Uptake) -> JSON:
    return {
        "lesion": one.lesion,
        "suggests": LesionClass.ACTIVE.value,
        "volume_ml": one.volume_mm3 / 1000.0,
        "share_in_lesion": one.share_in_lesion,
        "peak_deviations": one.peak_deviations,
        "anchor": list(one.anchor),
    }
