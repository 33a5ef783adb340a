"""Fetches over REST."""

from http import HTTPStatus
from uuid import UUID

import django_filters
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
from plaqueview.inbox import services
from plaqueview.inbox.models import REMARKABLE, Fetch, FetchState
from plaqueview.studies.serializers import JSON


class RemarkSerializer(serializers.Serializer[JSON]):
    """An instance that was not simply kept, or that the node did not send."""

    sop_instance_uid = serializers.CharField()
    outcome = serializers.ChoiceField(REMARKABLE)
    reason = serializers.CharField()


class FetchSerializer(serializers.ModelSerializer[Fetch]):
    """One study of a node on its way here; the counts are those of its last attempt."""

    node = serializers.UUIDField(source="node_id")
    node_name = serializers.CharField(source="node.name")
    study = serializers.UUIDField(source="study_id", allow_null=True, help_text="Our own, once something of it came.")
    prior_of = serializers.UUIDField(source="prior_of_id", allow_null=True, help_text="Fetched as a prior of this.")
    state = serializers.ChoiceField(
        FetchState.values, help_text="failed: tried again at next_attempt_at; dead: not any more, until retried."
    )
    progress = serializers.FloatField(help_text="0 to 1.")
    answer = serializers.CharField(help_text="How it ended, as a sentence.")
    requested_by = serializers.CharField(source="requested_by.username", allow_null=True, default=None)

    class Meta:
        model = Fetch
        fields = [
            "id", "node", "node_name", "study_instance_uid", "study_date", "study_description", "study", "prior_of",
            "state", "progress", "attempts", "next_attempt_at", "answer", "expected_count", "accepted_count",
            "duplicate_count", "conflict_count", "rejected_count", "requested_by", "created", "ended_at",
        ]  # fmt: skip
        read_only_fields = fields


class FetchDetailSerializer(FetchSerializer):
    """With every instance that was not simply kept, a thousand at most."""

    remarks = RemarkSerializer(many=True)

    class Meta(FetchSerializer.Meta):
        fields = [*FetchSerializer.Meta.fields, "remarks"]
        read_only_fields = fields


class WantedFetchSerializer(serializers.Serializer[JSON]):
    node = serializers.UUIDField()
    study_instance_uid = serializers.CharField(max_length=64)


class FetchFilter(django_filters.FilterSet):
    state = django_filters.MultipleChoiceFilter(choices=FetchState.choices)
    node = django_filters.UUIDFilter(field_name="node_id")
    study = django_filters.UUIDFilter(field_name="study_id")
    prior_of = django_filters.UUIDFilter(field_name="prior_of_id")
    study_instance_uid = django_filters.CharFilter(field_name="study_instance_uid")

    class Meta:
        model = Fetch
        fields: list[str] = []


class FetchList(generics.GenericAPIView[Fetch]):
    actions = {"GET": Action.FETCH_READ, "POST": Action.FETCH_REQUEST}
    queryset = Fetch.objects.none()
    filterset_class = FetchFilter
    ordering_fields = ["created", "ended_at"]

    @extend_schema(
        operation_id="list_fetches",
        summary="What was fetched from nodes, and what is on its way, newest first",
        responses=FetchSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        found = self.filter_queryset(services.read_fetches(actor=user_of(request)))
        return self.get_paginated_response(FetchSerializer(self.paginate_queryset(found), many=True).data)

    @extend_schema(
        operation_id="request_fetch",
        summary="Fetch a study from a node",
        description="By C-GET, C-MOVE or WADO-RS. A study that is on its way already is the same fetch, and 200.",
        parameters=[IDEMPOTENCY_KEY],
        request=WantedFetchSerializer,
        responses={HTTPStatus.OK: FetchDetailSerializer, HTTPStatus.ACCEPTED: FetchDetailSerializer},
    )
    def post(self, request: Request) -> Response:
        wanted = WantedFetchSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        node_id, uid = wanted.validated_data["node"], wanted.validated_data["study_instance_uid"]
        actor = user_of(request)
        return once_per_key(
            request, lambda: _requested(services.request(node_id=node_id, study_instance_uid=uid, actor=actor))
        )


class FetchDetail(APIView):
    actions = {"GET": Action.FETCH_READ}

    @extend_schema(operation_id="read_fetch", summary="One fetch", responses=FetchDetailSerializer)
    def get(self, request: Request, fetch_id: UUID) -> Response:
        fetch = services.read_fetch(fetch_id=fetch_id, actor=user_of(request))
        return Response(FetchDetailSerializer(fetch).data)


class FetchCancel(APIView):
    actions = {"POST": Action.FETCH_REQUEST}

    @extend_schema(
        operation_id="cancel_fetch",
        summary="Stop fetching a study",
        description="What has come is kept; a fetch that is over stays as it is.",
        request=None,
        responses=FetchDetailSerializer,
    )
    def post(self, request: Request, fetch_id: UUID) -> Response:
        return Response(FetchDetailSerializer(services.cancel(fetch_id=fetch_id, actor=user_of(request))).data)


class FetchRetry(APIView):
    actions = {"POST": Action.FETCH_REQUEST}

    @extend_schema(
        operation_id="retry_fetch",
        summary="Fetch the study once more",
        parameters=[IDEMPOTENCY_KEY],
        request=None,
        responses={HTTPStatus.ACCEPTED: FetchDetailSerializer},
    )
    def post(self, request: Request, fetch_id: UUID) -> Response:
        actor = user_of(request)
        return once_per_key(request, lambda: _accepted(services.retry(fetch_id=fetch_id, actor=actor)))


def _requested(requested: services.Requested) -> Response:
    answer = _accepted(requested.fetch)
    if not requested.is_new:
        answer.status_code = HTTPStatus.OK
    return answer


def _accepted(fetch: Fetch) -> Response:
    return accepted(dict(FetchDetailSerializer(fetch).data), location=reverse("fetch-detail", args=[fetch.pk]))
