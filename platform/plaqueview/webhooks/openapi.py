"""The messages as the OpenAPI document tells them: what a receiver is sent."""

from typing import Any

from drf_spectacular.utils import OpenApiWebhook, extend_schema
from rest_framework import serializers

from plaqueview.studies.serializers import JSON
from plaqueview.webhooks.models import TEST_EVENT, WebhookEvent

SIGNING = (
    "Signed by the convention of Standard Webhooks. `webhook-id` is the same in every attempt of a message, "
    "`webhook-timestamp` is when the attempt was made, in seconds since 1970, and `webhook-signature` is `v1,` and the "
    "base64 of HMAC-SHA256 over id, timestamp and body, joined by full stops, with the bytes that follow `whsec_` in "
    "the secret. A receiver answers 2xx within 15 seconds; anything else is tried again with growing delays. A message "
    "may come more than once, and later than its successor."
)
POINTER = "Where the API tells more, to those who may ask."


class ToldStudySerializer(serializers.Serializer[JSON]):
    study = serializers.UUIDField()
    url = serializers.URLField(help_text=POINTER)


class ToldJobSerializer(serializers.Serializer[JSON]):
    job = serializers.UUIDField()
    study = serializers.UUIDField()
    annotation = serializers.UUIDField(allow_null=True, help_text="The network's version; null when it failed.")
    state = serializers.ChoiceField(["succeeded", "failed"])
    url = serializers.URLField(help_text=POINTER)


class ToldAnnotationSerializer(serializers.Serializer[JSON]):
    annotation = serializers.UUIDField()
    study = serializers.UUIDField()
    url = serializers.URLField(help_text=POINTER)


class ToldTransferSerializer(serializers.Serializer[JSON]):
    transfer = serializers.UUIDField()
    study = serializers.UUIDField()
    annotation = serializers.UUIDField()
    node = serializers.UUIDField()
    url = serializers.URLField(help_text=POINTER)


class ToldWebhookSerializer(serializers.Serializer[JSON]):
    webhook = serializers.UUIDField()
    url = serializers.URLField(help_text=POINTER)


def _told(event: str, name: str, data: type[serializers.Serializer[JSON]], summary: str) -> OpenApiWebhook:
    fields: dict[str, Any] = {  # Any: serializer fields of several kinds
        "type": serializers.ChoiceField([event]),
        "timestamp": serializers.DateTimeField(help_text="When it happened."),
        "data": data(),
    }
    message = type(f"{name}MessageSerializer", (serializers.Serializer,), fields)
    return OpenApiWebhook(
        name=event,
        decorator=extend_schema(summary=summary, description=SIGNING, request=message, responses={200: None}),
    )


STUDY_RECEIVED = _told(
    WebhookEvent.STUDY_RECEIVED, "StudyReceived", ToldStudySerializer, "No more of a study came for a moment"
)
JOB_COMPLETED = _told(
    WebhookEvent.JOB_COMPLETED, "JobCompleted", ToldJobSerializer, "The network has read a study, or could not"
)
ANNOTATION_APPROVED = _told(
    WebhookEvent.ANNOTATION_APPROVED, "AnnotationApproved", ToldAnnotationSerializer, "A reader approved a version"
)
EXPORT_FAILED = _told(
    WebhookEvent.EXPORT_FAILED,
    "ExportFailed",
    ToldTransferSerializer,
    "An approved version was given up on its way to a node",
)
WEBHOOK_TESTED = _told(TEST_EVENT, "WebhookTested", ToldWebhookSerializer, "An administrator tests the receiver")
