"""Blinded double reading over REST."""

from http import HTTPStatus
from uuid import UUID

from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from plaqueview.accounts.authentication import user_of
from plaqueview.accounts.models import User
from plaqueview.annotations import services
from plaqueview.annotations.models import BlindedReading, DoubleReading, DoubleReadingState
from plaqueview.core.access import Action
from plaqueview.studies.serializers import JSON


class AgreementSerializer(serializers.Serializer[JSON]):
    """How far the two readers agree; each figure is 1 where they do in full."""

    dice = serializers.FloatField(help_text="Over voxels of either class.")
    dice_active = serializers.FloatField()
    dice_inactive = serializers.FloatField()
    lesion_f1 = serializers.FloatField()
    class_kappa = serializers.FloatField(allow_null=True, help_text="Null where chance alone would agree.")
    lesions_matched = serializers.IntegerField()
    rule = serializers.CharField(help_text="What the figures mean, as a sentence.")


class BlindedReadingSerializer(serializers.Serializer[JSON]):
    reader = serializers.CharField()
    is_submitted = serializers.BooleanField()
    annotation = serializers.UUIDField(allow_null=True, help_text="While the readers read, only one's own.")


class DoubleReadingSerializer(serializers.Serializer[JSON]):
    id = serializers.UUIDField()
    study = serializers.UUIDField()
    state = serializers.ChoiceField(DoubleReadingState.values)
    readers = serializers.ListField(child=serializers.CharField(), min_length=2, max_length=2)
    readings = BlindedReadingSerializer(many=True)
    adjudicator = serializers.CharField()
    requested_by = serializers.CharField()
    created = serializers.DateTimeField()
    agreement = AgreementSerializer(
        allow_null=True, help_text="Once both have submitted, for the adjudicator and administrators."
    )


class WantedDoubleReadingSerializer(serializers.Serializer[None]):
    study = serializers.UUIDField()
    readers = serializers.ListField(
        child=serializers.CharField(), min_length=2, max_length=2, help_text="Two usernames of GET /readers."
    )
    adjudicator = serializers.CharField(help_text="The username of a third reader.")


class DoubleReadingList(generics.GenericAPIView[DoubleReading]):
    actions = {"GET": Action.ANNOTATION_READ, "POST": Action.READING_MANAGE}
    queryset = DoubleReading.objects.none()
    filterset_fields = ["study", "state"]
    ordering_fields = ["created"]

    @extend_schema(
        operation_id="list_double_readings",
        summary="The double readings that the caller manages or takes part in, newest first",
        responses=DoubleReadingSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        actor = user_of(request)
        found = self.filter_queryset(services.read_double_readings(actor=actor))
        return self.get_paginated_response([_row(one, actor) for one in self.paginate_queryset(found) or []])

    @extend_schema(
        operation_id="create_double_reading",
        summary="Have a study read by two readers who see nothing of each other",
        request=WantedDoubleReadingSerializer,
        responses={HTTPStatus.CREATED: DoubleReadingSerializer},
    )
    def post(self, request: Request) -> Response:
        wanted = WantedDoubleReadingSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        first, second = wanted.validated_data["readers"]
        panel = services.Panel(readers=(first, second), adjudicator=wanted.validated_data["adjudicator"])
        actor = user_of(request)
        made = services.create_double_reading(study_id=wanted.validated_data["study"], panel=panel, actor=actor)
        location = reverse("double-reading", args=[made.pk])
        return Response(_row(made, actor), status=HTTPStatus.CREATED, headers={"Location": location})


class DoubleReadingDetail(APIView):
    actions = {"GET": Action.ANNOTATION_READ, "DELETE": Action.READING_MANAGE}

    @extend_schema(operation_id="read_double_reading", summary="One double reading", responses=DoubleReadingSerializer)
    def get(self, request: Request, double_reading_id: UUID) -> Response:
        actor = user_of(request)
        return Response(_row(services.read_double_reading(double_reading_id=double_reading_id, actor=actor), actor))

    @extend_schema(
        operation_id="call_off_double_reading",
        summary="Call off a double reading: the study is back in the queue, what was submitted stays",
        responses={HTTPStatus.NO_CONTENT: None},
    )
    def delete(self, request: Request, double_reading_id: UUID) -> Response:
        services.call_off(double_reading_id=double_reading_id, actor=user_of(request))
        return Response(status=HTTPStatus.NO_CONTENT)


def _row(double_reading: DoubleReading, actor: User) -> JSON:
    readings = list(double_reading.readings.all())
    sees_agreement = Action.READING_MANAGE in actor.actions or double_reading.adjudicator_id == actor.pk
    return {
        "id": str(double_reading.pk),
        "study": str(double_reading.study_id),
        "state": double_reading.state,
        "readers": [one.reader.get_username() for one in readings],
        "readings": [_reading(one, double_reading, actor) for one in readings],
        "adjudicator": double_reading.adjudicator.get_username(),
        "requested_by": double_reading.requested_by.get_username(),
        "created": double_reading.created.isoformat(),
        "agreement": double_reading.agreement if sees_agreement else None,
    }


def _reading(reading: BlindedReading, double_reading: DoubleReading, actor: User) -> JSON:
    is_shown = reading.reader_id == actor.pk or double_reading.state != DoubleReadingState.READING
    return {
        "reader": reading.reader.get_username(),
        "is_submitted": reading.annotation_id is not None,
        "annotation": str(reading.annotation_id) if reading.annotation_id and is_shown else None,
    }
