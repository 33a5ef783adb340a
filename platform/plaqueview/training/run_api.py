"""Training runs over REST."""

from dataclasses import asdict
from http import HTTPStatus
from uuid import UUID

from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from plaqueview.accounts.authentication import user_of
from plaqueview.core.access import Action
from plaqueview.core.api import accepted, once_per_key
from plaqueview.core.schema import IDEMPOTENCY_KEY
from plaqueview.studies.serializers import JSON
from plaqueview.training import services
from plaqueview.training.models import RunPoint, RunStage, RunState, TrainingRun
from plaqueview.training.recipe import Recipe, Start
from plaqueview.training.snapshot_api import SideCountsSerializer
from plaqueview.training.worker_api import GpuSerializer

DEFAULTS = Recipe()


class RecipeSerializer(serializers.Serializer[JSON]):
    """How the network learns; what is left out is as given here."""

    start = serializers.ChoiceField(
        [(start.value, start.name) for start in Start],
        default=DEFAULTS.start.value,
        help_text="champion: goes on from today's champion; scratch: from an encoder that has seen photographs only.",
    )
    steps = serializers.IntegerField(min_value=1, max_value=1_000_000, default=DEFAULTS.steps)
    batch_size = serializers.IntegerField(
        min_value=2, max_value=256, default=DEFAULTS.batch_size, help_text="Slices; batch normalisation needs two."
    )
    learning_rate = serializers.FloatField(min_value=0.0, max_value=1.0, default=DEFAULTS.learning_rate)
    validate_every = serializers.IntegerField(
        min_value=1, max_value=100_000, default=DEFAULTS.validate_every, help_text="Steps; the state is stored then."
    )
    max_minutes = serializers.IntegerField(
        min_value=1,
        max_value=60 * 24 * 30,
        default=DEFAULTS.max_minutes,
        help_text="Of learning, over all restarts; then the best weights so far are taken.",
    )
    seed = serializers.IntegerField(min_value=0, max_value=2**31 - 1, default=DEFAULTS.seed)


class WantedRunSerializer(serializers.Serializer[JSON]):
    snapshot = serializers.UUIDField(help_text="One that is ready.")
    recipe = RecipeSerializer(required=False)
    max_minutes = serializers.IntegerField(
        min_value=1, max_value=60 * 24 * 30, required=False, help_text="The same as in the recipe, and before it."
    )

    def recipe_of(self) -> Recipe:
        """The recipe asked for, with what was left out as it stands by default."""
        given = self.validated_data.get("recipe") or RecipeSerializer().run_validation({})
        if "max_minutes" in self.validated_data:
            given = {**given, "max_minutes": self.validated_data["max_minutes"]}
        return Recipe.from_json(given)


class PreflightWorkerSerializer(serializers.Serializer[JSON]):
    """A worker that could take the run now."""

    name = serializers.CharField()
    device = serializers.CharField()
    gpus = GpuSerializer(many=True)


class PreflightSerializer(serializers.Serializer[JSON]):
    """What a run would meet. `problems` rule it out; `warnings` do not. A null was not measured here yet."""

    can_run = serializers.BooleanField()
    problems = serializers.ListField(child=serializers.CharField())
    warnings = serializers.ListField(child=serializers.CharField())
    sides = serializers.DictField(child=SideCountsSerializer())
    disk_free_bytes = serializers.IntegerField()
    disk_needed_bytes = serializers.IntegerField()
    memory_free_bytes = serializers.IntegerField(allow_null=True)
    memory_needed_bytes = serializers.IntegerField(help_text="Of all processes on this machine.")
    workers = PreflightWorkerSerializer(many=True)
    gpu_memory_needed_bytes = serializers.IntegerField(allow_null=True, help_text="Of each GPU.")
    processes = serializers.IntegerField(
        allow_null=True, help_text="That learn the run together, on all machines; null: one for each GPU of the worker."
    )
    seconds_per_step = serializers.FloatField(allow_null=True)
    estimated_minutes = serializers.FloatField(allow_null=True)


class ResourcesSerializer(serializers.Serializer[JSON]):
    """What the process of the worker took when it was last measured. A null is not known on its machine."""

    at = serializers.DateTimeField()
    cores_used = serializers.FloatField(help_text="Mean since the measurement before.")
    cores = serializers.IntegerField(help_text="That the process may use.")
    memory_bytes = serializers.IntegerField(allow_null=True, help_text="Resident.")
    memory_peak_bytes = serializers.IntegerField(help_text="The most since the process began.")
    memory_of_machine_bytes = serializers.IntegerField()
    gpu = serializers.CharField(help_text="Its name; empty without one.")
    gpu_memory_bytes = serializers.IntegerField(allow_null=True)
    gpu_memory_peak_bytes = serializers.IntegerField(allow_null=True)
    gpu_memory_of_device_bytes = serializers.IntegerField(allow_null=True)


