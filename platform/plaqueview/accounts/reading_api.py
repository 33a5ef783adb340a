"""The readers of a department, and how each of them likes to work."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from plaqueview.accounts import preferences, readers
from plaqueview.accounts.authentication import user_of
from plaqueview.accounts.models import User
from plaqueview.core.access import Action


class ReaderSerializer(serializers.ModelSerializer[User]):
    name = serializers.CharField()

    class Meta:
        model = User
        fields = ["username", "name"]


class ReaderList(generics.GenericAPIView[User]):
    actions: ClassVar = {"GET": Action.STUDY_READ}
    queryset = User.objects.none()
    serializer_class = ReaderSerializer
    filter_backends = []

    @extend_schema(
        operation_id="list_readers", summary="Who may read the caller's studies", responses=ReaderSerializer(many=True)
    )
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(readers.read_readers(actor=user_of(request)))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)


class PreferencesSerializer(serializers.Serializer[None]):
    keys = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField(max_length=64), max_length=8),
        help_text="By command, the keys that run it. Commands that are not named keep theirs. At most 16 KiB.",
    )

    def to_internal_value(self, data: Any) -> Any:  # Any: the framework's own
        unknown = sorted(set(data) - set(self.fields)) if isinstance(data, dict) else []
        if unknown:
            raise serializers.ValidationError(dict.fromkeys(unknown, "this is no preference"))
        return super().to_internal_value(data)


class PreferencesView(APIView):
    """The signed-in user's own; a browser asks once, when it starts."""

    permission_classes = [IsAuthenticated]

    @extend_schema(operation_id="read_preferences", responses=PreferencesSerializer)
    def get(self, request: Request) -> Response:
        return Response({"keys": preferences.keys_of(user_of(request))})

    @extend_schema(operation_id="save_preferences", request=PreferencesSerializer, responses=PreferencesSerializer)
    def put(self, request: Request) -> Response:
        """The preferences are these and no others."""
        wanted = PreferencesSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        keys = wanted.validated_data["keys"]
        preferences.save_keys(actor=user_of(request), keys=keys)
        return Response({"keys": keys})
