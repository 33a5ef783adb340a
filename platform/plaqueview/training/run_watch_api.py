"""What a run shows of itself over REST: slices with its present prediction, and its log."""

from http import HTTPStatus
from uuid import UUID

from django.http import HttpResponse
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from plaqueview.accounts.authentication import user_of
from plaqueview.annotations.api import AnyAccept
from plaqueview.core.access import Action
from plaqueview.studies.serializers import JSON
from plaqueview.training import services
from plaqueview.training.models import RunSample

# The pixels of a sample are those of the validation side, which a run does not change.
SLICE_CACHE = "private, max-age=86400, immutable"


def lines(help_text: str) -> serializers.ListField:
    """Closed lines, each a list of [x, y]."""
    line = serializers.ListField(child=serializers.ListField(child=serializers.FloatField()))
    return serializers.ListField(child=line, help_text=help_text)


class OutlinesSerializer(serializers.Serializer[JSON]):
    """Closed lines in pixels of the slice, each of [x, y]."""

    expert = lines("Any plaque of the approved version.")
    active = lines("AI-predicted active (FLAIR only).")
    inactive = lines("AI-predicted inactive (FLAIR only).")


class RunSampleSerializer(serializers.ModelSerializer[RunSample]):
    """One slice of the validation side, by pseudonym; `dice` is of any plaque on it, null where nobody draws one."""

    slice_url = serializers.SerializerMethodField(help_text="The slice as a grey PNG of 256 by 256, without the skull.")
    outlines = OutlinesSerializer()

    class Meta:
        model = RunSample
        fields = ["number", "study", "slice_number", "slice_url", "step", "outlines", "dice"]
        read_only_fields = fields

    def get_slice_url(self, sample: RunSample) -> str:
        return reverse("run-slice", args=[sample.run_id, sample.number])


class RunSamples(generics.GenericAPIView[RunSample]):
    actions = {"GET": Action.TRAINING_READ}
    filter_backends = []

    @extend_schema(
        operation_id="list_samples_of_run",
        summary="Slices of the validation side, with outlines by the expert and by the network at its last validation",
        responses=RunSampleSerializer(many=True),
    )
    def get(self, request: Request, run_id: UUID) -> Response:
        found = services.read_samples(run_id=run_id, actor=user_of(request))
        return self.get_paginated_response(RunSampleSerializer(self.paginate_queryset(found), many=True).data)


class RunSlice(APIView):
    actions = {"GET": Action.TRAINING_READ}
    content_negotiation_class = AnyAccept

    @extend_schema(
        operation_id="read_slice_of_run",
        summary="The slice of a sample, de-identified, as PNG",
        responses={(HTTPStatus.OK, "image/png"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, run_id: UUID, number: int) -> HttpResponse:
        png = services.read_sample_slice(run_id=run_id, number=number, actor=user_of(request))
        return HttpResponse(png, content_type="image/png", headers={"Cache-Control": SLICE_CACHE})


class RunLog(APIView):
    actions = {"GET": Action.TRAINING_READ}
    content_negotiation_class = AnyAccept

    @extend_schema(
        operation_id="read_log_of_run",
        summary="The newest lines of the run's log: stages, validations, warnings, workers that came and went",
        responses={(HTTPStatus.OK, "text/plain"): OpenApiTypes.STR},
    )
    def get(self, request: Request, run_id: UUID) -> HttpResponse:
        text = "".join(services.read_log(run_id=run_id, actor=user_of(request)))
        headers = {"Content-Disposition": f'inline; filename="run-{run_id}.log"'}
        return HttpResponse(text, content_type="text/plain; charset=utf-8", headers=headers)
