"""Has whoever asks just shown that it is them: asked before every view, after what their role may do."""

from rest_framework import permissions
from rest_framework.request import Request

from plaqueview.accounts.authentication import is_reauthenticated, user_of
from plaqueview.core.errors import ReauthenticationError


class ProofPermission(permissions.BasePermission):
    """Each view names the methods for which a session is not enough, in `proven_methods = {"GET"}`.

    What is taken out of the house or removed must not be open to whoever finds a session open at a desk. A token is not
    left open there: its secret comes with each request, and what it may do was settled when it was made, with a proof.
    """

    def has_permission(self, request: Request, view: object) -> bool:
        method = "GET" if request.method == "HEAD" else request.method
        if method not in getattr(view, "proven_methods", ()) or user_of(request).token_id is not None:
            return True
        if is_reauthenticated(request):
            return True
        raise ReauthenticationError("give your password again; only who has just done so can do this in a session")
