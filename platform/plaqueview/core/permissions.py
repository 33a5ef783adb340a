"""May this request do what its method does: asked once, before every view."""

from rest_framework import permissions
from rest_framework.request import Request

from plaqueview.core.access import Action


class ActionPermission(permissions.BasePermission):
    """Each view names the action that each method needs, in `actions = {"GET": Action.STUDY_READ, …}`.

    A method without an action is refused, so that a forgotten row denies instead of opening.
    """

    def has_permission(self, request: Request, view: object) -> bool:
        if not request.user.is_authenticated:
            return False
        method = "GET" if request.method in {"HEAD", "OPTIONS"} else request.method
        action: Action | None = getattr(view, "actions", {}).get(method)
        return action is not None and action in request.user.actions
