"""Jobs over REST."""

from typing import Any
from uuid import UUID

from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from plaqueview.accounts.authentication import user_of
from plaqueview.annotations.api import ModelStampSerializer
from plaqueview.core.access import Action
from plaqueview.core.api import accepted, once_per_key
from plaqueview.inference import journal, services
from plaqueview.inference.models import InferenceJob, JobStage, JobState

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="A second request with the same key gets the first one's answer, and does nothing.",
)


class JobSerializer(serializers.Serializer[InferenceJob]):
    id = serializers.UUIDField()
    study = serializers.UUIDField()
    series = serializers.UUIDField()
    state = serializers.ChoiceField(JobState.values)
    progress = serializers.FloatField(help_text="0 to 1.")
    stage = serializers.ChoiceField(JobStage.values)
    reason = serializers.CharField(help_text="Why it failed or was cancelled.")
    attempts = serializers.IntegerField(help_text="How many workers have claimed it.")
    requested_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    requested_by = serializers.CharField(allow_null=True, help_text="Null when the platform asked by itself.")
    model = ModelStampSerializer(allow_null=True)
    annotation = serializers.UUIDField(allow_null=True)

    def to_representation(self, job: InferenceJob) -> dict[str, Any]:  # Any: JSON
        return journal.summary_of(job).as_json(job.study_id)


class JobList(generics.GenericAPIView[InferenceJob]):
    actions = {"GET": Action.JOB_READ}
    queryset = InferenceJob.objects.none()
    serializer_class = JobSerializer
    filterset_fields = ["state", "study"]
    ordering_fields = ["created", "started_at", "finished_at", "state"]

    @extend_schema(summary="Jobs, newest first", responses=JobSerializer(many=True))
    def get(self, request: Request) -> Response:
        jobs = self.filter_queryset(services.read_jobs(actor=user_of(request)))
        return self.get_paginated_response(self.get_serializer(self.paginate_queryset(jobs), many=True).data)


class JobsOfStudy(generics.GenericAPIView[InferenceJob]):
    actions = {"GET": Action.JOB_READ}
    serializer_class = JobSerializer
    filter_backends = []

    @extend_schema(summary="The jobs of a study, newest first", responses=JobSerializer(many=True))
    def get(self, request: Request, study_id: UUID) -> Response:
        jobs = services.read_jobs_of_study(study_id=study_id, actor=user_of(request))
        return self.get_paginated_response(self.get_serializer(self.paginate_queryset(jobs), many=True).data)


class InferencesOfStudy(APIView):
    actions = {"POST": Action.INFERENCE_REQUEST}

    @extend_schema(
        summary="Ask for an inference of the study's FLAIR",
        parameters=[IDEMPOTENCY_KEY],
        request=None,
        responses={202: JobSerializer},
    )
    def post(self, request: Request, study_id: UUID) -> Response:
        return once_per_key(request, lambda: _accepted(services.request(study_id=study_id, actor=user_of(request))))


class JobDetail(APIView):
    actions = {"GET": Action.JOB_READ}

    @extend_schema(summary="One job", responses=JobSerializer)
    def get(self, request: Request, job_id: UUID) -> Response:
        return Response(JobSerializer(services.read_job(job_id=job_id, actor=user_of(request))).data)


class JobCancel(APIView):
    actions = {"POST": Action.JOB_CANCEL}

    @extend_schema(summary="Cancel a queued or running job", request=None, responses=JobSerializer)
    def post(self, request: Request, job_id: UUID) -> Response:
        return Response(JobSerializer(services.cancel(job_id=job_id, actor=user_of(request))).data)


class JobRetry(APIView):
    actions = {"POST": Action.INFERENCE_REQUEST}

    @extend_schema(
        summary="Read the study again, in a new job, after this one failed or was cancelled",
        parameters=[IDEMPOTENCY_KEY],
        request=None,
        responses={202: JobSerializer},
    )
    def post(self, request: Request, job_id: UUID) -> Response:
        return once_per_key(request, lambda: _accepted(services.retry(job_id=job_id, actor=user_of(request))))


def _accepted(job: InferenceJob) -> Response:
    return accepted(JobSerializer(job).data, location=reverse("job-detail", args=[job.pk]))
