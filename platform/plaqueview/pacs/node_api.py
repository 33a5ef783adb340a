"""Remote nodes over REST. Secrets come in and never go out."""

from http import HTTPStatus
from uuid import UUID

from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from plaqueview.accounts.authentication import user_of
from plaqueview.core.access import Action
from plaqueview.pacs import nodes
from plaqueview.pacs.models import NodeKind, RemoteNode, SentDocument
from plaqueview.pacs.peer import PeerProblem
from plaqueview.studies.serializers import JSON

LONGEST_PEM = 64 * 1024
LONGEST_SECRET = 4096


class EchoSerializer(serializers.Serializer[JSON]):
    """How the peer answered when it was last asked."""

    at = serializers.DateTimeField()
    is_answered = serializers.BooleanField()
    problem = serializers.ChoiceField(PeerProblem.values, allow_null=True, help_text="For programs; null: it answered.")
    detail = serializers.CharField(help_text="A sentence for a person.")


class NodeSerializer(serializers.Serializer[JSON]):
    """A peer of a site; of its secrets only whether there are any."""

    id = serializers.UUIDField()
    site = serializers.UUIDField()
    name = serializers.CharField()
    kind = serializers.ChoiceField(NodeKind.values)
    ae_title = serializers.CharField()
    host = serializers.CharField()
    port = serializers.IntegerField(allow_null=True)
    url = serializers.CharField()
    calling_ae_title = serializers.CharField(help_text="Empty: the installation's own.")
    uses_tls = serializers.BooleanField()
    ca_certificates = serializers.CharField()
    client_certificate = serializers.CharField()
    has_client_key = serializers.BooleanField()
    username = serializers.CharField()
    has_password = serializers.BooleanField()
    has_token = serializers.BooleanField()
    documents = serializers.ListField(child=serializers.ChoiceField(SentDocument.values))
    sends_approved = serializers.BooleanField()
    sends_approved_since = serializers.DateTimeField(allow_null=True)
    prior_count = serializers.IntegerField()
    prior_years = serializers.IntegerField()
    prior_words = serializers.CharField()
    fetches_priors_since = serializers.DateTimeField(allow_null=True)
    asks_commitment = serializers.BooleanField()
    deidentifies = serializers.BooleanField()
    sender = serializers.CharField(help_text="Empty: none is named.")
    is_active = serializers.BooleanField()
    last_echo = EchoSerializer(allow_null=True)
    created = serializers.DateTimeField()
    modified = serializers.DateTimeField()


class NodeChangeSerializer(serializers.Serializer[JSON]):
    """What an administrator says of a node; `ae_title`, `host` and `port` for DIMSE, `url` for DICOMweb."""

    name = serializers.CharField(max_length=100)
    kind = serializers.ChoiceField(NodeKind.values)
    ae_title = serializers.CharField(max_length=16, required=False, allow_blank=True)
    host = serializers.CharField(max_length=253, required=False, allow_blank=True)
    port = serializers.IntegerField(min_value=1, max_value=65535, required=False, allow_null=True)
    url = serializers.CharField(max_length=500, required=False, allow_blank=True, help_text="The DICOMweb root.")
    calling_ae_title = serializers.CharField(
        max_length=16, required=False, allow_blank=True, help_text="How we call ourselves; empty: the installation's."
    )
    uses_tls = serializers.BooleanField(required=False, help_text="For DIMSE; an https address says so itself.")
    ca_certificates = serializers.CharField(
        max_length=LONGEST_PEM, required=False, allow_blank=True, help_text="PEM; empty: what the machine trusts."
    )
    client_certificate = serializers.CharField(max_length=LONGEST_PEM, required=False, allow_blank=True)
    client_key = serializers.CharField(max_length=LONGEST_PEM, required=False, allow_blank=True, write_only=True)
    username = serializers.CharField(max_length=150, required=False, allow_blank=True)
    password = serializers.CharField(
        max_length=LONGEST_SECRET, required=False, allow_blank=True, trim_whitespace=False, write_only=True
    )
    token = serializers.CharField(max_length=LONGEST_SECRET, required=False, allow_blank=True, write_only=True)
    documents = serializers.ListField(
        child=serializers.ChoiceField(SentDocument.values), required=False, help_text="What is sent to it."
    )
    sends_approved = serializers.BooleanField(
        required=False, help_text="Send each version by itself that is approved from now on."
    )
    prior_count = serializers.IntegerField(
        min_value=0, max_value=20, required=False, help_text="For each new study, fetch so many newest MR priors."
    )
    prior_years = serializers.IntegerField(
        min_value=0, max_value=99, required=False, help_text="Priors of no more than so many years; 0: of any age."
    )
    prior_words = serializers.CharField(
        max_length=300,
        required=False,
        allow_blank=True,
        help_text="Parted by commas; a prior's description has one of them, or is empty. None: any prior.",
    )
    asks_commitment = serializers.BooleanField(
        required=False, help_text="For DIMSE: a transfer is sent when the peer has committed itself to keep it."
    )
    deidentifies = serializers.BooleanField(
        required=False, help_text="Keep nothing of a patient of what the node sends here (PS3.15 Annex E)."
    )
    sender = serializers.CharField(
        max_length=150, required=False, allow_blank=True, help_text="For DICOMweb: the account by which it stores here."
    )
    is_active = serializers.BooleanField(required=False)


