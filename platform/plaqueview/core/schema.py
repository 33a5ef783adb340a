"""The OpenAPI document: every operation says how it is refused, and how a caller is known."""

import re
from http import HTTPMethod, HTTPStatus
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.permissions import AllowAny

from plaqueview.core.problems import MEDIA_TYPE

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="Any text of at most 255 characters: a second request with the same key gets the first one's answer.",
)

LIMITS_OF_DATABASES = {limit for bits in (15, 31, 63) for limit in (2**bits - 1, -(2**bits))}
IF_MATCH = OpenApiParameter(
    "If-Match", OpenApiTypes.STR, OpenApiParameter.HEADER, description="The ETag of what this changes, or *."
)
IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match", OpenApiTypes.STR, OpenApiParameter.HEADER, description="* when nothing may be there yet."
)
# Where drf-spectacular describes webhooks, which others answer, not the house.
PATH_OF_MESSAGES = "/"
PROOF = (
    "By a session whose user has just given their password again at `/_allauth/browser/v1/auth/reauthenticate`: else "
    "403 with the code `reauthentication_needed`. A token needs none."
)
VERBS = {
    HTTPMethod.GET: "read",
    HTTPMethod.POST: "create",
    HTTPMethod.PUT: "replace",
    HTTPMethod.PATCH: "change",
    HTTPMethod.DELETE: "delete",
}
WRITING = {HTTPMethod.POST, HTTPMethod.PUT, HTTPMethod.PATCH}


class ProblemFieldSerializer(serializers.Serializer[None]):
    field = serializers.CharField()
    detail = serializers.CharField()


class ProblemSerializer(serializers.Serializer[None]):
    """Why a request was refused. Source: RFC 9457."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField(help_text="For programs; `detail` is for people.")
    detail = serializers.CharField()
    revision = serializers.IntegerField(
        required=False, allow_null=True, help_text="With 412: what is stored; null: none."
    )
    author = serializers.CharField(required=False, help_text="With 412: who wrote last.")
    modified = serializers.DateTimeField(required=False, help_text="With 412: when.")
    errors = ProblemFieldSerializer(many=True, required=False)  # type: ignore[assignment]  # the serializer's own errors


class ProblemAutoSchema(AutoSchema):
    """Names each operation, and adds the problems that the conventions bring about, so that no view repeats them."""

    def get_operation_id(self) -> str:
        """`read_studies_lesions` for GET /api/v1/studies/{id}/lesions, where the view does not say better."""
        verb = "list" if self._is_list_view() else VERBS[HTTPMethod(self.method)]
        return re.sub(r"\W+", "_", "_".join([verb, *self._tokenize_path()]))

    def get_description(self) -> str:  # type: ignore[override]  # as the library has it, against its own parent
        """What the view says, and that a session needs a proof where it does."""
        description: str = super().get_description()
        is_proven = self.method in getattr(self.view, "proven_methods", ())
        return f"{description} {PROOF}".strip() if is_proven else description

    def _insert_field_validators(self, field: Any, schema: Any) -> None:  # Any: as below
        """Leaves out the largest number that the database at hand can hold: the document is one for all of them."""
        super()._insert_field_validators(field, schema)  # type: ignore[no-untyped-call]  # untyped in the library
        if {schema.get("minimum"), schema.get("maximum")} & LIMITS_OF_DATABASES:
            for name in ("minimum", "maximum", "format"):
                schema.pop(name, None)

    def _get_response_bodies(self, direction: Any = "response") -> Any:  # Any: the generator's loose dictionaries
        bodies = super()._get_response_bodies(direction)
        if self.path == PATH_OF_MESSAGES:
            return bodies
        component = self.resolve_serializer(ProblemSerializer(), "response")
        content = {MEDIA_TYPE: {"schema": component.ref}}
        for status in self._problem_statuses():
            bodies.setdefault(str(int(status)), {"content": content, "description": status.phrase})
        return dict(sorted(bodies.items()))

    def _problem_statuses(self) -> set[HTTPStatus]:
        statuses = {HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_ACCEPTABLE, HTTPStatus.SERVICE_UNAVAILABLE}
        if not any(isinstance(permission, AllowAny) for permission in self.view.get_permissions()):
            statuses |= {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS}
        if "{" in self.path or self._is_list_view():  # a page beyond the last one is not found either
            statuses |= {HTTPStatus.NOT_FOUND}
        if self.method != HTTPMethod.GET:
            statuses |= {HTTPStatus.CONFLICT}
        if self.method in getattr(self.view, "conditional_methods", ()):
            statuses |= {HTTPStatus.PRECONDITION_FAILED, HTTPStatus.PRECONDITION_REQUIRED}
        if self.method in WRITING:
            statuses |= {
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                HTTPStatus.UNPROCESSABLE_ENTITY,
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            }
        return statuses


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # registers itself, untyped
    target_class = "plaqueview.accounts.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "A token of POST /api/v1/tokens."}


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # registers itself, untyped
    target_class = "plaqueview.accounts.authentication.SessionAuthentication"
    name = ["session", "csrf"]

    def get_security_definition(self, auto_schema: AutoSchema) -> list[dict[str, str]]:
        return [
            {
                "type": "apiKey",
                "in": "cookie",
                "name": "plaqueview_sessionid",
                "description": "Behind https its name begins with __Host-.",
            },
            {
                "type": "apiKey",
                "in": "header",
                "name": "X-CSRFToken",
                "description": "The cookie plaqueview_csrftoken, behind https __Host-plaqueview_csrftoken; "
                "needed with a session when something is written.",
            },
        ]

    def get_security_requirement(self, auto_schema: AutoSchema) -> dict[str, list[str]]:
        return {"session": [], "csrf": []}
