"""A study for research, over REST."""

import tempfile
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.http import FileResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from plaqueview.accounts.authentication import user_of
from plaqueview.annotations.api import AnyAccept
from plaqueview.core.access import Action
from plaqueview.core.problems import MEDIA_TYPE as PROBLEM
from plaqueview.core.schema import ProblemSerializer
from plaqueview.reports.research import export_deidentified

REFUSED = OpenApiResponse(ProblemSerializer, description="Nothing of the study may leave, or something is unreadable.")


class DeidentifiedStudy(APIView):
    actions = {"GET": Action.STUDY_DEIDENTIFY}
    proven_methods = {"GET"}
    content_negotiation_class = AnyAccept

    @extend_schema(
        operation_id="export_deidentified",
        summary="The study for research: MR images, SEG and SR of the approved version, and a report, as a zip",
        description="By the Basic Application Level Confidentiality Profile (PS3.15 Annex E). Images that say that "
        "words are burned in are left out; voxels are as acquired, so that a face may be recognised.",
        responses={
            (HTTPStatus.OK, "application/zip"): OpenApiTypes.BINARY,
            (HTTPStatus.CONFLICT, PROBLEM): REFUSED,
        },
    )
    def get(self, request: Request, study_id: UUID) -> FileResponse:
        target: Any = tempfile.TemporaryFile()  # noqa: SIM115  (the response closes it; Any: its type is private)
        try:
            study = export_deidentified(study_id=study_id, target=target, actor=user_of(request))
        except BaseException:
            target.close()
            raise
        target.seek(0)
        name = f"study-{study.pk}-deidentified.zip"
        return FileResponse(target, as_attachment=True, filename=name, content_type="application/zip")
