"""Small views that answer in every way that the conventions know."""

from typing import ClassVar

from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.http import Http404
from rest_framework import exceptions, parsers, renderers, serializers
from rest_framework.permissions import AllowAny
from rest_framework.response import Response
from rest_framework.views import APIView

from plaqueview.core import errors
from plaqueview.core.access import Action
from plaqueview.core.api import accepted, once_per_key
from plaqueview.core.models import IdempotentRequest

ERRORS = {
    "not_found": errors.NotFoundError("no study 7"),
    "denied": errors.DeniedError("this needs the action audit.read"),
    "invalid": errors.InvalidError("two fields are wrong", fields={"a": "is 1, need 2", "b": "is missing"}),
    "conflict": errors.ConflictError("job 7 is running, need a failed one"),
    "precondition_failed": errors.PreconditionError("version 3 is current, you saw 2"),
    "too_large": errors.TooLargeError("9 files, at most 8"),
    "unavailable": errors.UnavailableError("the disk is full"),
    "http404": Http404("secret detail"),
    "permission": PermissionDenied(),
    "database": OperationalError("secret detail"),
    "throttled": exceptions.Throttled(wait=7),
    "nested": exceptions.ValidationError({"a": ["one", "two"], "b": {"c": ["three"]}}),
    "list": exceptions.ValidationError(["one", "two"]),
    "crash": ZeroDivisionError("secret detail"),
}


class Octets(renderers.BaseRenderer):
    media_type = "application/octet-stream"
    format = "octets"

    def render(self, data, accepted_media_type=None, renderer_context=None):
        return bytes(data)


class RaisingView(APIView):
    permission_classes = [AllowAny]
    authentication_classes: ClassVar[list] = []

    def get(self, request, name):
        raise ERRORS[name]


class OctetsView(RaisingView):
    renderer_classes = [Octets]


class GuardedView(APIView):
    actions: ClassVar = {"GET": Action.AUDIT_READ}

    def get(self, request):
        return Response({})

    def delete(self, request):
        return Response({})


class WorkView(APIView):
    """Does its work once per key; `done` counts, `before` runs within it."""

    actions: ClassVar = {"POST": Action.STUDY_UPLOAD}
    done: ClassVar[list] = []

    class Body(serializers.Serializer):
        number = serializers.IntegerField(default=1)

    @staticmethod
    def before() -> None:
        """Replaced by a test that needs to be inside of the work."""

    def post(self, request):
        def work():
            self.before()
            body = WorkView.Body(data=request.data)
            body.is_valid(raise_exception=True)
            self.done.append(body.validated_data["number"])
            entries = IdempotentRequest.objects.count()
            return accepted({"number": body.validated_data["number"], "entries": entries}, location="/api/v1/jobs/7")

        return once_per_key(request, work)


class UploadWorkView(WorkView):
    """The same with files."""

    parser_classes = [parsers.MultiPartParser]
