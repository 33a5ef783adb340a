"""Transfers over REST."""

from http import HTTPStatus
from uuid import UUID

import django_filters
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
from plaqueview.outbox import services
from plaqueview.outbox.models import Transfer, TransferState
from plaqueview.pacs.models import SentDocument
from plaqueview.studies.serializers import JSON


class TransferSerializer(serializers.ModelSerializer[Transfer]):
    """One approved version on its way to one node. `requested_by` is null for the node's rule."""

    study = serializers.UUIDField(source="annotation.study_id")
    annotation = serializers.UUIDField(source="annotation_id")
    version = serializers.IntegerField(source="annotation.version")
    node = serializers.UUIDField(source="node_id")
    node_name = serializers.CharField(source="node.name")
    documents = serializers.ListField(child=serializers.ChoiceField(SentDocument.values))
    state = serializers.ChoiceField(
        TransferState.values,
        help_text="committing: the peer has it and was asked to keep it, by next_attempt_at; failed: tried again at "
        "next_attempt_at; dead: not any more, until resent.",
    )
    answer = serializers.CharField(help_text="What the peer said last, as a sentence.")
    sop_instance_uids = serializers.ListField(
        child=serializers.CharField(), help_text="The same in every attempt; empty before the first."
    )
    requested_by = serializers.CharField(source="requested_by.username", allow_null=True, default=None)

    class Meta:
        model = Transfer
        fields = [
            "id", "study", "annotation", "version", "node", "node_name", "documents", "state", "attempts",
            "next_attempt_at", "answer", "sop_instance_uids", "approved_at", "requested_by", "created", "sent_at",
        ]  # fmt: skip
        read_only_fields = fields


class WantedTransferSerializer(serializers.Serializer[JSON]):
    annotation = serializers.UUIDField(help_text="An approved version.")
    node = serializers.UUIDField(help_text="A node of the study's site.")


class TransferFilter(django_filters.FilterSet):
    state = django_filters.MultipleChoiceFilter(choices=TransferState.choices)
    node = django_filters.UUIDFilter(field_name="node_id")
    annotation = django_filters.UUIDFilter(field_name="annotation_id")
    study = django_filters.UUIDFilter(field_name="annotation__study_id")

    class Meta:
        model = Transfer
        fields: list[str] = []


class TransferList(generics.GenericAPIView[Transfer]):
    actions = {"GET": Action.TRANSFER_READ, "POST": Action.TRANSFER_SEND}
    queryset = Transfer.objects.none()
    filterset_class = TransferFilter
    ordering_fields = ["created", "next_attempt_at", "sent_at"]

    @extend_schema(
        operation_id="list_transfers",
        summary="What was sent, and what waits to be, newest first",
        responses=TransferSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        found = self.filter_queryset(services.read_transfers(actor=user_of(request)))
        return self.get_paginated_response(TransferSerializer(self.paginate_queryset(found), many=True).data)

    @extend_schema(
        operation_id="request_transfer",
        summary="Send an approved version to a node",
        description="One that was asked for before is the same transfer, and 200; `/resend` sends it once more.",
        parameters=[IDEMPOTENCY_KEY],
        request=WantedTransferSerializer,
        responses={HTTPStatus.OK: TransferSerializer, HTTPStatus.ACCEPTED: TransferSerializer},
    )
    def post(self, request: Request) -> Response:
        wanted = WantedTransferSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        annotation_id, node_id = wanted.validated_data["annotation"], wanted.validated_data["node"]
        return once_per_key(
            request,
            lambda: _requested(services.request(annotation_id=annotation_id, node_id=node_id, actor=user_of(request))),
        )


class TransferDetail(APIView):
    actions = {"GET": Action.TRANSFER_READ}

    @extend_schema(operation_id="read_transfer", summary="One transfer", responses=TransferSerializer)
    def get(self, request: Request, transfer_id: UUID) -> Response:
        transfer = services.read_transfer(transfer_id=transfer_id, actor=user_of(request))
        return Response(TransferSerializer(transfer).data)


class TransferResend(APIView):
    actions = {"POST": Action.TRANSFER_SEND}

    @extend_schema(
        operation_id="resend_transfer",
        summary="Send the same objects once more",
        parameters=[IDEMPOTENCY_KEY],
        request=None,
        responses={HTTPStatus.ACCEPTED: TransferSerializer},
    )
    def post(self, request: Request, transfer_id: UUID) -> Response:
        actor = user_of(request)
        return once_per_key(request, lambda: _accepted(services.resend(transfer_id=transfer_id, actor=actor)))


def _requested(requested: services.Requested) -> Response:
    answer = _accepted(requested.transfer)
    if not requested.is_new:
        answer.status_code = HTTPStatus.OK
    return answer


def _accepted(transfer: Transfer) -> Response:
    return accepted(dict(TransferSerializer(transfer).data), location=reverse("transfer-detail", args=[transfer.pk]))
