"""What the page of sign-in offers beside name and password."""

from django.conf import settings
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView


class OpenIdSerializer(serializers.Serializer[None]):
    name = serializers.CharField(help_text="What the department calls these accounts.")
    url = serializers.CharField(help_text="Where the browser goes; `?next=` names the page to come back to.")


class SignInSerializer(serializers.Serializer[None]):
    openid = OpenIdSerializer(allow_null=True, help_text="null: the department has no OpenID provider.")


class SignInView(APIView):
    """Open to strangers, who are about to sign in."""

    authentication_classes = []
    permission_classes = [AllowAny]

    @extend_schema(operation_id="get_sign_in", responses=SignInSerializer)
    def get(self, _request: Request) -> Response:
        """How somebody can sign in."""
        openid = {"name": settings.OPENID_NAME, "url": reverse("openid")} if settings.OPENID_URL else None
        return Response({"openid": openid})
