"""Snapshots over REST."""

from dataclasses import asdict
from http import HTTPStatus
from uuid import UUID

from django.http import StreamingHttpResponse
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from plaqueview.accounts.authentication import user_of
from plaqueview.annotations.api import AnyAccept
from plaqueview.core.access import Action
from plaqueview.core.api import accepted, once_per_key
from plaqueview.core.schema import IDEMPOTENCY_KEY
from plaqueview.studies.serializers import JSON
from plaqueview.training import services
from plaqueview.training.models import DatasetSnapshot, LabelSource, Side, SnapshotState, SnapshotStudy
from plaqueview.training.rules import CONFIRMED_SOURCES, InclusionRules

MOST_REVIEWS = 2


class RulesSerializer(serializers.Serializer[JSON]):
    """Which approved versions are taken in; what is left out sets no limit."""

    studied_from = serializers.DateField(allow_null=True, default=None)
    studied_until = serializers.DateField(allow_null=True, default=None)
    scanners = serializers.ListField(
        child=serializers.CharField(max_length=100),
        default=list,
        help_text="Parts of the scanner's name: manufacturer, model, field strength.",
    )
    minimum_reviews = serializers.IntegerField(
        min_value=0,
        max_value=MOST_REVIEWS,
        default=0,
        help_text="People behind a version: its author and who approved it here. An import has none.",
    )
    needs_quality = serializers.BooleanField(
        default=False, help_text="Coverage, noise and ghosting of the FLAIR were measured, and none was objected to."
    )
    trusted_sources = serializers.ListField(
        child=serializers.ChoiceField(CONFIRMED_SOURCES),
        default=list(CONFIRMED_SOURCES),
        help_text="Whose word on the class of a lesion is trained on; other lesions are plaques without class.",
    )


class WantedSnapshotSerializer(serializers.Serializer[JSON]):
    sites = serializers.ListField(
        child=serializers.UUIDField(), default=list, help_text="Of yours; empty means all of them."
    )
    rules = RulesSerializer(required=False)

    def validate(self, attrs: JSON) -> JSON:
        return {"rules": RulesSerializer().run_validation({}), **attrs}


class SideCountsSerializer(serializers.Serializer[JSON]):
    patients = serializers.IntegerField()
    studies = serializers.IntegerField()
    slices = serializers.IntegerField()
    lesions = serializers.IntegerField()
    classes = serializers.DictField(child=serializers.IntegerField(), help_text="active, inactive, unknown.")
    sources = serializers.DictField(child=serializers.IntegerField(), help_text="By what the class rests on.")


class SnapshotSerializer(serializers.ModelSerializer[DatasetSnapshot]):
    """A frozen, de-identified set of approved versions. `sha256` is of its manifest, empty until it is ready."""

    state = serializers.ChoiceField(SnapshotState.values)
    rules = RulesSerializer()
    sites = serializers.SerializerMethodField()
    counts = serializers.DictField(child=SideCountsSerializer(), help_text="By side: train, validation, test.")
    requested_by = serializers.CharField(source="requested_by.username", allow_null=True, default=None)

    class Meta:
        model = DatasetSnapshot
        fields = [
            "id", "state", "reason", "sha256", "sites", "rules", "counts", "excluded_count", "requested_by", "created",
            "finished_at",
        ]  # fmt: skip
        read_only_fields = fields

    def get_sites(self, snapshot: DatasetSnapshot) -> list[str]:
        """Their names."""
        return sorted(site.name for site in snapshot.sites.all())


class SnapshotStudySerializer(serializers.ModelSerializer[SnapshotStudy]):
    """A version that was looked at, by pseudonym. `exclusion` says why it is not in, and is empty when it is."""

    side = serializers.ChoiceField(["", *Side.values])
    lesions = serializers.ListField(child=serializers.DictField())

    class Meta:
        model = SnapshotStudy
        fields = ["patient", "study", "side", "exclusion", "scanner", "slices", "image_sha256", "lesions"]
        read_only_fields = fields


class SnapshotDifferenceSerializer(serializers.Serializer[JSON]):
    """Against another snapshot, by PATIENT/STUDY pseudonym."""

    added = serializers.ListField(child=serializers.CharField())
    removed = serializers.ListField(child=serializers.CharField())
    relabelled = serializers.ListField(child=serializers.CharField(), help_text="In both, with another mask or image.")
    unchanged_count = serializers.IntegerField()


def rules_from(fields: JSON) -> InclusionRules:
    return InclusionRules(
        studied_from=fields["studied_from"],
        studied_until=fields["studied_until"],
        scanners=tuple(fields["scanners"]),
        minimum_reviews=fields["minimum_reviews"],
        needs_quality=fields["needs_quality"],
        trusted_sources=tuple(map(LabelSource, fields["trusted_sources"])),
    )


