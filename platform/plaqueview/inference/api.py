"""Jobs over REST."""

from uuid import UUID

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
from plaqueview.inference import journal, services
from plaqueview.inference.models import InferenceJob, JobStage, JobState
from plaqueview.studies.serializers import JSON, JobSummarySerializer


class JobSerializer(JobSummarySerializer):
    """One inference. `attempts` counts the workers that claimed it; `requested_by` is null for the platform itself."""

    state = serializers.ChoiceField(JobState.values)  # type: ignore[assignment]  # narrower than the summary's
    stage = serializers.ChoiceField(JobStage.values)  # type: ignore[assignment]  # as above


def _row(job: InferenceJob) -> JSON:
    return journal.summary_of(job).as_json(job.study_id)


class JobList(generics.GenericAPIView[InferenceJob]):
    actions = {"GET": Action.JOB_READ}
    queryset = InferenceJob.objects.none()
    filterset_fields = ["state", "study"]
    ordering_fields = ["created", "started_at", "finished_at", "state"]

    @extend_schema(operation_id="list_jobs", summary="Jobs, newest first", responses=JobSerializer(many=True))
    def get(self, request: Request) -> Response:
        jobs = self.filter_queryset(services.read_jobs(actor=user_of(request)))
        ids = self.paginate_queryset(jobs.values_list("pk", flat=True)) or []
        return self.get_paginated_response([_row(job) for job in services.rows_of_jobs(ids)])


class JobsOfStudy(generics.GenericAPIView[InferenceJob]):
    actions = {"GET": Action.JOB_READ}
    filter_backends = []

    @extend_schema(
        operation_id="list_jobs_of_study",
        summary="The jobs of a study, newest first",
        responses=JobSerializer(many=True),
    )
    def get(self, request: Request, study_id: UUID) -> Response:
        jobs = services.read_jobs_of_study(study_id=study_id, actor=user_of(request))
        return self.get_paginated_response([_row(job) for job in self.paginate_queryset(jobs) or []])


class InferencesOfStudy(APIView):
    actions = {"POST": Action.INFERENCE_REQUEST}

    @extend_schema(
        operation_id="request_inference",
        summary="Ask for an inference of the study's FLAIR",
        parameters=[IDEMPOTENCY_KEY],
        request=None,
        responses={202: JobSerializer},
    )
    def post(self, request: Request, study_id: UUID) -> Response:
        return once_per_key(request, lambda: _accepted(services.request(study_id=study_id, actor=user_of(request))))


class JobDetail(APIView):
    actions = {"GET": Action.JOB_READ}

    @extend_schema(operation_id="read_job", summary="One job", responses=JobSerializer)
    def get(self, request: Request, job_id: UUID) -> Response:
        return Response(_row(services.read_job(job_id=job_id, actor=user_of(request))))


class JobCancel(APIView):
    actions = {"POST": Action.JOB_CANCEL}

    @extend_schema(
        operation_id="cancel_job", summary="Cancel a queued or running job", request=None, responses=JobSerializer
    )
    def post(self, request: Request, job_id: UUID) -> Response:
        return Response(_row(services.cancel(job_id=job_id, actor=user_of(request))))


class JobRetry(APIView):
    actions = {"POST": Action.INFERENCE_REQUEST}

    @extend_schema(
        operation_id="retry_job",
        summary="Read the study again, in a new job, after this one failed or was cancelled",
        parameters=[IDEMPOTENCY_KEY],
        request=None,
        responses={202: JobSerializer},
    )
    def post(self, request: Request, job_id: UUID) -> Response:
        return once_per_key(request, lambda: _accepted(services.retry(job_id=job_id, actor=user_of(request))))


def _accepted(job: InferenceJob) -> Response:
    return accepted(_row(job), location=reverse("job-detail", args=[job.pk]))
