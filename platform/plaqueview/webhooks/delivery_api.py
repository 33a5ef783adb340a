"""Messages of webhooks over REST."""

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
from plaqueview.webhooks import services
from plaqueview.webhooks.models import TEST_EVENT, Delivery, DeliveryState, WebhookEvent


class DeliverySerializer(serializers.ModelSerializer[Delivery]):
    """One message to one receiver."""

    webhook = serializers.UUIDField(source="webhook_id")
    webhook_name = serializers.CharField(source="webhook.name")
    message_id = serializers.CharField(help_text="The header `webhook-id`, the same in every attempt.")
    event = serializers.ChoiceField([*WebhookEvent.values, TEST_EVENT])
    state = serializers.ChoiceField(
        DeliveryState.values, help_text="failed: tried again at next_attempt_at; dead: not any more, until redelivered."
    )
    body = serializers.CharField(help_text="The very text that is signed and sent.")
    answer = serializers.CharField(help_text="What the receiver said last, as a sentence.")

    class Meta:
        model = Delivery
        fields = [
            "id", "webhook", "webhook_name", "message_id", "event", "state", "attempts", "next_attempt_at", "answer",
            "body", "created", "delivered_at",
        ]  # fmt: skip
        read_only_fields = fields


class DeliveryFilter(django_filters.FilterSet):
    state = django_filters.MultipleChoiceFilter(choices=DeliveryState.choices)
    webhook = django_filters.UUIDFilter(field_name="webhook_id")

    class Meta:
        model = Delivery
        fields: list[str] = []


class DeliveryList(generics.GenericAPIView[Delivery]):
    actions = {"GET": Action.WEBHOOK_MANAGE}
    queryset = Delivery.objects.none()
    filterset_class = DeliveryFilter
    ordering_fields = ["created", "next_attempt_at", "delivered_at"]

    @extend_schema(
        operation_id="list_deliveries",
        summary="Messages to webhooks, newest first",
        description="Those that ended are kept for 30 days.",
        responses=DeliverySerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        found = self.filter_queryset(services.read_deliveries(actor=user_of(request)))
        return self.get_paginated_response(DeliverySerializer(self.paginate_queryset(found), many=True).data)


class DeliveryDetail(APIView):
    actions = {"GET": Action.WEBHOOK_MANAGE}

    @extend_schema(operation_id="read_delivery", summary="One message", responses=DeliverySerializer)
    def get(self, request: Request, delivery_id: UUID) -> Response:
        delivery = services.read_delivery(delivery_id=delivery_id, actor=user_of(request))
        return Response(DeliverySerializer(delivery).data)


class Redeliver(APIView):
    actions = {"POST": Action.WEBHOOK_MANAGE}

    @extend_schema(
        operation_id="redeliver",
        summary="Send the same message once more, under the same id",
        parameters=[IDEMPOTENCY_KEY],
        request=None,
        responses={HTTPStatus.ACCEPTED: DeliverySerializer},
    )
    def post(self, request: Request, delivery_id: UUID) -> Response:
        actor = user_of(request)
        return once_per_key(request, lambda: _accepted(services.redeliver(delivery_id=delivery_id, actor=actor)))


class WebhookTest(APIView):
    actions = {"POST": Action.WEBHOOK_MANAGE}

    @extend_schema(
        operation_id="test_webhook",
        summary="Send a message of no consequence",
        parameters=[IDEMPOTENCY_KEY],
        request=None,
        responses={HTTPStatus.ACCEPTED: DeliverySerializer},
    )
    def post(self, request: Request, webhook_id: UUID) -> Response:
        actor = user_of(request)
        return once_per_key(request, lambda: _accepted(services.test_webhook(webhook_id=webhook_id, actor=actor)))


def _accepted(delivery: Delivery) -> Response:
    return accepted(dict(DeliverySerializer(delivery).data), location=reverse("delivery-detail", args=[delivery.pk]))
