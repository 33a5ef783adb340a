"""Who is signed in, and the tokens that speak for them."""

from datetime import datetime
from http import HTTPStatus
from typing import ClassVar
from uuid import UUID

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import generics, serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

import plaqueview
from plaqueview.accounts import second_factor, services
from plaqueview.accounts.authentication import user_of
from plaqueview.accounts.models import ApiToken, ApiTokenQuerySet, Site, User
from plaqueview.core.access import Action, Role
from plaqueview.core.errors import NotFoundError
from plaqueview.imaging.lesions import CountingRule


class SiteSerializer(serializers.ModelSerializer[Site]):
    class Meta:
        model = Site
        fields = ["id", "name"]


class MeSerializer(serializers.ModelSerializer[User]):
    display_name = serializers.SerializerMethodField()
    role = serializers.ChoiceField(Role.choices)
    sites = SiteSerializer(many=True)
    actions = serializers.SerializerMethodField()
    feed_url = serializers.SerializerMethodField(help_text="Where the WebSocket of live events is.")
    version = serializers.SerializerMethodField()
    time_zone = serializers.SerializerMethodField(help_text="The department's, in which schedules are due.")
    needs_second_factor = serializers.SerializerMethodField(
        help_text="The department requires a second factor, and this session's account has none: nothing else is open."
    )
    counting_rule = serializers.SerializerMethodField(help_text="What counts as one lesion, as a sentence.")

    class Meta:
        model = User
        fields = [
            "id", "username", "display_name", "role", "sites", "actions", "feed_url", "version", "time_zone",
            "counting_rule", "needs_second_factor",
        ]  # fmt: skip

    def get_display_name(self, user: User) -> str:
        return user.name

    @extend_schema_field(serializers.ListField(child=serializers.ChoiceField(Action.choices)))
    def get_actions(self, user: User) -> list[str]:
        return sorted(user.actions)

    def get_feed_url(self, user: User) -> str:
        return settings.FEED_URL

    def get_version(self, user: User) -> str:
        return plaqueview.__version__

    def get_time_zone(self, user: User) -> str:
        return settings.TIME_ZONE

    def get_needs_second_factor(self, user: User) -> bool:
        request: Request = self.context["request"]
        is_session = SESSION_KEY in request.session
        return is_session and second_factor.is_wanting(user, request.session)

    def get_counting_rule(self, user: User) -> str:
        return CountingRule(
            connectivity=settings.LESION_CONNECTIVITY, minimum_volume_mm3=settings.MINIMUM_LESION_VOLUME_MM3
        ).sentence


@method_decorator([ensure_csrf_cookie, never_cache], name="dispatch")
class MeView(APIView):
    """The user, what they may do, and what their browser needs to know; sets the CSRF cookie, also with a 401."""

    permission_classes = [IsAuthenticated]

    @extend_schema(operation_id="me", responses=MeSerializer)
    def get(self, request: Request) -> Response:
        return Response(MeSerializer(user_of(request), context={"request": request}).data)


class TokenSerializer(serializers.ModelSerializer[ApiToken]):
    username = serializers.CharField(source="user.username")
    scopes = serializers.ListField(child=serializers.ChoiceField(Action.choices))

    class Meta:
        model = ApiToken
        fields = ["id", "user", "username", "name", "scopes", "created", "expires_at", "last_used_at", "revoked_at"]
        read_only_fields = fields


class NewTokenSerializer(TokenSerializer):
    secret = serializers.CharField(help_text="Shown this once.")

    class Meta(TokenSerializer.Meta):
        fields = [*TokenSerializer.Meta.fields, "secret"]
        read_only_fields = fields


class WantedTokenSerializer(serializers.Serializer[None]):
    name = serializers.CharField(max_length=100)
    scopes = serializers.ListField(
        child=serializers.ChoiceField(Action.choices), default=list, help_text="Empty: every action of the role."
    )
    expires_at = serializers.DateTimeField(help_text="At most 366 days ahead.")
    user = serializers.UUIDField(required=False, help_text="An integrator; you, when left out.")


class TokenListView(generics.ListAPIView[ApiToken]):
    """Tokens for scripts: your own, and for administrators those of their integrators."""

    actions: ClassVar = {"GET": Action.TOKEN_MANAGE, "POST": Action.TOKEN_MANAGE}
    proven_methods: ClassVar = {"POST"}
    serializer_class = TokenSerializer
    queryset = ApiToken.objects.none()
    ordering_fields = ["created", "expires_at", "last_used_at"]

    def get_queryset(self) -> ApiTokenQuerySet:
        return ApiToken.objects.visible_to(user_of(self.request)).select_related("user")

    @extend_schema(operation_id="list_tokens")
    def get(self, request: Request) -> Response:
        return self.list(request)

    @extend_schema(operation_id="create_token", request=WantedTokenSerializer, responses={201: NewTokenSerializer})
    def post(self, request: Request) -> Response:
        """A new token; its secret is in this answer and nowhere else."""
        asked = WantedTokenSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        expires_at: datetime = asked.validated_data["expires_at"]
        new = services.create_token(
            user=_user_of_request(user_of(request), asked.validated_data.get("user")),
            name=asked.validated_data["name"],
            scopes=[Action(scope) for scope in asked.validated_data["scopes"]],
            expires_at=expires_at,
            actor=user_of(request),
        )
        body = {**TokenSerializer(new.token).data, "secret": new.secret}
        location = reverse("token", args=[new.token.pk])
        return Response(body, status=HTTPStatus.CREATED, headers={"Location": location, "Cache-Control": "no-store"})


def _user_of_request(actor: User, user_id: UUID | None) -> User:
    """Raises: NotFoundError when the actor shares no site with the user."""
    if user_id is None or user_id == actor.pk:
        return actor
    user = User.objects.filter(pk__in=actor.colleague_ids()).filter(pk=user_id).first()
    if user is None:
        raise NotFoundError("no such user, or none that you may see")
    return user


class TokenView(generics.RetrieveAPIView[ApiToken]):
    """One token, without its secret."""

    actions: ClassVar = {"GET": Action.TOKEN_MANAGE, "DELETE": Action.TOKEN_MANAGE}
    serializer_class = TokenSerializer
    queryset = ApiToken.objects.none()

    def get_queryset(self) -> ApiTokenQuerySet:
        return ApiToken.objects.visible_to(user_of(self.request)).select_related("user")

    @extend_schema(operation_id="get_token")
    def get(self, request: Request, pk: UUID) -> Response:
        return self.retrieve(request, pk=pk)

    @extend_schema(operation_id="revoke_token", responses={204: None})
    def delete(self, request: Request, pk: UUID) -> Response:
        """The token speaks for nobody any more."""
        services.revoke_token(token_id=pk, actor=user_of(request))
        return Response(status=HTTPStatus.NO_CONTENT)
