"""A patient's course over REST."""

from http import HTTPStatus
from typing import ClassVar
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from plaqueview.accounts.authentication import user_of
from plaqueview.annotations.api import AnyAccept
from plaqueview.core.access import Action
from plaqueview.longitudinal.api import ChangeCountsSerializer
from plaqueview.longitudinal.services import Changes
from plaqueview.reports import timeline
from plaqueview.reports.api import REVALIDATED
from plaqueview.reports.timeline import Visit, state_of
from plaqueview.studies.serializers import JSON


class ClassCountsSerializer(serializers.Serializer[JSON]):
    active = serializers.IntegerField()
    inactive = serializers.IntegerField()


class ClassVolumesSerializer(serializers.Serializer[JSON]):
    active = serializers.FloatField()
    inactive = serializers.FloatField()


class VisitChangesSerializer(serializers.Serializer[JSON]):
    """How many lesions changed since the newest earlier study that is registered to this one."""

    prior = serializers.UUIDField()
    prior_annotation = serializers.UUIDField()
    counts = ChangeCountsSerializer()
    rule = serializers.CharField()


class VisitSerializer(serializers.Serializer[JSON]):
    """A study with its current version; everything of the version is null until something has read the study."""

    study = serializers.UUIDField()
    study_date = serializers.DateField(allow_null=True)
    annotation = serializers.UUIDField(allow_null=True)
    version = serializers.IntegerField(allow_null=True)
    state = serializers.ChoiceField(["draft", "approved"], allow_null=True)
    lesion_counts = ClassCountsSerializer(allow_null=True)
    lesion_volumes_ml = ClassVolumesSerializer(allow_null=True)
    counting_rule = serializers.CharField(allow_null=True)
    notice = serializers.CharField(allow_null=True)
    changes = VisitChangesSerializer(allow_null=True)


class TimelineSerializer(serializers.Serializer[JSON]):
    """A patient's visits, the oldest first."""

    patient = serializers.UUIDField()
    visits = VisitSerializer(many=True)


class TimelineOfPatient(APIView):
    actions: ClassVar = {"GET": Action.ANNOTATION_READ}

    @extend_schema(
        operation_id="read_timeline",
        summary="What was counted in each study of a patient, and what changed",
        responses=TimelineSerializer,
    )
    def get(self, request: Request, patient_id: UUID) -> Response:
        found = timeline.read_timeline(patient_id=patient_id, actor=user_of(request))
        return Response({"patient": str(found.patient.pk), "visits": [_visit(one) for one in found.visits]})


class TimelineCsvOfPatient(APIView):
    actions: ClassVar = {"GET": Action.ANNOTATION_READ}
    content_negotiation_class = AnyAccept

    @extend_schema(
        operation_id="read_timeline_csv",
        summary="The same as CSV, one row a visit",
        responses={(HTTPStatus.OK, "text/csv"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, patient_id: UUID) -> HttpResponse:
        content = timeline.read_timeline_csv(patient_id=patient_id, actor=user_of(request))
        name = f"timeline-{patient_id}.csv"
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": REVALIDATED}
        return HttpResponse(content, content_type="text/csv; charset=utf-8", headers=headers)


def _visit(visit: Visit) -> JSON:
    version, stamp = visit.annotation, visit.stamp
    return {
        "study": str(visit.study.pk),
        "study_date": visit.study.study_date and visit.study.study_date.isoformat(),
        "annotation": version and str(version.pk),
        "version": version and version.version,
        "state": stamp and state_of(stamp),
        "lesion_counts": version and {kind.value: count for kind, count in version.counts.items()},
        "lesion_volumes_ml": version and {kind.value: ml for kind, ml in version.volumes_ml.items()},
        "counting_rule": stamp and stamp.counting_rule,
        "notice": stamp and stamp.notice,
        "changes": visit.changes and _changes(visit.changes),
    }


def _changes(changes: Changes) -> JSON:
    return {
        "prior": str(changes.prior_annotation.study_id),
        "prior_annotation": str(changes.prior_annotation.pk),
        "counts": {kind.value: count for kind, count in changes.comparison.counts().items()},
        "rule": changes.comparison.rule.sentence,
    }
