"""Sites, users and the tokens that speak for them."""

import uuid

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

    # Set when a token speaks for the user; None means the whole role.
    token_scopes: frozenset[Action] | None = None

    @property
    def actions(self) -> frozenset[Action]:
        """What the user may do now: the role's actions, narrowed by the scopes of the token in use."""
        actions = ACTIONS_OF_ROLE[Role(self.role)]
        return actions if self.token_scopes is None else actions & self.token_scopes

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(role__in=Role.values), name="user_role_is_known")]


class ApiToken(Record):
    """A secret that speaks for a user; only its hash is kept."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=100)
    token_sha256 = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list, help_text="Actions; an empty list means every action of the role.")
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
