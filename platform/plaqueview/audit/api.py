"""The events, for administrators."""

from typing import Any, ClassVar

import django_filters
from django.core.paginator import Paginator
from django.utils.functional import cached_property
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from plaqueview.audit import services
from plaqueview.audit.models import AuditEvent, AuditEventQuerySet, EventKind
from plaqueview.core.access import Action
from plaqueview.core.api import CappedPagination


class AuditEventSerializer(serializers.ModelSerializer[AuditEvent]):
    details = serializers.DictField(help_text="Ids, states and counts; never a patient's name or identifier.")

    class Meta:
        model = AuditEvent
        fields = [
            "sequence", "occurred_at", "kind", "actor_id", "actor_name", "object_type", "object_id", "site_id",
            "details", "previous_hash", "hash",
        ]  # fmt: skip
        read_only_fields = fields


class AuditEventFilter(django_filters.FilterSet):
    kind = django_filters.MultipleChoiceFilter(choices=EventKind.choices)
    actor = django_filters.UUIDFilter(field_name="actor_id")
    actor_name = django_filters.CharFilter()
    object_type = django_filters.CharFilter()
    object = django_filters.CharFilter(field_name="object_id")
    since = django_filters.IsoDateTimeFilter(field_name="occurred_at", lookup_expr="gte")
    until = django_filters.IsoDateTimeFilter(field_name="occurred_at", lookup_expr="lt")

    class Meta:
        model = AuditEvent
        fields: ClassVar[list[str]] = []


class _GrowingPages(Paginator):
    """Pages of events of which none ever goes: what was counted once is not counted again."""

    @cached_property
    def count(self) -> int:
        events: Any = self.object_list  # Any: the stubs know lists only
        return services.count_events(events)


class AuditPagination(CappedPagination):
    django_paginator_class = _GrowingPages


class AuditEventListView(generics.ListAPIView[AuditEvent]):
    """Who did what to which record, newest first. Append-only and hash-chained; reading it is recorded too."""

    actions: ClassVar = {"GET": Action.AUDIT_READ}
    serializer_class = AuditEventSerializer
    filterset_class = AuditEventFilter
    queryset = AuditEvent.objects.none()
    ordering_fields = ["sequence"]
    pagination_class = AuditPagination

    def get_queryset(self) -> AuditEventQuerySet:
        return AuditEvent.objects.visible_to(_reader_of(self.request))

    @extend_schema(operation_id="list_audit_events")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:  # Any: the framework's signature
        response = self.list(request)
        services.record_once(
            EventKind.AUDIT_READ, actor=_reader_of(request), object_type="audit", object_id="", site_id=None
        )
        return response


def _reader_of(request: Request) -> Any:  # Any: the accounts' User, which stands a floor above; nobody else gets here
    return request.user
