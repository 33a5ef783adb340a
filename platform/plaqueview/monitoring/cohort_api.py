"""The department's approved studies in numbers, over REST."""

from http import HTTPStatus
from typing import Any

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
from plaqueview.monitoring import services
from plaqueview.monitoring.cohort import CohortQuery


class CohortQuerySerializer(serializers.Serializer[Any]):
    site = serializers.UUIDField(required=False)
    manufacturer = serializers.CharField(required=False, allow_blank=True)
    scanner_model = serializers.CharField(required=False, allow_blank=True)
    since = serializers.DateField(required=False, help_text="Study date, this day included.")
    until = serializers.DateField(required=False, help_text="Study date, this day included.")


class BinSerializer(serializers.Serializer[Any]):
    lower = serializers.FloatField()
    upper = serializers.FloatField()
    studies = serializers.IntegerField()


class SpreadSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    title = serializers.CharField()
    studies = serializers.IntegerField(help_text="Regions are not known of every study.")
    lower = serializers.FloatField(help_text="Lower quartile.")
    median = serializers.FloatField()
    upper = serializers.FloatField(help_text="Upper quartile.")
    bins = BinSerializer(many=True)


class CohortPartSerializer(serializers.Serializer[Any]):
    site = serializers.CharField()
    manufacturer = serializers.CharField(help_text="Empty where the file names none.")
    scanner_model = serializers.CharField()
    studies = serializers.IntegerField()
    patients = serializers.IntegerField()
    spreads = SpreadSerializer(many=True)


class CohortSerializer(serializers.Serializer[Any]):
    as_of = serializers.DateTimeField(
        help_text="When this was counted. What takes long to count is counted again after five minutes at most."
    )
    studies = serializers.IntegerField()
    patients = serializers.IntegerField()
    imported = serializers.IntegerField(
        help_text="Studies that came with their labels: what their classes rest on is not known, if they name any."
    )
    active_count = serializers.IntegerField()
    unconfirmed_active_count = serializers.IntegerField(
        help_text="Of the active lesions, those that no reader has confirmed with evidence: AI-predicted, FLAIR only, "
        "or said by a reader."
    )
    rules = serializers.ListField(
        child=serializers.CharField(), help_text="How lesions were counted; numbers by different rules do not compare."
    )
    spreads = SpreadSerializer(many=True)
    parts = CohortPartSerializer(many=True)


class CohortView(APIView):
    actions = {"GET": Action.STUDY_DEIDENTIFY}

    @extend_schema(
        operation_id="read_cohort",
        summary="The studies whose newest version is approved, in numbers, by site and by scanner",
        parameters=[CohortQuerySerializer],
        responses=CohortSerializer,
    )
    def get(self, request: Request) -> Response:
        cohort = services.read_cohort(query=_query_of(request), actor=user_of(request))
        return Response(CohortSerializer(cohort).data)


class CohortCsv(APIView):
    actions = {"GET": Action.STUDY_DEIDENTIFY}
    proven_methods = {"GET"}
    content_negotiation_class = AnyAccept

    @extend_schema(
        operation_id="export_cohort",
        summary="The same studies as CSV, a line each, with pseudonyms for patients and years for dates",
        parameters=[CohortQuerySerializer],
        responses={(HTTPStatus.OK, "text/csv"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request) -> HttpResponse:
        content = services.export_cohort(query=_query_of(request), actor=user_of(request))
        headers = {"Content-Disposition": 'attachment; filename="cohort.csv"'}
        return HttpResponse(content, content_type="text/csv; charset=utf-8", headers=headers)


def _query_of(request: Request) -> CohortQuery:
    asked = CohortQuerySerializer(data=request.query_params)
    asked.is_valid(raise_exception=True)
    return CohortQuery(**asked.validated_data)
