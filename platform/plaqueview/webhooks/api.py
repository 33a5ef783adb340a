"""Webhooks over REST. A secret goes out once, with the answer that made it."""

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
from plaqueview.pacs.node_api import LONGEST_PEM
from plaqueview.studies.serializers import JSON
from plaqueview.webhooks import services
from plaqueview.webhooks.models import Webhook, WebhookEvent


class WebhookSerializer(serializers.ModelSerializer[Webhook]):
    """A receiver of a site's events."""

    site = serializers.UUIDField(source="site_id")
    events = serializers.ListField(child=serializers.ChoiceField(WebhookEvent.values))

    class Meta:
        model = Webhook
        fields = ["id", "site", "name", "url", "ca_certificates", "events", "is_active", "created", "modified"]
        read_only_fields = fields


class ShownOnceSerializer(WebhookSerializer):
    """The receiver with its secret, which is shown this once."""

    secret = serializers.CharField(help_text="`whsec_` and 32 bytes in base64. Kept sealed, and never shown again.")

    class Meta(WebhookSerializer.Meta):
        fields = [*WebhookSerializer.Meta.fields, "secret"]
        read_only_fields = fields


class WebhookChangeSerializer(serializers.Serializer[JSON]):
    """What an administrator says of a receiver."""

    name = serializers.CharField(max_length=100)
    url = serializers.CharField(max_length=500, help_text="https only.")
    events = serializers.ListField(child=serializers.ChoiceField(WebhookEvent.values))
    ca_certificates = serializers.CharField(
        max_length=LONGEST_PEM, required=False, allow_blank=True, help_text="PEM; empty: what the machine trusts."
    )
    is_active = serializers.BooleanField(
        required=False, help_text="What happens while it is not in use is not told later."
    )


class NewWebhookSerializer(WebhookChangeSerializer):
    site = serializers.UUIDField(required=False, help_text="Needed by whoever belongs to several.")


class WebhookList(generics.GenericAPIView[Webhook]):
    actions = {"GET": Action.WEBHOOK_MANAGE, "POST": Action.WEBHOOK_MANAGE}
    queryset = Webhook.objects.none()
    filterset_fields = ["is_active"]
    ordering_fields = ["name", "created"]

    @extend_schema(operation_id="list_webhooks", summary="Webhooks, by name", responses=WebhookSerializer(many=True))
    def get(self, request: Request) -> Response:
        found = self.filter_queryset(services.read_webhooks(actor=user_of(request)))
        return self.get_paginated_response(WebhookSerializer(self.paginate_queryset(found), many=True).data)

    @extend_schema(
        operation_id="create_webhook",
        summary="Tell a receiver of what happens from now on",
        description="Its messages and how they are signed: `webhooks` of this document.",
        request=NewWebhookSerializer,
        responses={HTTPStatus.CREATED: ShownOnceSerializer},
    )
    def post(self, request: Request) -> Response:
        wanted = NewWebhookSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        values = dict(wanted.validated_data)
        site_id = str(values.pop("site", ""))
        made = services.create_webhook(setup=services.WebhookSetup(**values), site_id=site_id, actor=user_of(request))
        location = reverse("webhook-detail", args=[made.webhook.pk])
        return Response(_shown_once(made), status=HTTPStatus.CREATED, headers={"Location": location})


class WebhookDetail(APIView):
    actions = {"GET": Action.WEBHOOK_MANAGE, "PATCH": Action.WEBHOOK_MANAGE, "DELETE": Action.WEBHOOK_MANAGE}

    @extend_schema(operation_id="read_webhook", summary="One webhook", responses=WebhookSerializer)
    def get(self, request: Request, webhook_id: UUID) -> Response:
        webhook = services.read_webhook(webhook_id=webhook_id, actor=user_of(request))
        return Response(WebhookSerializer(webhook).data)

    @extend_schema(
        operation_id="change_webhook",
        summary="Change a webhook",
        request=WebhookChangeSerializer(partial=True),
        responses=WebhookSerializer,
    )
    def patch(self, request: Request, webhook_id: UUID) -> Response:
        wanted = WebhookChangeSerializer(data=request.data, partial=True)
        wanted.is_valid(raise_exception=True)
        changes = dict(wanted.validated_data)
        webhook = services.change_webhook(webhook_id=webhook_id, changes=changes, actor=user_of(request))
        return Response(WebhookSerializer(webhook).data)

    @extend_schema(
        operation_id="remove_webhook",
        summary="Remove a webhook with its messages",
        responses={HTTPStatus.NO_CONTENT: None},
    )
    def delete(self, request: Request, webhook_id: UUID) -> Response:
        services.remove_webhook(webhook_id=webhook_id, actor=user_of(request))
        return Response(status=HTTPStatus.NO_CONTENT)


class WebhookSecret(APIView):
    actions = {"POST": Action.WEBHOOK_MANAGE}

    @extend_schema(
        operation_id="renew_webhook_secret",
        summary="Sign with another secret from now on",
        description="What the receiver refuses until it knows the new secret is tried again.",
        request=None,
        responses=ShownOnceSerializer,
    )
    def post(self, request: Request, webhook_id: UUID) -> Response:
        return Response(_shown_once(services.renew_secret(webhook_id=webhook_id, actor=user_of(request))))


def _shown_once(made: services.ShownOnce) -> JSON:
    return {**WebhookSerializer(made.webhook).data, "secret": made.secret}
