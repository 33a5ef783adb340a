"""Schedules of retraining over REST."""

from http import HTTPStatus
from uuid import UUID

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from plaqueview.accounts.authentication import user_of
from plaqueview.core.access import Action
from plaqueview.core.errors import InvalidError
from plaqueview.studies.serializers import JSON
from plaqueview.training import services
from plaqueview.training.cron import next_due, parse_cron
from plaqueview.training.models import Firing, FiringState, Schedule
from plaqueview.training.recipe import Recipe
from plaqueview.training.run_api import RecipeSerializer
from plaqueview.training.schedules import sites_of
from plaqueview.training.snapshot_api import RulesSerializer, rules_from


class PlanSerializer(serializers.Serializer[JSON]):
    """When to learn, from what and how; what is left out is as given here."""

    name = serializers.CharField(max_length=100)
    cron = serializers.CharField(
        max_length=100,
        help_text="Minute, hour, day of month, month, day of week (0 is Sunday), in the department's time zone; "
        "every field must match.",
    )
    minimum_new_studies = serializers.IntegerField(
        min_value=0, max_value=100_000, default=10, help_text="Newly approved since the last run's snapshot."
    )
    window_from = serializers.TimeField(allow_null=True, default=None, help_text="A run begins from here on.")
    window_until = serializers.TimeField(
        allow_null=True,
        default=None,
        help_text="It learns until then at most; before `window_from` it is the next day.",
    )
    rules = RulesSerializer(required=False)
    recipe = RecipeSerializer(required=False)
    is_active = serializers.BooleanField(default=True)

    def plan(self) -> services.Plan:
        """Raises: InvalidError when the window has one end."""
        given = self.validated_data
        window = (given["window_from"], given["window_until"])
        if (window[0] is None) != (window[1] is None):
            raise InvalidError("a window has two ends", fields={"window_until": "needs both ends, or none"})
        return services.Plan(
            name=given["name"],
            cron=given["cron"],
            minimum_new_studies=given["minimum_new_studies"],
            window=None if window[0] is None else window,
            rules=rules_from(given.get("rules") or RulesSerializer().run_validation({})),
            recipe=Recipe.from_json(given.get("recipe") or RecipeSerializer().run_validation({})),
            is_active=given["is_active"],
        )


class WantedScheduleSerializer(PlanSerializer):
    sites = serializers.ListField(
        child=serializers.UUIDField(), default=list, help_text="Of yours; empty means all of them."
    )


class FiringSerializer(serializers.ModelSerializer[Firing]):
    """One time at which the schedule was due. `line` is what it did, or why it did not."""

    state = serializers.ChoiceField(FiringState.values)
    snapshot = serializers.UUIDField(source="snapshot_id", allow_null=True)
    run = serializers.UUIDField(source="run_id", allow_null=True)

    class Meta:
        model = Firing
        fields = ["id", "due_at", "state", "line", "new_studies", "snapshot", "run"]
        read_only_fields = fields


class ScheduleSerializer(serializers.ModelSerializer[Schedule]):
    """A time at which approved versions are frozen and learned from, on behalf of its author."""

    sites = serializers.SerializerMethodField()
    rules = RulesSerializer()
    recipe = RecipeSerializer()
    author = serializers.CharField(source="author.username")
    next_due_at = serializers.SerializerMethodField()
    new_studies = serializers.SerializerMethodField()
    last_firing = serializers.SerializerMethodField()

    class Meta:
        model = Schedule
        fields = [
            "id", "name", "sites", "cron", "minimum_new_studies", "window_from", "window_until", "rules", "recipe",
            "is_active", "author", "created", "next_due_at", "new_studies", "last_firing",
        ]  # fmt: skip
        read_only_fields = fields

    def get_sites(self, schedule: Schedule) -> list[str]:
        """Their names."""
        return sorted(site.name for site in schedule.sites.all())

    @extend_schema_field({"type": ["string", "null"], "format": "date-time"})
    def get_next_due_at(self, schedule: Schedule) -> str | None:
        """Null while it is paused."""
        due = next_due(parse_cron(schedule.cron), timezone.now()) if schedule.is_active else None
        return due.isoformat() if due else None

    @extend_schema_field(OpenApiTypes.INT)
    def get_new_studies(self, schedule: Schedule) -> int:
        """Newly approved since the last run's snapshot, as of now."""
        return services.new_studies_of(sites_of(schedule))

    @extend_schema_field(FiringSerializer(allow_null=True))
    def get_last_firing(self, schedule: Schedule) -> JSON | None:
        firing = schedule.firings.order_by("-due_at").first()
        return dict(FiringSerializer(firing).data) if firing else None


