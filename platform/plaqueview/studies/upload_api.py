"""Uploads over REST."""

from typing import Any, ClassVar
from uuid import UUID

from django.http import HttpRequest
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from plaqueview.accounts.authentication import user_of
from plaqueview.core.access import Action
from plaqueview.core.api import accepted, once_per_key
from plaqueview.core.schema import IDEMPOTENCY_KEY
from plaqueview.studies import reading, services
from plaqueview.studies.upload_handlers import IncomingFileHandler
from plaqueview.studies.upload_serializers import UploadRequestSerializer, UploadSerializer


class UploadList(APIView):
    actions: ClassVar = {"POST": Action.STUDY_UPLOAD}
    parser_classes = [MultiPartParser]

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:  # Any: the framework's
        """The handler is in place before anything, the check of the CSRF token too, can read the body."""
        request.upload_handlers = [IncomingFileHandler(request)]
        return super().initialize_request(request, *args, **kwargs)

    @extend_schema(
        operation_id="create_upload",
        summary="Hand over DICOM files, zip archives or NIfTI volumes",
        parameters=[IDEMPOTENCY_KEY],
        request={"multipart/form-data": UploadRequestSerializer},
        responses={202: UploadSerializer},
    )
    def post(self, request: Request) -> Response:
        parts = [services.UploadPart(file.name, file.path, file.size) for file in request.FILES.getlist("file")]
        return once_per_key(request, lambda: self._create(request, parts))

    def _create(self, request: Request, parts: list[services.UploadPart]) -> Response:
        actor = user_of(request)
        site = reading.site_of(actor=actor, site_id=request.POST.get("site", ""))
        upload = services.create_upload(actor=actor, site=site, parts=parts)
        return accepted(UploadSerializer(upload).data, location=reverse("upload-detail", args=[upload.pk]))


class UploadDetail(APIView):
    actions: ClassVar = {"GET": Action.STUDY_UPLOAD}

    @extend_schema(
        operation_id="read_upload", summary="What became of each file of an upload", responses=UploadSerializer
    )
    def get(self, request: Request, upload_id: UUID) -> Response:
        return Response(UploadSerializer(reading.read_upload(upload_id=upload_id, actor=user_of(request))).data)
