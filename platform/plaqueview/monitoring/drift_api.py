"""How studies and their readers change over time, over REST."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from plaqueview.accounts.authentication import user_of
from plaqueview.core.access import Action
from plaqueview.imaging.drift import rule_of_drift
from plaqueview.monitoring import services
from plaqueview.monitoring.drifting import CURRENT_DAYS, REFERENCE_DAYS, Course


class MonthSerializer(serializers.Serializer[Any]):
    month = serializers.CharField(help_text="YYYY-MM.")
    studies = serializers.IntegerField()
    lower = serializers.FloatField(help_text="Lower quartile.")
    median = serializers.FloatField()
    upper = serializers.FloatField(help_text="Upper quartile.")


class CourseSerializer(serializers.Serializer[Course]):
    """One measure; `distance` and `p_value` are null where there are too few studies to say anything."""

    name = serializers.CharField()
    title = serializers.CharField()
    months = MonthSerializer(many=True)
    current_studies = serializers.IntegerField()
    reference_studies = serializers.IntegerField()
    current_median = serializers.FloatField(allow_null=True)
    reference_median = serializers.FloatField(allow_null=True)
    distance = serializers.FloatField(source="drift.distance", allow_null=True)
    p_value = serializers.FloatField(source="drift.p_value", allow_null=True)
    is_alert = serializers.BooleanField()

    def to_representation(self, course: Course) -> dict[str, Any]:  # Any: JSON
        """By hand: a year of a department's scanners is a thousand months, and the framework looks at each field."""
        drift = course.drift
        return {
            "name": course.name,
            "title": course.title,
            "months": [vars(month) for month in course.months],
            "current_studies": course.current_studies,
            "reference_studies": course.reference_studies,
            "current_median": course.current_median,
            "reference_median": course.reference_median,
            "distance": drift.distance if drift else None,
            "p_value": drift.p_value if drift else None,
            "is_alert": course.is_alert,
        }


class ScannerCourseSerializer(serializers.Serializer[Any]):
    site = serializers.CharField()
    manufacturer = serializers.CharField(help_text="Empty where the file names none.")
    model = serializers.CharField()
    studies = serializers.IntegerField()
    courses = CourseSerializer(many=True)


class MonitoringSerializer(serializers.Serializer[Any]):
    rule = serializers.CharField(help_text="When a measure is an alert.")
    scanners = ScannerCourseSerializer(many=True)


class Monitoring(APIView):
    actions = {"GET": Action.TRAINING_READ}

    @extend_schema(
        operation_id="read_monitoring",
        summary="What studies look like and how much readers change, by scanner and month, with alerts",
        responses=MonitoringSerializer,
    )
    def get(self, request: Request) -> Response:
        scanners = services.read_drift(actor=user_of(request))
        rule = rule_of_drift(current_days=CURRENT_DAYS, reference_days=REFERENCE_DAYS)
        return Response(MonitoringSerializer({"rule": rule, "scanners": scanners}).data)