class ScheduleList(generics.GenericAPIView[Schedule]):
    actions = {"GET": Action.TRAINING_READ, "POST": Action.TRAINING_MANAGE}
    queryset = Schedule.objects.none()
    filter_backends = []

    @extend_schema(
        operation_id="list_schedules", summary="Schedules of training, by name", responses=ScheduleSerializer(many=True)
    )
    def get(self, request: Request) -> Response:
        found = services.read_schedules(actor=user_of(request))
        return self.get_paginated_response(ScheduleSerializer(self.paginate_queryset(found), many=True).data)

    @extend_schema(
        operation_id="create_schedule",
        summary="Freeze and train at certain times, when enough was newly approved",
        request=WantedScheduleSerializer,
        responses={HTTPStatus.CREATED: ScheduleSerializer},
    )
    def post(self, request: Request) -> Response:
        wanted = WantedScheduleSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        schedule = services.create_schedule(
            plan=wanted.plan(), site_ids=wanted.validated_data["sites"], actor=user_of(request)
        )
        return Response(ScheduleSerializer(schedule).data, status=HTTPStatus.CREATED)


class ScheduleDetail(APIView):
    actions = {"GET": Action.TRAINING_READ, "PUT": Action.TRAINING_MANAGE, "DELETE": Action.TRAINING_MANAGE}

    @extend_schema(operation_id="read_schedule", summary="One schedule", responses=ScheduleSerializer)
    def get(self, request: Request, schedule_id: UUID) -> Response:
        schedule = services.read_schedule(schedule_id=schedule_id, actor=user_of(request))
        return Response(ScheduleSerializer(schedule).data)

    @extend_schema(
        operation_id="change_schedule",
        summary="Change or pause a schedule; from then on it is on your behalf",
        request=PlanSerializer,
        responses=ScheduleSerializer,
    )
    def put(self, request: Request, schedule_id: UUID) -> Response:
        wanted = PlanSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        schedule = services.change_schedule(schedule_id=schedule_id, plan=wanted.plan(), actor=user_of(request))
        return Response(ScheduleSerializer(schedule).data)

    @extend_schema(
        operation_id="remove_schedule",
        summary="Remove a schedule with the lines of its firings; snapshots and runs stay",
        responses={HTTPStatus.NO_CONTENT: None},
    )
    def delete(self, request: Request, schedule_id: UUID) -> Response:
        services.remove_schedule(schedule_id=schedule_id, actor=user_of(request))
        return Response(status=HTTPStatus.NO_CONTENT)


class ScheduleFirings(generics.GenericAPIView[Firing]):
    actions = {"GET": Action.TRAINING_READ}
    filter_backends = []

    @extend_schema(
        operation_id="list_firings_of_schedule",
        summary="What the schedule did each time that it was due, or why it did not",
        responses=FiringSerializer(many=True),
    )
    def get(self, request: Request, schedule_id: UUID) -> Response:
        found = services.read_firings(schedule_id=schedule_id, actor=user_of(request))
        return self.get_paginated_response(FiringSerializer(self.paginate_queryset(found), many=True).data)
