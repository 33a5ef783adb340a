"""Registrations and changes between visits over REST."""

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
from plaqueview.imaging.lesions import LesionClass
from plaqueview.imaging.longitudinal import SUGGESTION, Change, LesionChange
from plaqueview.longitudinal import services
from plaqueview.longitudinal.models import Registration, RegistrationState
from plaqueview.studies.protocol_api import ComparedProtocolSerializer, comparison_of
from plaqueview.studies.protocols import differences_between
from plaqueview.studies.serializers import JSON

PRIOR_FILTER = OpenApiParameter("prior", OpenApiTypes.UUID, description="Only registrations to this prior.")
PRIOR = OpenApiParameter("prior", OpenApiTypes.UUID, required=True, description="An earlier study of the patient.")
ANNOTATION = OpenApiParameter(
    "annotation", OpenApiTypes.UUID, description="A version of the study; the current one where none is named."
)


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


class ChangeSerializer(serializers.Serializer[JSON]):
    """What became of lesions that belong together: any number on either side, none for new and for resolved."""

    change = serializers.ChoiceField([kind.value for kind in LesionChange])
    suggests = serializers.ChoiceField(
        [LesionClass.ACTIVE.value], allow_null=True, help_text="The class for which it is evidence, for a reader."
    )
    lesions = serializers.ListField(child=serializers.IntegerField(), help_text="Numbers in the study's version.")
    prior_lesions = serializers.ListField(child=serializers.IntegerField(), help_text="Numbers in the prior's.")
    volume_ml = serializers.FloatField()
    prior_volume_ml = serializers.FloatField()
    anchor = serializers.ListField(
        child=serializers.IntegerField(),
        help_text="Slice, row, column in the study; for resolved lesions the voxel nearest to where they were.",
    )


class ChangeCountsSerializer(serializers.Serializer[JSON]):
    new = serializers.IntegerField()
    enlarging = serializers.IntegerField()
    stable = serializers.IntegerField()
    shrinking = serializers.IntegerField()
    resolved = serializers.IntegerField()


class ChangesSerializer(serializers.Serializer[JSON]):
    """The lesions of a study against those of a prior, with the rule by which they were compared."""

    study = serializers.UUIDField()
    prior = serializers.UUIDField()
    annotation = serializers.UUIDField()
    prior_annotation = serializers.UUIDField()
    registration = serializers.UUIDField()
    rule = serializers.CharField()
    suggestion = serializers.CharField(help_text="What a change says of a lesion's class, and what it does not.")
    protocol = ComparedProtocolSerializer(help_text="How the two FLAIRs were taken.")
    counts = ChangeCountsSerializer()
    changes = ChangeSerializer(many=True)
    not_compared = serializers.ListField(
        child=serializers.IntegerField(), help_text="Lesions that lie outside the prior's field of view."
    )
    prior_not_compared = serializers.ListField(
        child=serializers.IntegerField(), help_text="Lesions of the prior that lie outside this study's field of view."
    )


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
        asked = _query(QuerySerializer(data=request.query_params))
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
        asked = _query(RegistrationRequestSerializer(data=request.data))
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


class ChangesOfStudy(APIView):
    actions = {"GET": Action.ANNOTATION_READ}

    @extend_schema(
        operation_id="read_changes",
        summary="Lesions matched between a prior and a study",
        description="409 while the two studies are not registered.",
        parameters=[PRIOR, ANNOTATION],
        responses=ChangesSerializer,
    )
    def get(self, request: Request, study_id: UUID) -> Response:
        asked = _query(QuerySerializer(data=request.query_params))
        versions = {"prior_id": asked.get("prior"), "annotation_id": asked.get("annotation")}
        changes = services.read_changes(study_id=study_id, actor=user_of(request), **versions)
        return Response(_changes(changes))


def _query(asked: serializers.Serializer[JSON]) -> JSON:
    asked.is_valid(raise_exception=True)
    return asked.validated_data


def _requested(registration: Registration) -> Response:
    body = dict(RegistrationSerializer(registration).data)
    if registration.state == RegistrationState.SUCCEEDED:
        return Response(body)
    return accepted(body, location=reverse("registration-detail", args=[registration.pk]))


def _changes(found: services.Changes) -> JSON:
    return {
        "study": str(found.annotation.study_id),
        "prior": str(found.prior_annotation.study_id),
        "annotation": str(found.annotation.pk),
        "prior_annotation": str(found.prior_annotation.pk),
        "registration": str(found.registration.pk),
        "rule": found.comparison.rule.sentence,
        "suggestion": SUGGESTION,
        "protocol": comparison_of(differences_between(found.annotation.series, found.prior_annotation.series)),
        "counts": {kind.value: count for kind, count in found.comparison.counts().items()},
        "changes": [_change(one) for one in found.comparison.changes],
        "not_compared": list(found.comparison.not_compared),
        "prior_not_compared": list(found.comparison.prior_not_compared),
    }


def _change(change: Change) -> JSON:
    return {
        "change": change.change.value,
        "suggests": LesionClass.ACTIVE.value if change.suggests_active else None,
        "lesions": list(change.lesions),
        "prior_lesions": list(change.prior_lesions),
        "volume_ml": change.volume_ml,
        "prior_volume_ml": change.prior_volume_ml,
        "anchor": list(change.anchor),
    }
