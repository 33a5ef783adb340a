"""Sites, users and the tokens that speak for them."""

import uuid
from datetime import datetime
from typing import Protocol

from django.contrib.auth.models import AbstractUser
from django.db import models

from plaqueview.core.access import ACTIONS_OF_ROLE, Action, Role
from plaqueview.core.models import Record


class Site(Record):
    """A department or hospital: who belongs to it sees its patients, and no others."""

    name = models.CharField(max_length=200, unique=True)

    def __str__(self) -> str:
        return self.name


class User(AbstractUser):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    role = models.CharField(max_length=20, choices=Role)
    sites = models.ManyToManyField(Site, related_name="users")
    password_link_at = models.DateTimeField(
        null=True, blank=True, help_text="When the link was made that waits for its use."
    )

    # Set when a token speaks for the user: which one, and to what it narrows the role; no scopes mean the whole role.
    token_id: uuid.UUID | None = None
    token_scopes: frozenset[Action] | None = None

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(role__in=Role.values), name="user_role_is_known")]

    @property
    def name(self) -> str:
        """How others call the user."""
        return self.get_full_name() or self.username

    @property
    def actions(self) -> frozenset[Action]:
        """What the user may do now: the role's actions, narrowed by the scopes of the token in use."""
        actions = ACTIONS_OF_ROLE[Role(self.role)]
        return actions if self.token_scopes is None else actions & self.token_scopes

    def site_ids(self) -> models.QuerySet["Site", uuid.UUID]:
        """The sites whose patients the user may see, as a subquery or to be iterated."""
        return self.sites.values_list("pk", flat=True)

    def colleague_ids(self) -> models.QuerySet["User", uuid.UUID]:
        """Everybody who shares a site with the user, the user included."""
        return User.objects.filter(sites__in=self.site_ids()).values_list("pk", flat=True).distinct()


class Preferences(Record):
    """How a reader likes to work; nothing clinical."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="preferences")
    keys = models.JSONField(default=dict, help_text="By command, the keys that run it.")


class TokenOwner(Protocol):
    """Who asks about tokens."""

    @property
    def pk(self) -> uuid.UUID: ...

    @property
    def actions(self) -> frozenset[Action]: ...

    def colleague_ids(self) -> models.QuerySet[User, uuid.UUID]: ...


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    def visible_to(self, actor: TokenOwner) -> "ApiTokenQuerySet":
        """The actor's own tokens; with the right to manage users also those of the integrators of the actor's sites."""
        own = models.Q(user_id=actor.pk)
        if Action.USER_MANAGE not in actor.actions:
            return self.filter(own)
        return self.filter(own | models.Q(user__role=Role.INTEGRATOR, user_id__in=actor.colleague_ids()))

    def valid(self, at: datetime | models.Expression) -> "ApiTokenQuerySet":
        """Those that speak for their users at that time."""
        return self.filter(expires_at__gt=at, revoked_at=None, user__is_active=True)


class ApiToken(Record):
    """A secret that speaks for a user; only its hash is kept."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=100)
    token_sha256 = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list, help_text="Actions; an empty list means every action of the role.")
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        ordering = ["-created"]
