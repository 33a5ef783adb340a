"""Lesions matched between two visits, and what became brighter, over REST."""

from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from plaqueview.accounts.authentication import user_of
from plaqueview.core.access import Action
from plaqueview.imaging.brightened_spots import BRIGHTENING_SUGGESTION, SpotChange
from plaqueview.imaging.lesion_class import LesionClass
from plaqueview.imaging.longitudinal import SUGGESTION, Change, LesionChange
from plaqueview.longitudinal import services
from plaqueview.longitudinal.api import QuerySerializer, validated
from plaqueview.studies.protocol_api import ComparedProtocolSerializer, comparison_of
from plaqueview.studies.protocols import differences_between
from plaqueview.studies.serializers import JSON

PRIOR = OpenApiParameter("prior", OpenApiTypes.UUID, required=True, description="An earlier study of the patient.")
ANNOTATION = OpenApiParameter(
    "annotation", OpenApiTypes.UUID, description="A version of the study; the current one where none is named."
)


class ChangeSerializer(serializers.Serializer[JSON]):
    """What became of lesions that belong together: any number on either side, none for new and for resolved."""

    change = serializers.ChoiceField([kind.value for kind in LesionChange])
    suggests = serializers.ChoiceField(
        [LesionClass.ACTIVE.value], allow_null=True, help_text="The class for which it is evidence, for a reader."
    )
    lesions = serializers.ListField(child=serializers.IntegerField(), help_text="Numbers in the study's version.")
    prior_lesions = serializers.ListField(child=serializers.IntegerField(), help_text="Numbers in the prior's.")
    volume_ml = serializers.FloatField()
    prior_volume_ml = serializers.FloatField()
    anchor = serializers.ListField(
        child=serializers.IntegerField(),
        help_text="Slice, row, column in the study; for resolved lesions the voxel nearest to where they were.",
    )


class ChangeCountsSerializer(serializers.Serializer[JSON]):
    new = serializers.IntegerField()
    enlarging = serializers.IntegerField()
    stable = serializers.IntegerField()
    shrinking = serializers.IntegerField()
    resolved = serializers.IntegerField()


class BrightSpotSerializer(serializers.Serializer[JSON]):
    """A place that became brighter, whatever the masks say of it."""

    lesions = serializers.ListField(child=serializers.IntegerField(), help_text="Numbers in the study's version.")
    change = serializers.ChoiceField(
        [kind.value for kind in LesionChange], allow_null=True, help_text="Of its lesions, by the masks."
    )
    suggests = serializers.ChoiceField([LesionClass.ACTIVE.value], help_text="As of a change.")
    volume_ml = serializers.FloatField()
    anchor = serializers.ListField(child=serializers.IntegerField(), help_text="Slice, row, column in the study.")
    runs = serializers.ListField(
        child=serializers.ListField(child=serializers.IntegerField()),
        help_text="First voxel and length of each run of voxels, in C order of slices, rows, columns.",
    )


class BrighteningSerializer(serializers.Serializer[JSON]):
    """What became brighter between the two registered FLAIRs, found in the intensities and not in the masks."""

    rule = serializers.CharField()
    suggestion = serializers.CharField(help_text="What a spot says of a lesion's class, and what it does not.")
    note = serializers.CharField(help_text="Why nothing could be looked for; empty where it could.")
    without_growth = serializers.IntegerField(help_text="Spots where no lesion is new or enlarging by the masks.")
    spots = BrightSpotSerializer(many=True)


class ChangesSerializer(serializers.Serializer[JSON]):
    """The lesions of a study against those of a prior, with the rule by which they were compared."""

    study = serializers.UUIDField()
    prior = serializers.UUIDField()
    annotation = serializers.UUIDField()
    prior_annotation = serializers.UUIDField()
    registration = serializers.UUIDField()
    rule = serializers.CharField()
    suggestion = serializers.CharField(help_text="What a change says of a lesion's class, and what it does not.")
    protocol = ComparedProtocolSerializer(help_text="How the two FLAIRs were taken.")
    counts = ChangeCountsSerializer()
    changes = ChangeSerializer(many=True)
    brightening = BrighteningSerializer(
        allow_null=True, help_text="Null where it was not looked for: registered by an earlier release."
    )
    not_compared = serializers.ListField(
        child=serializers.IntegerField(), help_text="Lesions that lie outside the prior's field of view."
    )
    prior_not_compared = serializers.ListField(
        child=serializers.IntegerField(), help_text="Lesions of the prior that lie outside this study's field of view."
    )


class ChangesOfStudy(APIView):
    actions = {"GET": Action.ANNOTATION_READ}

    @extend_schema(
        operation_id="read_changes",
        summary="Lesions matched between a prior and a study",
        description="409 while the two studies are not registered.",
        parameters=[PRIOR, ANNOTATION],
        responses=ChangesSerializer,
    )
    def get(self, request: Request, study_id: UUID) -> Response:
        asked = validated(QuerySerializer(data=request.query_params))
        versions = {"prior_id": asked.get("prior"), "annotation_id": asked.get("annotation")}
        changes = services.read_changes(study_id=study_id, actor=user_of(request), **versions)
        return Response(_changes(changes))


def _changes(found: services.Changes) -> JSON:
    return {
        "study": str(found.annotation.study_id),
        "prior": str(found.prior_annotation.study_id),
        "annotation": str(found.annotation.pk),
        "prior_annotation": str(found.prior_annotation.pk),
        "registration": str(found.registration.pk),
        "rule": found.comparison.rule.sentence,
        "suggestion": SUGGESTION,
        "protocol": comparison_of(differences_between(found.annotation.series, found.prior_annotation.series)),
        "counts": {kind.value: count for kind, count in found.comparison.counts().items()},
        "changes": [_change(one) for one in found.comparison.changes],
        "brightening": found.brightening and _brightening(found.brightening, found),
        "not_compared": list(found.comparison.not_compared),
        "prior_not_compared": list(found.comparison.prior_not_compared),
    }


def _change(change: Change) -> JSON:
    return {
        "change": change.change.value,
        "suggests": LesionClass.ACTIVE.value if change.suggests_active else None,
        "lesions": list(change.lesions),
        "prior_lesions": list(change.prior_lesions),
        "volume_ml": change.volume_ml,
        "prior_volume_ml": change.prior_volume_ml,
        "anchor": list(change.anchor),
    }


def _brightening(kept: services.Brightening, found: services.Changes) -> JSON:
    return {
        "rule": kept.rule,
        "suggestion": BRIGHTENING_SUGGESTION,
        "note": kept.note,
        "without_growth": len(found.brightened_only),
        "spots": [_spot(one) for one in found.spots],
    }


def _spot(one: SpotChange) -> JSON:
    return {
        "lesions": list(one.lesions),
        "change": one.change and one.change.value,
        "suggests": LesionClass.ACTIVE.value,
        "volume_ml": one.spot.volume_ml,
        "anchor": list(one.spot.anchor),
        "runs": [list(run) for run in one.spot.runs],
    }