class NewNodeSerializer(NodeChangeSerializer):
    site = serializers.UUIDField(required=False, help_text="Needed by whoever belongs to several.")


class NodeList(generics.GenericAPIView[RemoteNode]):
    actions = {"GET": Action.NODE_READ, "POST": Action.NODE_MANAGE}
    queryset = RemoteNode.objects.none()
    filterset_fields = ["kind", "is_active"]
    ordering_fields = ["name", "created"]

    @extend_schema(operation_id="list_nodes", summary="Remote nodes, by name", responses=NodeSerializer(many=True))
    def get(self, request: Request) -> Response:
        found = self.filter_queryset(nodes.read_nodes(actor=user_of(request)))
        return self.get_paginated_response([_row(node) for node in self.paginate_queryset(found) or []])

    @extend_schema(
        operation_id="create_node",
        summary="Connect a remote node",
        request=NewNodeSerializer,
        responses={HTTPStatus.CREATED: NodeSerializer},
    )
    def post(self, request: Request) -> Response:
        wanted = NewNodeSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        values = dict(wanted.validated_data)
        site_id = str(values.pop("site", ""))
        node = nodes.create_node(setup=nodes.NodeSetup(**values), site_id=site_id, actor=user_of(request))
        location = reverse("node-detail", args=[node.pk])
        return Response(_row(node), status=HTTPStatus.CREATED, headers={"Location": location})


class NodeDetail(APIView):
    actions = {"GET": Action.NODE_READ, "PATCH": Action.NODE_MANAGE, "DELETE": Action.NODE_MANAGE}

    @extend_schema(operation_id="read_node", summary="One remote node", responses=NodeSerializer)
    def get(self, request: Request, node_id: UUID) -> Response:
        return Response(_row(nodes.read_node(node_id=node_id, actor=user_of(request))))

    @extend_schema(
        operation_id="change_node",
        summary="Change a remote node",
        description="At another address (kind, host, port or url) its secrets are forgotten, unless they are sent too.",
        request=NodeChangeSerializer(partial=True),
        responses=NodeSerializer,
    )
    def patch(self, request: Request, node_id: UUID) -> Response:
        wanted = NodeChangeSerializer(data=request.data, partial=True)
        wanted.is_valid(raise_exception=True)
        changes = dict(wanted.validated_data)
        return Response(_row(nodes.change_node(node_id=node_id, changes=changes, actor=user_of(request))))

    @extend_schema(
        operation_id="remove_node",
        summary="Remove a remote node to which nothing was sent",
        responses={HTTPStatus.NO_CONTENT: None},
    )
    def delete(self, request: Request, node_id: UUID) -> Response:
        nodes.remove_node(node_id=node_id, actor=user_of(request))
        return Response(status=HTTPStatus.NO_CONTENT)


class NodeEcho(APIView):
    actions = {"POST": Action.NODE_MANAGE}

    @extend_schema(
        operation_id="echo_node",
        summary="Ask a remote node whether it answers",
        description="C-ECHO, or a search by QIDO-RS; the answer is in `last_echo`, also when there was none.",
        request=None,
        responses=NodeSerializer,
    )
    def post(self, request: Request, node_id: UUID) -> Response:
        return Response(_row(nodes.echo_node(node_id=node_id, actor=user_of(request))))


def _row(node: RemoteNode) -> JSON:
    setup = nodes.setup_of(node)
    return {
        "id": str(node.pk),
        "site": str(node.site_id),
        **{name: getattr(setup, name) for name in sorted(nodes.KEPT_AS_THEY_ARE)},
        "has_client_key": bool(node.client_key_sealed),
        "has_password": bool(node.password_sealed),
        "has_token": bool(node.token_sealed),
        "documents": list(setup.documents),
        "sender": setup.sender,
        "sends_approved": setup.sends_approved,
        "sends_approved_since": node.sends_approved_since,
        "fetches_priors_since": node.fetches_priors_since,
        "last_echo": _echo(node),
        "created": node.created,
        "modified": node.modified,
    }


def _echo(node: RemoteNode) -> JSON | None:
    if node.echoed_at is None:
        return None
    return {
        "at": node.echoed_at,
        "is_answered": not node.echo_problem,
        "problem": node.echo_problem or None,
        "detail": node.echo_answer,
    }
