"""Models as signed files over REST."""

import tempfile
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.http import FileResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from plaqueview.accounts.authentication import user_of
from plaqueview.annotations.api import AnyAccept
from plaqueview.core.access import Action
from plaqueview.registry import exchange, journal
from plaqueview.registry.api import ModelVersionSerializer
from plaqueview.registry.signed_file import SUFFIX
from plaqueview.studies.serializers import JSON

MEDIA_TYPE = "application/vnd.plaqueview.model+zip"


class ModelFileSerializer(serializers.Serializer[JSON]):
    file = serializers.FileField(help_text="As `/models/{id}/file` of an installation whose key is trusted here.")


class ModelFile(APIView):
    actions = {"GET": Action.MODEL_MANAGE}
    proven_methods = {"GET"}
    content_negotiation_class = AnyAccept

    @extend_schema(
        operation_id="export_model",
        summary="The model as one file, signed with Ed25519: manifest with card and facts, ONNX, safetensors",
        responses={(HTTPStatus.OK, MEDIA_TYPE): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, model_id: UUID) -> FileResponse:
        target: Any = tempfile.TemporaryFile()  # noqa: SIM115  (the response closes it; Any: its type is private)
        try:
            model = exchange.export_model(model_id=model_id, target=target, actor=user_of(request))
        except BaseException:
            target.close()
            raise
        target.seek(0)
        name = f"{model.name}-{model.version}{SUFFIX}"
        return FileResponse(target, as_attachment=True, filename=name, content_type=MEDIA_TYPE)


class ModelImport(APIView):
    actions = {"POST": Action.MODEL_MANAGE}
    parser_classes = [MultiPartParser]

    @extend_schema(
        operation_id="import_model",
        summary="Register the model of a signed file as a candidate, which reads nothing yet",
        description="Refused with the reason when the file is none, was changed, is of another version or for other "
        "software, or is signed by a key that is not trusted here.",
        request={"multipart/form-data": ModelFileSerializer},
        responses={HTTPStatus.CREATED: ModelVersionSerializer},
    )
    def post(self, request: Request) -> Response:
        given = ModelFileSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        model = exchange.import_model(source=given.validated_data["file"], actor=user_of(request))
        journal.publish_model(model)
        return Response(ModelVersionSerializer(model).data, status=HTTPStatus.CREATED)
