"""Until when the browser's session lasts, and the word that its reader is still there."""

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from plaqueview.accounts import idleness


class ActivitySerializer(serializers.Serializer[dict[str, int | None]]):
    idle_s = serializers.IntegerField(help_text="Seconds without activity after which a session ends.")
    seconds_left = serializers.IntegerField(
        allow_null=True, help_text="Until the session ends if nothing is done; null for a token, which has none."
    )


class ActivityView(APIView):
    """A session ends when its reader was idle for too long. Only POST prolongs it; its absolute age stays."""

    permission_classes = [IsAuthenticated]

    @extend_schema(operation_id="get_activity", responses=ActivitySerializer)
    def get(self, request: Request) -> Response:
        return _answer(request.session)

    @extend_schema(operation_id="tell_activity", request=None, responses=ActivitySerializer)
    def post(self, request: Request) -> Response:
        """The reader did something."""
        has_session = idleness.is_begun(request.session)
        return _answer(idleness.tell_activity(request.session) if has_session else request.session)


def _answer(session: SessionBase) -> Response:
    left = int(idleness.seconds_left(session)) if idleness.is_begun(session) else None
    return Response(ActivitySerializer({"idle_s": settings.SESSION_IDLE_S, "seconds_left": left}).data)
