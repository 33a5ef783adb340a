"""Evaluations of models for the gate over REST."""

from http import HTTPStatus
from uuid import UUID

from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from plaqueview.accounts.authentication import user_of
from plaqueview.core.access import Action
from plaqueview.core.api import accepted, once_per_key
from plaqueview.core.schema import IDEMPOTENCY_KEY
from plaqueview.training import services
from plaqueview.training.models import Evaluation, EvaluationState


class EvaluationSerializer(serializers.ModelSerializer[Evaluation]):
    """A model and the champion, both on the test side of the snapshot; `/models/{id}/gate` has the verdict."""

    model = serializers.UUIDField(source="model_id")
    model_name = serializers.SerializerMethodField()
    snapshot = serializers.UUIDField(source="snapshot_id")
    state = serializers.ChoiceField(EvaluationState.values)
    warnings = serializers.ListField(child=serializers.CharField())
    requested_by = serializers.CharField(source="requested_by.username")

    class Meta:
        model = Evaluation
        fields = [
            "id", "model", "model_name", "snapshot", "state", "reason", "warnings", "attempts", "requested_by",
            "created", "finished_at",
        ]  # fmt: skip
        read_only_fields = fields

    def get_model_name(self, evaluation: Evaluation) -> str:
        return f"{evaluation.model.name} {evaluation.model.version}"


class EvaluationList(generics.GenericAPIView[Evaluation]):
    actions = {"GET": Action.TRAINING_READ}
    filter_backends = []
    queryset = Evaluation.objects.none()

    @extend_schema(
        operation_id="list_evaluations",
        summary="Which candidates were tried beside the champion, newest first",
        responses=EvaluationSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(services.read_evaluations(actor=user_of(request))) or []
        return self.get_paginated_response(EvaluationSerializer(page, many=True).data)


class EvaluationCancel(APIView):
    actions = {"POST": Action.MODEL_MANAGE}

    @extend_schema(
        operation_id="cancel_evaluation",
        summary="Cancel an evaluation that waits or runs",
        request=None,
        responses=EvaluationSerializer,
    )
    def post(self, request: Request, evaluation_id: UUID) -> Response:
        evaluation = services.cancel_evaluation(evaluation_id=evaluation_id, actor=user_of(request))
        return Response(EvaluationSerializer(evaluation).data)


class ModelEvaluations(generics.GenericAPIView[Evaluation]):
    actions = {"GET": Action.TRAINING_READ, "POST": Action.MODEL_MANAGE}
    filter_backends = []
    queryset = Evaluation.objects.none()

    @extend_schema(
        operation_id="list_evaluations_of_model",
        summary="When the model was tried beside the champion, newest first",
        responses=EvaluationSerializer(many=True),
    )
    def get(self, request: Request, model_id: UUID) -> Response:
        found = services.read_evaluations(model_id=model_id, actor=user_of(request))
        page = self.paginate_queryset(found) or []
        return self.get_paginated_response(EvaluationSerializer(page, many=True).data)

    @extend_schema(
        operation_id="request_evaluation",
        summary="Try a candidate beside the champion on the newest snapshot's test side, for the gate",
        description="As a model that came by file needs it. Followed by `GET`; one that waits already is the answer.",
        parameters=[IDEMPOTENCY_KEY],
        request=None,
        responses={HTTPStatus.ACCEPTED: EvaluationSerializer},
    )
    def post(self, request: Request, model_id: UUID) -> Response:
        return once_per_key(
            request, lambda: _accepted(services.request_evaluation(model_id=model_id, actor=user_of(request)))
        )


def _accepted(evaluation: Evaluation) -> Response:
    location = reverse("model-evaluations", args=[evaluation.model_id])
    return accepted(dict(EvaluationSerializer(evaluation).data), location=location)
