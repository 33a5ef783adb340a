"""Registrations between visits over REST."""

from http import HTTPStatus
from uuid import UUID

from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from plaqueview.accounts.authentication import user_of
from plaqueview.core.access import Action
from plaqueview.core.api import accepted, once_per_key
from plaqueview.core.schema import IDEMPOTENCY_KEY
from plaqueview.longitudinal import services
from plaqueview.longitudinal.models import Registration, RegistrationState
from plaqueview.studies.serializers import JSON

PRIOR_FILTER = OpenApiParameter("prior", OpenApiTypes.UUID, description="Only registrations to this prior.")


class RegistrationSerializer(serializers.ModelSerializer[Registration]):
    """The rigid movement from a study's FLAIR to a prior's.

    `similarity` is the correlation of the two volumes after it, -1 to 1, `similarity_before` that by the scanner's
    positions alone.
    """

    study = serializers.UUIDField(source="study_id")
    prior = serializers.UUIDField(source="prior_id")
    fixed_series = serializers.UUIDField(source="fixed_series_id")
    moving_series = serializers.UUIDField(source="moving_series_id")
    state = serializers.ChoiceField(RegistrationState.values)
    matrix = serializers.ListField(
        child=serializers.FloatField(),
        allow_null=True,
        help_text="4x4, row by row: LPS mm of the study to LPS mm of the prior; null until it has succeeded.",
    )

    class Meta:
        model = Registration
        fields = [
            "id", "study", "prior", "fixed_series", "moving_series", "state", "reason", "matrix", "similarity_before",
            "similarity", "seconds", "created", "finished_at",
        ]  # fmt: skip


class RegistrationRequestSerializer(serializers.Serializer[JSON]):
    prior = serializers.UUIDField(help_text="An earlier study of the same patient.")


class QuerySerializer(serializers.Serializer[JSON]):
    """What the address asks for, beside the study."""

    prior = serializers.UUIDField(required=False)
    annotation = serializers.UUIDField(required=False)


class RegistrationsOfStudy(generics.GenericAPIView[Registration]):
    actions = {"GET": Action.STUDY_READ, "POST": Action.INFERENCE_REQUEST}
    serializer_class = RegistrationSerializer
    filter_backends = []

    @extend_schema(
        operation_id="list_registrations",
        summary="The registrations of a study to its priors, newest first",
        parameters=[PRIOR_FILTER],
        responses=RegistrationSerializer(many=True),
    )
    def get(self, request: Request, study_id: UUID) -> Response:
        asked = validated(QuerySerializer(data=request.query_params))
        registrations = services.read_registrations_of_study(
            study_id=study_id, prior_id=asked.get("prior"), actor=user_of(request)
        )
        return self.get_paginated_response(self.get_serializer(self.paginate_queryset(registrations), many=True).data)

    @extend_schema(
        operation_id="request_registration",
        summary="Ask for the registration of the study's FLAIR to a prior's",
        parameters=[IDEMPOTENCY_KEY],
        request=RegistrationRequestSerializer,
        responses={HTTPStatus.OK: RegistrationSerializer, HTTPStatus.ACCEPTED: RegistrationSerializer},
    )
    def post(self, request: Request, study_id: UUID) -> Response:
        asked = validated(RegistrationRequestSerializer(data=request.data))
        return once_per_key(
            request,
            lambda: _requested(services.request(study_id=study_id, prior_id=asked["prior"], actor=user_of(request))),
        )


class RegistrationList(generics.GenericAPIView[Registration]):
    actions = {"GET": Action.JOB_READ}
    queryset = Registration.objects.none()
    filterset_fields = ["state"]
    ordering_fields = ["created", "finished_at", "state"]

    @extend_schema(
        operation_id="list_all_registrations",
        summary="Registrations of every study, newest first",
        responses=RegistrationSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        found = self.filter_queryset(services.read_registrations(actor=user_of(request)))
        return self.get_paginated_response(RegistrationSerializer(self.paginate_queryset(found), many=True).data)


class RegistrationDetail(APIView):
    actions = {"GET": Action.STUDY_READ}

    @extend_schema(operation_id="read_registration", summary="One registration", responses=RegistrationSerializer)
    def get(self, request: Request, registration_id: UUID) -> Response:
        registration = services.read_registration(registration_id=registration_id, actor=user_of(request))
        return Response(RegistrationSerializer(registration).data)


class RegistrationCancel(APIView):
    actions = {"POST": Action.JOB_CANCEL}

    @extend_schema(
        operation_id="cancel_registration",
        summary="Cancel a registration that waits or runs",
        request=None,
        responses=RegistrationSerializer,
    )
    def post(self, request: Request, registration_id: UUID) -> Response:
        registration = services.cancel(registration_id=registration_id, actor=user_of(request))
        return Response(RegistrationSerializer(registration).data)


def validated(asked: serializers.Serializer[JSON]) -> JSON:
    asked.is_valid(raise_exception=True)
    return asked.validated_data


def _requested(registration: Registration) -> Response:
    body = dict(RegistrationSerializer(registration).data)
    if registration.state == RegistrationState.SUCCEEDED:
        return Response(body)
    return accepted(body, location=reverse("registration-detail", args=[registration.pk]))
