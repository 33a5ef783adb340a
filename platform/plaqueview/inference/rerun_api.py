"""Re-runs over REST: many studies read again by the champion."""

from http import HTTPStatus
from uuid import UUID

from django.urls import reverse
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from plaqueview.accounts.authentication import user_of
from plaqueview.core.access import Action
from plaqueview.core.api import accepted, once_per_key
from plaqueview.core.schema import IDEMPOTENCY_KEY
from plaqueview.inference import journal, services
from plaqueview.inference.models import Rerun
from plaqueview.studies.serializers import JSON, ModelReferenceSerializer


class SelectionSerializer(serializers.Serializer[JSON]):
    """Which studies that have a result are read again; what is left out sets no limit."""

    studied_from = serializers.DateField(allow_null=True, default=None)
    studied_until = serializers.DateField(allow_null=True, default=None)
    model = serializers.UUIDField(allow_null=True, default=None, help_text="The version that read the study last.")


class WantedRerunSerializer(SelectionSerializer):
    sites = serializers.ListField(
        child=serializers.UUIDField(), default=list, help_text="Of yours; empty means all of them."
    )

    def selection(self) -> services.Selection:
        wanted = self.validated_data
        return services.Selection(
            site_ids=tuple(wanted["sites"]),
            studied_from=wanted["studied_from"],
            studied_until=wanted["studied_until"],
            model_id=wanted["model"],
        )


class RerunPreviewSerializer(serializers.Serializer[JSON]):
    model = ModelReferenceSerializer(help_text="The champion.")
    study_count = serializers.IntegerField(help_text="Studies that it would read again.")
    left_out = serializers.DictField(child=serializers.IntegerField(), help_text="Number of studies by why not.")


class RerunStandingSerializer(serializers.Serializer[JSON]):
    waiting = serializers.IntegerField(help_text="Have no job yet.")
    queued = serializers.IntegerField()
    running = serializers.IntegerField()
    succeeded = serializers.IntegerField()
    failed = serializers.IntegerField(help_text="Keep the result that they had.")
    cancelled = serializers.IntegerField()
    refused = serializers.IntegerField(help_text="Got no job: a reader took the study up, or the re-run was cancelled.")


class RerunSerializer(serializers.ModelSerializer[Rerun]):
    """Studies that are read again in the background: any other study goes first, and old results keep their stamp."""

    sites = serializers.SerializerMethodField()
    selection = SelectionSerializer()
    left_out = serializers.DictField(child=serializers.IntegerField(), help_text="Number of studies by why not.")
    model = serializers.SerializerMethodField()
    standing = serializers.SerializerMethodField()
    requested_by = serializers.CharField(source="requested_by.username")

    class Meta:
        model = Rerun
        fields = [
            "id", "sites", "selection", "left_out", "model", "standing", "requested_by", "created", "cancelled_at",
        ]  # fmt: skip
        read_only_fields = fields

    def get_sites(self, rerun: Rerun) -> list[str]:
        """Their names."""
        return sorted(site.name for site in rerun.sites.all())

    @extend_schema_field(ModelReferenceSerializer)
    def get_model(self, rerun: Rerun) -> dict[str, str]:
        """The champion when it was asked for."""
        return journal.reference_to(rerun.model).as_json()

    @extend_schema_field(RerunStandingSerializer)
    def get_standing(self, rerun: Rerun) -> dict[str, int]:
        return services.standing_of(rerun).as_json()


class RerunList(generics.GenericAPIView[Rerun]):
    actions = {"GET": Action.MODEL_MANAGE, "POST": Action.MODEL_MANAGE}
    queryset = Rerun.objects.none()
    filter_backends = []

    @extend_schema(operation_id="list_reruns", summary="Re-runs, newest first", responses=RerunSerializer(many=True))
    def get(self, request: Request) -> Response:
        found = services.read_reruns(actor=user_of(request))
        return self.get_paginated_response(RerunSerializer(self.paginate_queryset(found), many=True).data)

    @extend_schema(
        operation_id="request_rerun",
        summary="Have many studies read again by the champion, behind every other study",
        parameters=[IDEMPOTENCY_KEY],
        request=WantedRerunSerializer,
        responses={HTTPStatus.ACCEPTED: RerunSerializer},
    )
    def post(self, request: Request) -> Response:
        wanted = WantedRerunSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        selection, actor = wanted.selection(), user_of(request)
        return once_per_key(request, lambda: _accepted(services.request_rerun(selection=selection, actor=actor)))


class RerunPreview(APIView):
    actions = {"POST": Action.MODEL_MANAGE}

    @extend_schema(
        operation_id="preview_rerun",
        summary="How many studies a re-run would read, and why the others are left out; asks for nothing",
        request=WantedRerunSerializer,
        responses=RerunPreviewSerializer,
    )
    def post(self, request: Request) -> Response:
        wanted = WantedRerunSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        outlook = services.foresee(selection=wanted.selection(), actor=user_of(request))
        model = journal.reference_to(outlook.model).as_json()
        return Response({"model": model, "study_count": outlook.study_count, "left_out": dict(outlook.left_out)})


class RerunDetail(APIView):
    actions = {"GET": Action.MODEL_MANAGE}

    @extend_schema(operation_id="read_rerun", summary="One re-run and how far it is", responses=RerunSerializer)
    def get(self, request: Request, rerun_id: UUID) -> Response:
        return Response(RerunSerializer(services.read_rerun(rerun_id=rerun_id, actor=user_of(request))).data)


class RerunCancel(APIView):
    actions = {"POST": Action.MODEL_MANAGE}

    @extend_schema(
        operation_id="cancel_rerun",
        summary="Cancel what has not begun of a re-run",
        request=None,
        responses=RerunSerializer,
    )
    def post(self, request: Request, rerun_id: UUID) -> Response:
        return Response(RerunSerializer(services.cancel_rerun(rerun_id=rerun_id, actor=user_of(request))).data)


def _accepted(rerun: Rerun) -> Response:
    return accepted(dict(RerunSerializer(rerun).data), location=reverse("rerun-detail", args=[rerun.pk]))
