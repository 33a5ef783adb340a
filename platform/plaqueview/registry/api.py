"""Model versions over REST."""

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import generics, serializers

from plaqueview.core.access import Action
from plaqueview.registry.models import ModelVersion


class ModelVersionSerializer(serializers.ModelSerializer[ModelVersion]):
    metrics = serializers.SerializerMethodField(help_text="The figures of the card, by name.")

    class Meta:
        model = ModelVersion
        fields = [
            "id", "name", "version", "sha256", "stage", "origin", "preprocessing_version", "created", "card", "facts",
            "metrics", "caveat",
        ]  # fmt: skip

    @extend_schema_field({"type": "object", "additionalProperties": True})
    def get_metrics(self, model: ModelVersion) -> dict[str, Any]:  # Any: the card decides which figures it has
        metrics = model.facts.get("metrics", {})
        return metrics if isinstance(metrics, dict) else {}


@extend_schema_view(get=extend_schema(operation_id="list_models", summary="Model versions, newest first"))
class ModelVersionList(generics.ListAPIView[ModelVersion]):
    actions = {"GET": Action.MODEL_READ}
    queryset = ModelVersion.objects.all()
    serializer_class = ModelVersionSerializer
    filterset_fields = ["stage", "name"]
    ordering_fields = ["created", "name", "version"]
    ordering = ["-created"]


@extend_schema_view(get=extend_schema(operation_id="read_model", summary="A model version with its card"))
class ModelVersionDetail(generics.RetrieveAPIView[ModelVersion]):
    actions = {"GET": Action.MODEL_READ}
    queryset = ModelVersion.objects.all()
    serializer_class = ModelVersionSerializer
