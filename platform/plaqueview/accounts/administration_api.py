"""The accounts of the department, for administrators."""

from datetime import datetime
from http import HTTPStatus
from typing import Any, ClassVar
from uuid import UUID

import django_filters
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet
from django.urls import reverse
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from plaqueview.accounts import administration, password_links
from plaqueview.accounts.administration import Names, Rights
from plaqueview.accounts.api import SiteSerializer
from plaqueview.accounts.authentication import is_reauthenticated, user_of
from plaqueview.accounts.models import Site, User
from plaqueview.core.access import ACTIONS_OF_ROLE, Action, Role
from plaqueview.core.errors import NotFoundError

PROOF = (
    "By a session whose user has just given their password again at `/_allauth/browser/v1/auth/reauthenticate`: else "
    "403 with the code `reauthentication_needed`. A token cannot."
)


class UserSerializer(serializers.ModelSerializer[User]):
    name = serializers.CharField(help_text="How others call the user.")
    role = serializers.ChoiceField(Role.choices)
    actions = serializers.SerializerMethodField(help_text="What the role includes.")
    sites = SiteSerializer(many=True, source="shared_sites", help_text="Those that are the caller's too.")
    has_other_sites = serializers.BooleanField(
        help_text="There are sites that the caller does not have: an administrator of all of them manages the account."
    )
    has_password = serializers.SerializerMethodField()
    password_link_until = serializers.SerializerMethodField(
        help_text="The owner may set a password by a link; null: no."
    )
    has_second_factor = serializers.BooleanField()
    has_identity = serializers.BooleanField(help_text="An OpenID identity of the hospital opens the account.")

    class Meta:
        model = User
        fields = [
            "id", "username", "first_name", "last_name", "name", "role", "actions", "sites", "has_other_sites",
            "is_active", "last_login", "date_joined", "has_password", "password_link_until", "has_second_factor",
            "has_identity",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(serializers.ListField(child=serializers.ChoiceField(Action.choices)))
    def get_actions(self, user: User) -> list[str]:
        return sorted(ACTIONS_OF_ROLE[Role(user.role)])

    def get_has_password(self, user: User) -> bool:
        return user.has_usable_password()

    def get_password_link_until(self, user: User) -> datetime | None:
        return password_links.end_of_link(user)


class NamesSerializer(serializers.Serializer[None]):
    first_name = serializers.CharField(max_length=150, allow_blank=True, required=False)
    last_name = serializers.CharField(max_length=150, allow_blank=True, required=False)


class WantedUserSerializer(NamesSerializer):
    username = serializers.CharField(max_length=150)
    role = serializers.ChoiceField(Role.choices)
    sites = serializers.ListField(child=serializers.UUIDField(), min_length=1, help_text="Among the caller's own.")


class UserChangeSerializer(NamesSerializer):
    role = serializers.ChoiceField(Role.choices, required=False)
    sites = serializers.ListField(
        child=serializers.UUIDField(), min_length=1, required=False, help_text="Among the caller's own."
    )


class PasswordLinkSerializer(serializers.Serializer[password_links.PasswordLink]):
    url = serializers.CharField(help_text="Shown this once; whoever has it can set the password.")
    expires_at = serializers.DateTimeField()


class UserFilter(django_filters.FilterSet):
    role = django_filters.MultipleChoiceFilter(choices=Role.choices)
    is_active = django_filters.BooleanFilter()
    search = django_filters.CharFilter(method="having", label="In the user name or a name.")

    class Meta:
        model = User
        fields: ClassVar[list[str]] = []

    def having(self, users: QuerySet[User], _name: str, text: str) -> QuerySet[User]:
        return users.filter(Q(username__icontains=text) | Q(first_name__icontains=text) | Q(last_name__icontains=text))


def _shown(actor: User) -> QuerySet[User]:
    """The accounts with what the list says of them, in three queries for a page."""
    own_sites = list(actor.site_ids())
    others = Site.objects.filter(users=OuterRef("pk")).exclude(pk__in=own_sites)
    shared = Prefetch("sites", Site.objects.filter(pk__in=own_sites).order_by("name"), to_attr="shared_sites")
    return (
        administration.accounts_of(actor)
        .annotate(
            has_other_sites=Exists(others),
            has_second_factor=Exists(Authenticator.objects.filter(user=OuterRef("pk"))),
            has_identity=Exists(SocialAccount.objects.filter(user=OuterRef("pk"))),
        )
        .prefetch_related(shared)
        .order_by("username")
    )


def _answer(actor: User, user_id: UUID) -> dict[str, Any]:
    user = _shown(actor).filter(pk=user_id).first()
    if user is None:
        raise NotFoundError("no such account, or none that you may see")
    return UserSerializer(user).data


class UserListView(generics.ListAPIView[User]):
    """The accounts of the caller's sites, by user name."""

    actions: ClassVar = {"GET": Action.USER_MANAGE, "POST": Action.USER_MANAGE}
    serializer_class = UserSerializer
    queryset = User.objects.none()
    filterset_class = UserFilter
    ordering_fields = ["username", "last_name", "last_login", "date_joined"]

    def get_queryset(self) -> QuerySet[User]:
        return _shown(user_of(self.request))

    @extend_schema(operation_id="list_users")
    def get(self, request: Request) -> Response:
        return self.list(request)

    @extend_schema(
        operation_id="create_user",
        summary="An account, which opens when its owner has set a password by a link",
        description=PROOF,
        request=WantedUserSerializer,
        responses={201: UserSerializer},
    )
    def post(self, request: Request) -> Response:
        wanted = WantedUserSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        asked, actor = wanted.validated_data, user_of(request)
        user = administration.add_account(
            username=asked["username"],
            names=_names_in(asked),
            role=Role(asked["role"]),
            site_ids=asked["sites"],
            is_reauthenticated=is_reauthenticated(request),
            actor=actor,
        )
        location = reverse("user", args=[user.pk])
        return Response(_answer(actor, user.pk), status=HTTPStatus.CREATED, headers={"Location": location})


class UserView(APIView):
    actions: ClassVar = {"GET": Action.USER_MANAGE, "PATCH": Action.USER_MANAGE}

    @extend_schema(operation_id="get_user", summary="One account", responses=UserSerializer)
    def get(self, request: Request, user_id: UUID) -> Response:
        return Response(_answer(user_of(request), user_id))

    @extend_schema(
        operation_id="change_user",
        summary="Another name, role or site for somebody else's account",
        description=f"Tokens that were made for another role are revoked. {PROOF}",
        request=UserChangeSerializer,
        responses=UserSerializer,
    )
    def patch(self, request: Request, user_id: UUID) -> Response:
        wanted = UserChangeSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        asked, actor = wanted.validated_data, user_of(request)
        administration.change_account(
            user_id=user_id,
            names=_names_in(asked),
            rights=Rights(Role(asked["role"]) if "role" in asked else None, asked.get("sites")),
            is_reauthenticated=is_reauthenticated(request),
            actor=actor,
        )
        return Response(_answer(actor, user_id))


def _names_in(asked: dict[str, Any]) -> Names:
    return Names(asked.get("first_name"), asked.get("last_name"))


class UserOpening(APIView):
    """Whether the owner can sign in."""

    actions: ClassVar = {"PUT": Action.USER_MANAGE, "DELETE": Action.USER_MANAGE}

    @extend_schema(
        operation_id="open_user",
        summary="Somebody else's closed account can be signed in to again",
        description=PROOF,
        request=None,
        responses=UserSerializer,
    )
    def put(self, request: Request, user_id: UUID) -> Response:
        actor = user_of(request)
        administration.open_account(user_id=user_id, is_reauthenticated=is_reauthenticated(request), actor=actor)
        return Response(_answer(actor, user_id))

    @extend_schema(
        operation_id="close_user",
        summary="Nobody can sign in to the account; its sessions, tokens and link have ended",
        description=f"What its owner read and wrote stays under their name. {PROOF}",
        responses={200: UserSerializer},
    )
    def delete(self, request: Request, user_id: UUID) -> Response:
        actor = user_of(request)
        administration.close_account(user_id=user_id, is_reauthenticated=is_reauthenticated(request), actor=actor)
        return Response(_answer(actor, user_id))


class UserPasswordLink(APIView):
    actions: ClassVar = {"POST": Action.USER_MANAGE}

    @extend_schema(
        operation_id="create_password_link",
        summary="A link by which the account's owner sets its password, once",
        description=f"A link made before opens nothing any more. {PROOF}",
        request=None,
        responses={201: PasswordLinkSerializer},
    )
    def post(self, request: Request, user_id: UUID) -> Response:
        link = administration.make_password_link(
            user_id=user_id, is_reauthenticated=is_reauthenticated(request), actor=user_of(request)
        )
        body = PasswordLinkSerializer(link).data
        return Response(body, status=HTTPStatus.CREATED, headers={"Cache-Control": "no-store"})


class UserSessions(APIView):
    actions: ClassVar = {"DELETE": Action.USER_MANAGE}

    @extend_schema(
        operation_id="end_user_sessions",
        summary="The account's owner has to sign in again",
        description=PROOF,
        responses={204: None},
    )
    def delete(self, request: Request, user_id: UUID) -> Response:
        administration.end_sessions(
            user_id=user_id, is_reauthenticated=is_reauthenticated(request), actor=user_of(request)
        )
        return Response(status=HTTPStatus.NO_CONTENT)