class SnapshotList(generics.GenericAPIView[DatasetSnapshot]):
    actions = {"GET": Action.TRAINING_READ, "POST": Action.TRAINING_MANAGE}
    queryset = DatasetSnapshot.objects.none()
    filterset_fields = ["state"]
    ordering_fields = ["created", "finished_at"]

    @extend_schema(
        operation_id="list_snapshots", summary="Snapshots, newest first", responses=SnapshotSerializer(many=True)
    )
    def get(self, request: Request) -> Response:
        found = self.filter_queryset(services.read_snapshots(actor=user_of(request)))
        return self.get_paginated_response(SnapshotSerializer(self.paginate_queryset(found), many=True).data)

    @extend_schema(
        operation_id="request_snapshot",
        summary="Freeze the approved versions of some sites for training",
        description="Each patient stands on one side for good: the same in every snapshot, whoever is added later.",
        parameters=[IDEMPOTENCY_KEY],
        request=WantedSnapshotSerializer,
        responses={HTTPStatus.ACCEPTED: SnapshotSerializer},
    )
    def post(self, request: Request) -> Response:
        wanted = WantedSnapshotSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        rules, site_ids = rules_from(wanted.validated_data["rules"]), wanted.validated_data["sites"]
        return once_per_key(
            request,
            lambda: _accepted(
                services.request_snapshot(rules=rules, site_ids=site_ids, actor=user_of(request)),
            ),
        )


class SnapshotDetail(APIView):
    actions = {"GET": Action.TRAINING_READ}

    @extend_schema(operation_id="read_snapshot", summary="One snapshot", responses=SnapshotSerializer)
    def get(self, request: Request, snapshot_id: UUID) -> Response:
        snapshot = services.read_snapshot(snapshot_id=snapshot_id, actor=user_of(request))
        return Response(SnapshotSerializer(snapshot).data)


class SnapshotStudies(generics.GenericAPIView[SnapshotStudy]):
    actions = {"GET": Action.TRAINING_READ}
    filter_backends = []

    @extend_schema(
        operation_id="list_studies_of_snapshot",
        summary="What the snapshot looked at: what is in, and what is not and why",
        parameters=[OpenApiParameter("excluded", OpenApiTypes.BOOL, description="Only what is left out, or is not.")],
        responses=SnapshotStudySerializer(many=True),
    )
    def get(self, request: Request, snapshot_id: UUID) -> Response:
        snapshot = services.read_snapshot(snapshot_id=snapshot_id, actor=user_of(request), part="studies")
        found = SnapshotStudy.objects.filter(snapshot=snapshot)
        if "excluded" in request.query_params:
            is_excluded = serializers.BooleanField().run_validation(request.query_params["excluded"])
            found = found.exclude(exclusion="") if is_excluded else found.filter(exclusion="")
        page = self.paginate_queryset(found)
        return self.get_paginated_response(SnapshotStudySerializer(page, many=True).data)


class SnapshotDifference(APIView):
    actions = {"GET": Action.TRAINING_READ}

    @extend_schema(
        operation_id="compare_snapshots",
        summary="What the snapshot has that another has not, and the other way round",
        parameters=[OpenApiParameter("other", OpenApiTypes.UUID, required=True, description="Another snapshot.")],
        responses=SnapshotDifferenceSerializer,
    )
    def get(self, request: Request, snapshot_id: UUID) -> Response:
        other = serializers.UUIDField().run_validation(request.query_params.get("other", ""))
        difference = services.compare_snapshots(snapshot_id=snapshot_id, other_id=other, actor=user_of(request))
        return Response(asdict(difference))


class SnapshotExport(APIView):
    actions = {"GET": Action.TRAINING_READ}
    proven_methods = {"GET"}
    content_negotiation_class = AnyAccept

    @extend_schema(
        operation_id="export_snapshot",
        summary="The snapshot as a zip: NIfTI pairs, PNG pairs (0, 127, 255), tables, manifest",
        responses={(HTTPStatus.OK, "application/zip"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, snapshot_id: UUID) -> StreamingHttpResponse:
        pieces = services.export_snapshot(snapshot_id=snapshot_id, actor=user_of(request))
        headers = {"Content-Disposition": f'attachment; filename="snapshot-{snapshot_id}.zip"'}
        return StreamingHttpResponse(pieces, content_type="application/zip", headers=headers)


def _accepted(snapshot: DatasetSnapshot) -> Response:
    return accepted(dict(SnapshotSerializer(snapshot).data), location=reverse("snapshot-detail", args=[snapshot.pk]))
