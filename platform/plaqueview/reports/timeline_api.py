"""A patient's course over REST."""

from base64 import b64encode
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
from plaqueview.annotations.models import Annotation
from plaqueview.core.access import Action
from plaqueview.enhancement.services import Uptakes
from plaqueview.imaging.claims import RESEARCH_NOTICE
from plaqueview.imaging.regions import Region
from plaqueview.longitudinal.changes_api import ChangeCountsSerializer
from plaqueview.longitudinal.services import Changes
from plaqueview.reports import timeline
from plaqueview.reports.api import REVALIDATED
from plaqueview.reports.same_slices import SameSlice, read_same_slices
from plaqueview.reports.timeline import Visit, state_of
from plaqueview.studies.protocol_api import ComparedProtocolSerializer, comparison_of
from plaqueview.studies.protocols import differences_between
from plaqueview.studies.serializers import JSON


class ClassCountsSerializer(serializers.Serializer[JSON]):
    active = serializers.IntegerField()
    inactive = serializers.IntegerField()


class ClassVolumesSerializer(serializers.Serializer[JSON]):
    active = serializers.FloatField()
    inactive = serializers.FloatField()


class ChangeVolumesSerializer(serializers.Serializer[JSON]):
    new = serializers.FloatField()
    enlarging = serializers.FloatField()
    stable = serializers.FloatField()
    shrinking = serializers.FloatField()
    resolved = serializers.FloatField()


class RegionLoadSerializer(serializers.Serializer[JSON]):
    region = serializers.ChoiceField([region.value for region in Region])
    count = serializers.IntegerField()
    volume_ml = serializers.FloatField()


class VisitChangesSerializer(serializers.Serializer[JSON]):
    """How many lesions changed since the newest earlier study that is registered to this one."""

    prior = serializers.UUIDField()
    prior_annotation = serializers.UUIDField()
    counts = ChangeCountsSerializer()
    volumes_ml = ChangeVolumesSerializer(help_text="Of the lesions of this visit.")
    prior_volumes_ml = ChangeVolumesSerializer(help_text="Of the lesions of the prior.")
    rule = serializers.CharField()
    brightened = serializers.IntegerField(
        allow_null=True, help_text="Places that became brighter without growing; null where that is not known."
    )
    brightening_rule = serializers.CharField(allow_null=True)
    protocol = ComparedProtocolSerializer(help_text="How the two FLAIRs were taken.")


class VisitUptakesSerializer(serializers.Serializer[JSON]):
    """How many lesions took up contrast agent, by the T1s of the visit: a suggestion."""

    lesions = serializers.ListField(child=serializers.IntegerField(), help_text="Numbers in the version.")
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
    regions = RegionLoadSerializer(many=True, help_text="Both classes; empty until the regions are known.")
    counting_rule = serializers.CharField(allow_null=True)
    notice = serializers.CharField(allow_null=True)
    changes = VisitChangesSerializer(allow_null=True)
    uptakes = VisitUptakesSerializer(allow_null=True, help_text="Null where that is not known.")


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


class SamePictureSerializer(serializers.Serializer[JSON]):
    study = serializers.UUIDField()
    study_date = serializers.DateField(allow_null=True)
    annotation = serializers.UUIDField()
    png = serializers.CharField(help_text="A data URL.")


class SameSliceSerializer(serializers.Serializer[JSON]):
    slice_index = serializers.IntegerField(help_text="Of the newest study, from 0; the others are cut to its plane.")
    aspect = serializers.FloatField(help_text="Width over height in mm.")
    pictures = SamePictureSerializer(many=True)


class SameSlicesSerializer(serializers.Serializer[JSON]):
    """Key slices of the newest study and the same planes of the earlier ones, the oldest first, lesions outlined."""

    patient = serializers.UUIDField()
    slices = SameSliceSerializer(many=True)
    notice = serializers.CharField()


class SameSlicesOfPatient(APIView):
    actions: ClassVar = {"GET": Action.ANNOTATION_READ}

    @extend_schema(
        operation_id="read_same_slices",
        summary="Key slices of the newest study, and the same planes of those registered to it",
        responses=SameSlicesSerializer,
    )
    def get(self, request: Request, patient_id: UUID) -> Response:
        found = read_same_slices(patient_id=patient_id, actor=user_of(request))
        return Response(
            {"patient": str(patient_id), "slices": [_same_slice(one) for one in found], "notice": RESEARCH_NOTICE}
        )


def _same_slice(one: SameSlice) -> JSON:
    return {
        "slice_index": one.slice_index,
        "aspect": one.aspect,
        "pictures": [_picture(*picture) for picture in one.pictures],
    }


def _picture(annotation: Annotation, png: bytes) -> JSON:
    day = annotation.study.study_date
    return {
        "study": str(annotation.study_id),
        "study_date": day.isoformat() if day else None,
        "annotation": str(annotation.pk),
        "png": f"data:image/png;base64,{b64encode(png).decode()}",
    }


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
        "regions": _regions(version) if version else [],
        "counting_rule": stamp and stamp.counting_rule,
        "notice": stamp and stamp.notice,
        "changes": visit.changes and _changes(visit.changes),
        "uptakes": visit.uptakes and _uptakes(visit.uptakes),
    }


def _uptakes(uptakes: Uptakes) -> JSON | None:
    if uptakes.found is None:
        return None
    return {"lesions": sorted(uptakes.lesions), "rule": uptakes.found.rule.sentence}


def _regions(version: Annotation) -> list[JSON]:
    return [
        {"region": region.value, "count": count, "volume_ml": volume_ml}
        for region, (count, volume_ml) in timeline.regions_of(version).items()
    ]


def _changes(changes: Changes) -> JSON:
    return {
        "prior": str(changes.prior_annotation.study_id),
        "prior_annotation": str(changes.prior_annotation.pk),
        "counts": {kind.value: count for kind, count in changes.comparison.counts().items()},
        "volumes_ml": {kind.value: ml for kind, ml in changes.comparison.volumes_ml().items()},
        "prior_volumes_ml": {kind.value: ml for kind, ml in changes.comparison.prior_volumes_ml().items()},
        "rule": changes.comparison.rule.sentence,
        "brightened": timeline.brightened_in(changes),
        "brightening_rule": changes.brightening and changes.brightening.rule,
        "protocol": comparison_of(differences_between(changes.annotation.series, changes.prior_annotation.series)),
    }