class RunSerializer(serializers.ModelSerializer[TrainingRun]):
    """One network that learns from one snapshot. `seconds_left` is of learning alone, null before it is known."""

    snapshot = serializers.UUIDField(source="snapshot_id")
    recipe = RecipeSerializer()
    state = serializers.ChoiceField(RunState.values)
    stage = serializers.ChoiceField(RunStage.values)
    warnings = serializers.ListField(child=serializers.CharField())
    seconds_left = serializers.SerializerMethodField()
    resources = serializers.SerializerMethodField()
    has_best_weights = serializers.SerializerMethodField()
    requested_by = serializers.CharField(source="requested_by.username", allow_null=True, default=None)
    start_model = serializers.UUIDField(source="start_model_id", allow_null=True)
    model = serializers.UUIDField(source="model_id", allow_null=True, help_text="The candidate that it made.")

    class Meta:
        model = TrainingRun
        fields = [
            "id", "snapshot", "recipe", "state", "stage", "reason", "warnings", "step", "loss", "best_dice",
            "best_step", "has_best_weights", "seconds", "seconds_per_step", "seconds_left", "attempts", "device",
            "processes", "resources", "requested_by", "created", "started_at", "finished_at", "start_model", "model",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(ResourcesSerializer(allow_null=True))
    def get_resources(self, run: TrainingRun) -> JSON | None:
        return dict(ResourcesSerializer(run.resources).data) if run.resources else None

    def get_seconds_left(self, run: TrainingRun) -> float | None:
        if run.state != RunState.RUNNING or run.seconds_per_step is None:
            return None
        by_steps = (run.recipe["steps"] - run.step) * run.seconds_per_step
        return float(max(0.0, min(by_steps, run.recipe["max_minutes"] * 60.0 - run.seconds)))

    def get_has_best_weights(self, run: TrainingRun) -> bool:
        """Also of a run that was cancelled."""
        return bool(run.best_key)


class RunPointSerializer(serializers.ModelSerializer[RunPoint]):
    """One step; the validation's Dice of any plaque, mean over studies, where the step validated."""

    class Meta:
        model = RunPoint
        fields = ["step", "loss", "validation_dice", "at"]
        read_only_fields = fields


class RunList(generics.GenericAPIView[TrainingRun]):
    actions = {"GET": Action.TRAINING_READ, "POST": Action.TRAINING_MANAGE}
    queryset = TrainingRun.objects.none()
    filterset_fields = ["state", "snapshot"]
    ordering_fields = ["created", "finished_at", "state"]

    @extend_schema(operation_id="list_runs", summary="Training runs, newest first", responses=RunSerializer(many=True))
    def get(self, request: Request) -> Response:
        found = self.filter_queryset(services.read_runs(actor=user_of(request)))
        return self.get_paginated_response(RunSerializer(self.paginate_queryset(found), many=True).data)

    @extend_schema(
        operation_id="request_run",
        summary="Train a network on a snapshot",
        description="Refused with the reasons when it cannot succeed; `/runs/preflight` tells beforehand.",
        parameters=[IDEMPOTENCY_KEY],
        request=WantedRunSerializer,
        responses={HTTPStatus.ACCEPTED: RunSerializer},
    )
    def post(self, request: Request) -> Response:
        wanted = WantedRunSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        snapshot_id, recipe, actor = wanted.validated_data["snapshot"], wanted.recipe_of(), user_of(request)
        return once_per_key(
            request, lambda: _accepted(services.request_run(snapshot_id=snapshot_id, recipe=recipe, actor=actor))
        )


class RunPreflight(APIView):
    actions = {"POST": Action.TRAINING_MANAGE}

    @extend_schema(
        operation_id="preflight_run",
        summary="What a run would learn from and need, and why it could not succeed; asks for nothing",
        request=WantedRunSerializer,
        responses=PreflightSerializer,
    )
    def post(self, request: Request) -> Response:
        wanted = WantedRunSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        found = services.preflight(
            snapshot_id=wanted.validated_data["snapshot"], recipe=wanted.recipe_of(), actor=user_of(request)
        )
        return Response({**asdict(found), "can_run": found.can_run})


class RunDetail(APIView):
    actions = {"GET": Action.TRAINING_READ}

    @extend_schema(operation_id="read_run", summary="One training run", responses=RunSerializer)
    def get(self, request: Request, run_id: UUID) -> Response:
        return Response(RunSerializer(services.read_run(run_id=run_id, actor=user_of(request))).data)


class RunPoints(generics.GenericAPIView[RunPoint]):
    actions = {"GET": Action.TRAINING_READ}
    filter_backends = []

    @extend_schema(
        operation_id="list_points_of_run",
        summary="The run's steps with their loss, and validations, in order",
        parameters=[
            OpenApiParameter("after", OpenApiTypes.INT, description="Only steps after this one."),
            OpenApiParameter("every", OpenApiTypes.INT, description="Only its multiples, and each that validated."),
        ],
        responses=RunPointSerializer(many=True),
    )
    def get(self, request: Request, run_id: UUID) -> Response:
        after = serializers.IntegerField(min_value=0).run_validation(request.query_params.get("after", 0))
        every = serializers.IntegerField(min_value=1, max_value=1_000_000).run_validation(
            request.query_params.get("every", 1)
        )
        found = services.read_points(run_id=run_id, after=after, every=every, actor=user_of(request))
        return self.get_paginated_response(RunPointSerializer(self.paginate_queryset(found), many=True).data)


class RunCancel(APIView):
    actions = {"POST": Action.TRAINING_MANAGE}

    @extend_schema(
        operation_id="cancel_run",
        summary="Cancel a queued or running run; its best weights are kept",
        request=None,
        responses=RunSerializer,
    )
    def post(self, request: Request, run_id: UUID) -> Response:
        return Response(RunSerializer(services.cancel_run(run_id=run_id, actor=user_of(request))).data)


def _accepted(run: TrainingRun) -> Response:
    return accepted(dict(RunSerializer(run).data), location=reverse("run-detail", args=[run.pk]))
