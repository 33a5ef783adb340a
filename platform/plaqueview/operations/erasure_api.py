"""Holding a patient, and erasing one, over REST."""

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from plaqueview.accounts.authentication import is_reauthenticated, user_of
from plaqueview.core.access import Action
from plaqueview.operations import erasure
from plaqueview.patients import services as patients
from plaqueview.patients.models import Patient

LONGEST_REASON = 500


class ReasonSerializer(serializers.Serializer[dict[str, Any]]):
    reason = serializers.CharField(max_length=LONGEST_REASON, help_text="For the audit; without a name.")


class HoldSerializer(serializers.Serializer[Patient]):
    hold_reason = serializers.CharField()


class ErasureSerializer(serializers.Serializer[erasure.Erasure]):
    """What goes or has gone; with an obstacle nothing goes."""

    rows = serializers.DictField(child=serializers.IntegerField(), help_text="How many rows, by what they are.")
    size_bytes = serializers.IntegerField(help_text="Of the received instances.")
    snapshots = serializers.ListField(child=serializers.UUIDField(), help_text="Datasets that are used no more then.")
    obstacles = serializers.ListField(child=serializers.CharField(), help_text="What has to end first.")


class PatientHold(APIView):
    actions: ClassVar = {"PUT": Action.PATIENT_ERASE, "DELETE": Action.PATIENT_ERASE}

    @extend_schema(
        operation_id="hold_patient",
        summary="Nothing of the patient is deleted until the hold is released",
        request=ReasonSerializer,
        responses=HoldSerializer,
    )
    def put(self, request: Request, patient_id: UUID) -> Response:
        wanted = ReasonSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        held = patients.hold(patient_id=patient_id, reason=wanted.validated_data["reason"], actor=user_of(request))
        return Response(HoldSerializer(held).data)

    @extend_schema(operation_id="release_patient", summary="End the hold", responses=HoldSerializer)
    def delete(self, request: Request, patient_id: UUID) -> Response:
        return Response(HoldSerializer(patients.release(patient_id=patient_id, actor=user_of(request))).data)


class PatientErasure(APIView):
    actions: ClassVar = {"GET": Action.PATIENT_ERASE, "POST": Action.PATIENT_ERASE}

    @extend_schema(
        operation_id="preview_erasure_of_patient",
        summary="What erasing the patient would do",
        responses=ErasureSerializer,
    )
    def get(self, request: Request, patient_id: UUID) -> Response:
        return Response(ErasureSerializer(erasure.preview(patient_id=patient_id, actor=user_of(request))).data)

    @extend_schema(
        operation_id="erase_patient",
        summary="Erase the patient: images, results, everything but the event that says so",
        description="By a session whose user has just given their password again at "
        "`/_allauth/browser/v1/auth/reauthenticate`: else 403 with the code `reauthentication_needed`. A token cannot. "
        "409 names what has to end first. Backups keep the patient until they are deleted.",
        request=ReasonSerializer,
        responses=ErasureSerializer,
    )
    def post(self, request: Request, patient_id: UUID) -> Response:
        wanted = ReasonSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        erased = erasure.erase(
            patient_id=patient_id,
            reason=wanted.validated_data["reason"],
            is_reauthenticated=is_reauthenticated(request),
            actor=user_of(request),
        )
        return Response(ErasureSerializer(erased).data)
