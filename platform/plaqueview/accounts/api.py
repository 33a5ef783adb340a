"""Who is signed in, and the tokens that speak for them."""

from django.conf import settings
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

import plaqueview
from plaqueview.accounts.models import Site, User
from plaqueview.core.access import Action, Role
from plaqueview.imaging.lesions import CountingRule


class SiteSerializer(serializers.ModelSerializer):
    class Meta:
        model = Site
        fields = ["id", "name"]


class MeSerializer(serializers.ModelSerializer):
    display_name = serializers.SerializerMethodField()
    role = serializers.ChoiceField(Role.choices)
    sites = SiteSerializer(many=True)
    actions = serializers.SerializerMethodField()
    feed_url = serializers.SerializerMethodField()
    version = serializers.SerializerMethodField()
    counting_rule = serializers.SerializerMethodField()

    class Meta:
        model = User
        fields = [
            "id", "username", "display_name", "role", "sites", "actions", "feed_url", "version", "counting_rule",
        ]  # fmt: skip

    def get_display_name(self, user: User) -> str:
        return user.get_full_name() or user.username

    @extend_schema(responses=None)
    def get_actions(self, user: User) -> list[str]:
        return sorted(user.actions)

    def get_feed_url(self, user: User) -> str:
        return settings.FEED_URL

    def get_version(self, user: User) -> str:
        return plaqueview.__version__

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
        return Response(MeSerializer(request.user).data)
