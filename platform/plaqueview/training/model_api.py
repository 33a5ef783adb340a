"""The gate, promotion and rollback of model versions over REST."""

from uuid import UUID

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from plaqueview.accounts.authentication import is_reauthenticated, user_of
from plaqueview.core.access import Action
from plaqueview.studies.serializers import JSON
from plaqueview.training import services
from plaqueview.training.gate import Trial
from plaqueview.training.groups import GROUP_RULE, GroupFigure, groups_of
from plaqueview.training.models import GateVerdict, Promotion, PromotionKind
from plaqueview.training.verdicts import is_current

LONGEST_COMMENT = 4000
NOT_YOURS = "Null unless every site of the snapshot is yours."


class RuleVerdictSerializer(serializers.Serializer[JSON]):
    rule = serializers.CharField()
    is_passed = serializers.BooleanField()
    found = serializers.CharField()
    needed = serializers.CharField()


class IntervalSerializer(serializers.Serializer[JSON]):
    """A mean over patients and its 95 % confidence interval, null of one patient."""

    mean = serializers.FloatField()
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)


class GroupFigureSerializer(serializers.Serializer[GroupFigure]):
    group = serializers.CharField()
    figure = serializers.CharField()
    patients = serializers.IntegerField()
    candidate = IntervalSerializer()
    champion = IntervalSerializer()


class GateVerdictSerializer(serializers.ModelSerializer[GateVerdict]):
    """A candidate against the champion of that day. It lets the candidate pass while that is still the champion."""

    candidate = serializers.UUIDField(source="candidate_id")
    champion = serializers.UUIDField(source="champion_id")
    champion_version = serializers.CharField(source="champion.version")
    snapshot = serializers.UUIDField(source="snapshot_id")
    is_current = serializers.SerializerMethodField()
    rules = RuleVerdictSerializer(many=True)
    figures = serializers.SerializerMethodField()
    groups = serializers.SerializerMethodField()
    group_rule = serializers.SerializerMethodField()

    class Meta:
        model = GateVerdict
        fields = [
            "candidate", "champion", "champion_version", "snapshot", "is_passed", "is_current", "rules", "figures",
            "groups", "group_rule", "created",
        ]  # fmt: skip
        read_only_fields = fields

    def get_is_current(self, verdict: GateVerdict) -> bool:
        return is_current(verdict)

    @extend_schema_field(
        serializers.ListField(
            child=serializers.DictField(), allow_null=True, help_text=f"By test study, of both models. {NOT_YOURS}"
        )
    )
    def get_figures(self, verdict: GateVerdict) -> list[JSON] | None:
        return verdict.figures if self.context["may_see_figures"] else None

    @extend_schema_field(GroupFigureSerializer(many=True, allow_null=True, help_text=NOT_YOURS))
    def get_groups(self, verdict: GateVerdict) -> list[JSON] | None:
        if not self.context["may_see_figures"]:
            return None
        return [group.as_json() for group in groups_of([Trial.from_json(one) for one in verdict.figures])]

    def get_group_rule(self, _: GateVerdict) -> str:
        return GROUP_RULE


class WantedPromotionSerializer(serializers.Serializer[JSON]):
    comment = serializers.CharField(max_length=LONGEST_COMMENT, help_text="Why.")
    override = serializers.BooleanField(
        default=False, help_text="Against the gate: waits until a second administrator asks for the same."
    )


class WantedRollbackSerializer(serializers.Serializer[JSON]):
    comment = serializers.CharField(max_length=LONGEST_COMMENT, allow_blank=True, default="")


class PromotionSerializer(serializers.ModelSerializer[Promotion]):
    """`done_at` is null while it waits for a second administrator."""

    model = serializers.UUIDField(source="model_id")
    replaced = serializers.UUIDField(source="replaced_id", allow_null=True)
    kind = serializers.ChoiceField(PromotionKind.values)
    by = serializers.CharField(source="by.username")
    seconded_by = serializers.CharField(source="seconded_by.username", allow_null=True, default=None)

    class Meta:
        model = Promotion
        fields = ["id", "model", "replaced", "kind", "comment", "by", "seconded_by", "created", "done_at"]
        read_only_fields = fields


class ModelGate(APIView):
    actions = {"GET": Action.MODEL_READ}

    @extend_schema(
        operation_id="read_gate_of_model",
        summary="What the gate said of the model, rule by rule",
        responses=GateVerdictSerializer,
    )
    def get(self, request: Request, model_id: UUID) -> Response:
        actor = user_of(request)
        verdict = services.read_verdict(model_id=model_id, actor=actor)
        context = {"may_see_figures": services.may_see_figures(verdict, actor)}
        return Response(GateVerdictSerializer(verdict, context=context).data)


class ModelPromote(APIView):
    actions = {"POST": Action.MODEL_MANAGE}

    @extend_schema(
        operation_id="promote_model",
        summary="Let a candidate that has passed the gate read new studies",
        description="By a session whose user has just given their password again at "
        "`/_allauth/browser/v1/auth/reauthenticate`: else 403 with the code `reauthentication_needed`. A token cannot.",
        request=WantedPromotionSerializer,
        responses=PromotionSerializer,
    )
    def post(self, request: Request, model_id: UUID) -> Response:
        wanted = WantedPromotionSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        promotion = services.promote(
            model_id=model_id,
            comment=wanted.validated_data["comment"],
            is_override=wanted.validated_data["override"],
            is_reauthenticated=is_reauthenticated(request),
            actor=user_of(request),
        )
        return Response(PromotionSerializer(promotion).data)


class ModelRollback(APIView):
    actions = {"POST": Action.MODEL_MANAGE}

    @extend_schema(
        operation_id="roll_back_model",
        summary="Let the model that this champion replaced read new studies again",
        request=WantedRollbackSerializer,
        responses=PromotionSerializer,
    )
    def post(self, request: Request, model_id: UUID) -> Response:
        wanted = WantedRollbackSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        comment = wanted.validated_data["comment"]
        promotion = services.roll_back(model_id=model_id, comment=comment, actor=user_of(request))
        return Response(PromotionSerializer(promotion).data)
