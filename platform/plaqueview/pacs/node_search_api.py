"""Searching a remote node over REST. Patients are named in the body: addresses end up in logs."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from plaqueview.accounts.authentication import user_of
from plaqueview.core.access import Action
from plaqueview.pacs import node_search
from plaqueview.pacs.node_search import Hit
from plaqueview.pacs.remote_studies import StudyQuery
from plaqueview.studies.serializers import JSON

LONGEST_TEXT = 64


class StudyQuerySerializer(serializers.Serializer[JSON]):
    """What studies have to match, all together; texts may have the wildcards * and ?."""

    patient_id = serializers.CharField(max_length=LONGEST_TEXT, required=False, allow_blank=True)
    patient_name = serializers.CharField(
        max_length=LONGEST_TEXT, required=False, allow_blank=True, help_text="Without wildcards: names that begin so."
    )
    accession_number = serializers.CharField(max_length=16, required=False, allow_blank=True)
    study_date_from = serializers.DateField(required=False, allow_null=True)
    study_date_to = serializers.DateField(required=False, allow_null=True)
    modality = serializers.CharField(max_length=16, required=False, allow_blank=True)
    study_instance_uid = serializers.CharField(max_length=LONGEST_TEXT, required=False, allow_blank=True)


class RemoteStudySerializer(serializers.Serializer[JSON]):
    """A study as the node describes it."""

    study_instance_uid = serializers.CharField()
    patient_id = serializers.CharField()
    patient_name = serializers.CharField()
    study_date = serializers.DateField(allow_null=True)
    accession_number = serializers.CharField()
    study_description = serializers.CharField()
    modalities = serializers.ListField(child=serializers.CharField())
    instance_count = serializers.IntegerField(allow_null=True, help_text="Null where the node does not tell it.")
    study = serializers.UUIDField(allow_null=True, help_text="Our own study of this UID; null: it is not here.")


class RemoteStudiesSerializer(serializers.Serializer[JSON]):
    """At most 100 studies, the newest of them first."""

    studies = RemoteStudySerializer(many=True)
    has_more = serializers.BooleanField(help_text="The node has more: narrow the search.")


class NodeSearch(APIView):
    actions = {"POST": Action.NODE_SEARCH}

    @extend_schema(
        operation_id="search_node",
        summary="Search a remote node for studies",
        description="C-FIND or QIDO-RS; at least a patient ID, name, accession number, study UID or first date.",
        request=StudyQuerySerializer,
        responses=RemoteStudiesSerializer,
    )
    def post(self, request: Request, node_id: UUID) -> Response:
        wanted = StudyQuerySerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        query = StudyQuery(**wanted.validated_data)
        found = node_search.search_node(node_id=node_id, query=query, actor=user_of(request))
        return Response({"studies": [_row(hit) for hit in found.hits], "has_more": found.has_more})


def _row(hit: Hit) -> JSON:
    return RemoteStudySerializer({**vars(hit.study), "study": hit.kept}).data
