"""The protocol of a study over REST."""

from typing import ClassVar
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from plaqueview.accounts.authentication import user_of
from plaqueview.core.access import Action
from plaqueview.imaging.protocol import NOT_COMPARABLE, SAME_RULE, TITLES, Check, Difference, Finding, Verdict
from plaqueview.studies.protocols import StudyProtocol, differing, read_protocol
from plaqueview.studies.serializers import JSON, PriorSerializer

PRIOR = OpenApiParameter(
    "prior", OpenApiTypes.UUID, description="An earlier study of the patient; the newest with a FLAIR by default."
)


class ProtocolQuerySerializer(serializers.Serializer[JSON]):
    prior = serializers.UUIDField(required=False)


class ProtocolFindingSerializer(serializers.Serializer[JSON]):
    check = serializers.ChoiceField([check.value for check in Check])
    title = serializers.CharField()
    found = serializers.CharField(help_text="Empty where the header does not say it.")
    recommended = serializers.CharField()
    recommended_by = serializers.CharField()
    verdict = serializers.ChoiceField([verdict.value for verdict in Verdict])


class ProtocolDifferenceSerializer(serializers.Serializer[JSON]):
    check = serializers.ChoiceField([check.value for check in Check])
    title = serializers.CharField()
    found = serializers.CharField(help_text="Empty where the header does not say it.")
    prior = serializers.CharField(help_text="The same at the prior.")
    verdict = serializers.ChoiceField([verdict.value for verdict in Verdict])


class ComparedProtocolSerializer(serializers.Serializer[JSON]):
    """Two protocols, part by part; `caution` is empty while none is known to differ."""

    differences = ProtocolDifferenceSerializer(many=True)
    rule = serializers.CharField()
    caution = serializers.CharField()


class ProtocolSerializer(serializers.Serializer[JSON]):
    study = serializers.UUIDField()
    findings = ProtocolFindingSerializer(many=True)
    prior = PriorSerializer(allow_null=True)
    comparison = ComparedProtocolSerializer(allow_null=True)


class ProtocolOfStudy(APIView):
    actions: ClassVar = {"GET": Action.STUDY_READ}

    @extend_schema(
        operation_id="read_protocol",
        summary="How the FLAIR was taken, against what is recommended and against a prior",
        parameters=[PRIOR],
        responses=ProtocolSerializer,
    )
    def get(self, request: Request, study_id: UUID) -> Response:
        asked = ProtocolQuerySerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        prior_id = asked.validated_data.get("prior")
        return Response(_protocol(read_protocol(study_id=study_id, prior_id=prior_id, actor=user_of(request))))


def _protocol(found: StudyProtocol) -> JSON:
    return {
        "study": str(found.study.pk),
        "findings": [_finding(one) for one in found.findings],
        "prior": found.prior and PriorSerializer(found.prior).data,
        "comparison": comparison_of(found.differences),
    }


def _finding(one: Finding) -> JSON:
    said = {"recommended": one.recommended, "recommended_by": one.source}
    return {**_named(one.check), "found": one.found, **said, "verdict": one.verdict.value}


def comparison_of(differences: tuple[Difference, ...]) -> JSON | None:
    """Nothing where there is no prior to compare with."""
    if not differences:
        return None
    return {
        "differences": [_difference(one) for one in differences],
        "rule": SAME_RULE,
        "caution": NOT_COMPARABLE if differing(differences) else "",
    }


def _difference(one: Difference) -> JSON:
    return {**_named(one.check), "found": one.found, "prior": one.prior, "verdict": one.verdict.value}


def _named(check: Check) -> dict[str, str]:
    return {"check": check.value, "title": TITLES[check]}
