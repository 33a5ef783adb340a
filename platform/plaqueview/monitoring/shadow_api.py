"""Models in shadow over REST."""

from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from plaqueview.accounts.authentication import user_of
from plaqueview.core.access import Action
from plaqueview.imaging.comparison import sentence_of
from plaqueview.imaging.lesions import CountingRule
from plaqueview.monitoring import services
from plaqueview.monitoring.models import ReadingState, ShadowReading
from plaqueview.monitoring.services import Standing
from plaqueview.studies.serializers import JSON


class MeansSerializer(serializers.Serializer[Any]):
    studies = serializers.IntegerField()
    dice = serializers.FloatField()
    lesion_f1 = serializers.FloatField()
    class_agreement = serializers.FloatField(allow_null=True)


class ReadingCountsSerializer(serializers.Serializer[Any]):
    queued = serializers.IntegerField()
    running = serializers.IntegerField()
    succeeded = serializers.IntegerField()
    failed = serializers.IntegerField()
    cancelled = serializers.IntegerField()


class ShadowSerializer(serializers.Serializer[Standing]):
    """Means over the studies that you may see; the two against the final version are over the same studies."""

    model = serializers.UUIDField(source="period.model_id")
    started_at = serializers.DateTimeField(source="period.created")
    started_by = serializers.CharField(source="period.started_by.username")
    ended_at = serializers.DateTimeField(source="period.ended_at", allow_null=True)
    ended_by = serializers.CharField(source="period.ended_by.username", allow_null=True, default=None)
    counts = ReadingCountsSerializer()
    against_champion = MeansSerializer(allow_null=True)
    against_final = MeansSerializer(allow_null=True)
    champion_against_final = MeansSerializer(allow_null=True)
    rule = serializers.SerializerMethodField()

    def get_rule(self, _: Standing) -> str:
        return sentence_of(CountingRule(settings.LESION_CONNECTIVITY, settings.MINIMUM_LESION_VOLUME_MM3))


class ComparisonSerializer(serializers.Serializer[JSON]):
    dice = serializers.FloatField()
    lesion_f1 = serializers.FloatField()
    class_agreement = serializers.FloatField(allow_null=True)
    matched = serializers.IntegerField()
    class_changed = serializers.IntegerField()
    added = serializers.IntegerField()
    removed = serializers.IntegerField()


class ShadowReadingSerializer(serializers.ModelSerializer[ShadowReading]):
    """What a model in shadow said of one study: how it differs, never as a result of the study."""

    study = serializers.UUIDField(source="study_id")
    champion_result = serializers.UUIDField(source="champion_result_id")
    state = serializers.ChoiceField(ReadingState.values)
    final = serializers.UUIDField(source="final_id", allow_null=True)
    against_champion = ComparisonSerializer(allow_null=True)
    against_final = ComparisonSerializer(allow_null=True)
    champion_against_final = ComparisonSerializer(allow_null=True)

    class Meta:
        model = ShadowReading
        fields = [
            "id", "study", "champion_result", "state", "reason", "created", "finished_at", "active_count",
            "inactive_count", "network_seconds", "against_champion", "final", "against_final", "champion_against_final",
        ]  # fmt: skip
        read_only_fields = fields


class ModelShadow(APIView):
    actions = {"GET": Action.TRAINING_READ, "POST": Action.MODEL_MANAGE, "DELETE": Action.MODEL_MANAGE}

    @extend_schema(
        operation_id="read_shadow_of_model",
        summary="How the model does beside the champion on live studies, and against their readers",
        responses=ShadowSerializer,
    )
    def get(self, request: Request, model_id: UUID) -> Response:
        return self._standing(request, model_id)

    @extend_schema(
        operation_id="start_shadow",
        summary="Let a candidate read every new study beside the champion, unseen by readers",
        request=None,
        responses=ShadowSerializer,
    )
    def post(self, request: Request, model_id: UUID) -> Response:
        services.start_shadow(model_id=model_id, actor=user_of(request))
        return self._standing(request, model_id)

    @extend_schema(
        operation_id="end_shadow", summary="The model reads along no longer; what it said stays",
        responses={HTTPStatus.OK: ShadowSerializer},
    )  # fmt: skip
    def delete(self, request: Request, model_id: UUID) -> Response:
        services.end_shadow(model_id=model_id, actor=user_of(request))
        return self._standing(request, model_id)

    def _standing(self, request: Request, model_id: UUID) -> Response:
        return Response(ShadowSerializer(services.read_shadow(model_id=model_id, actor=user_of(request))).data)


class ModelShadowReadings(generics.GenericAPIView[ShadowReading]):
    actions = {"GET": Action.TRAINING_READ}
    filter_backends = []
    queryset = ShadowReading.objects.none()

    @extend_schema(
        operation_id="list_shadow_readings",
        summary="What the model said in shadow, study by study, newest first",
        responses=ShadowReadingSerializer(many=True),
    )
    def get(self, request: Request, model_id: UUID) -> Response:
        readings = services.read_readings(model_id=model_id, actor=user_of(request))
        page = self.paginate_queryset(readings) or []
        return self.get_paginated_response(ShadowReadingSerializer(page, many=True).data)


class ReadingCancel(APIView):
    actions = {"POST": Action.MODEL_MANAGE}

    @extend_schema(
        operation_id="cancel_shadow_reading",
        summary="Cancel a reading in shadow that waits or runs",
        request=None,
        responses=ShadowReadingSerializer,
    )
    def post(self, request: Request, reading_id: UUID) -> Response:
        reading = services.cancel_reading(reading_id=reading_id, actor=user_of(request))
        return Response(ShadowReadingSerializer(reading).data)


class ReadingRetry(APIView):
    actions = {"POST": Action.MODEL_MANAGE}

    @extend_schema(
        operation_id="retry_shadow_reading",
        summary="Have a reading in shadow that failed or was cancelled done again",
        request=None,
        responses=ShadowReadingSerializer,
    )
    def post(self, request: Request, reading_id: UUID) -> Response:
        reading = services.retry_reading(reading_id=reading_id, actor=user_of(request))
        return Response(ShadowReadingSerializer(reading).data)
