"""Workers and queues over REST."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from plaqueview.accounts.authentication import user_of
from plaqueview.core.access import Action
from plaqueview.studies.serializers import JSON
from plaqueview.training.workers import Staff, read_staff


class ErrandSerializer(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(["inference", "registration", "enhancement", "training", "evaluation"])
    id = serializers.UUIDField()
    study = serializers.UUIDField(allow_null=True)
    stage = serializers.CharField()
    since = serializers.DateTimeField(allow_null=True)


class GpuSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    memory_bytes = serializers.IntegerField()
    free_bytes = serializers.IntegerField(help_text="What nobody has taken, within half a minute.")


class WorkerSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    queues = serializers.ListField(child=serializers.CharField())
    device = serializers.CharField(help_text="Empty where it computes nothing.")
    gpus = GpuSerializer(many=True, help_text="Those that it may compute on.")
    started_at = serializers.DateTimeField()
    seen_at = serializers.DateTimeField()
    is_alive = serializers.BooleanField(help_text="Heard of within 20 seconds.")
    errands = ErrandSerializer(many=True)


class QueueSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    waiting = serializers.IntegerField(help_text="Tasks that no worker has taken yet.")


class StaffSerializer(serializers.Serializer[JSON]):
    """The workers heard of within a day, what they work on at your sites, and how long the queues are."""

    queues = QueueSerializer(many=True)
    workers = WorkerSerializer(many=True)


class WorkerList(APIView):
    actions = {"GET": Action.WORKER_READ}

    @extend_schema(
        operation_id="read_workers",
        summary="Queues with their lengths, workers with device and last sign, and what they work on",
        responses=StaffSerializer,
    )
    def get(self, request: Request) -> Response:
        return Response(_body(read_staff(actor=user_of(request))))


def _body(staff: Staff) -> JSON:
    fields = ("name", "queues", "device", "gpus", "started_at", "seen_at", "is_alive")
    rows = [
        {**{name: getattr(worker, name) for name in fields}, "errands": staff.errands_of(worker)}
        for worker in staff.workers
    ]
    queues = [{"name": name, "waiting": count} for name, count in staff.waiting.items()]
    return {"queues": QueueSerializer(queues, many=True).data, "workers": WorkerSerializer(rows, many=True).data}
