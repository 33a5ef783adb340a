"""Links by which the owner of an account sets its password: each opens once, and for three days.

So whoever makes an account, or helps somebody who forgot their password, never knows the password. django-allauth
checks the key and sets the password; which link is good, and that only the newest one is, is said here.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.utils import timezone

from plaqueview.accounts.models import User

PAGE: Final = "/set-password"
LIFE: Final = timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT)


@dataclass(frozen=True)
class PasswordLink:
    """`url` exists here and with whoever is shown it now; it cannot be read again."""

    url: str
    expires_at: datetime


class LinkGenerator(PasswordResetTokenGenerator):
    """Keys that a changed password, a sign-in, a newer link and the closing of the account end."""

    def _make_hash_value(self, user: User, timestamp: int) -> str:
        return f"{super()._make_hash_value(user, timestamp)}{user.password_link_at}"

    def check_token(self, user: User | None, token: str | None) -> bool:
        is_waiting = user is not None and user.is_active and user.password_link_at is not None
        return is_waiting and super().check_token(user, token)


def make_link(user: User) -> PasswordLink:
    """The one link that is good from now on; whoever calls this keeps the user."""
    user.password_link_at = timezone.now()
    key = f"{user_pk_to_url_str(user)}-{LinkGenerator().make_token(user)}"
    # Behind the hash: browsers keep it to themselves, so no server's log, nor any proxy's, ever has it.
    return PasswordLink(f"{settings.ORIGIN}{PAGE}#{key}", user.password_link_at + LIFE)


def end_of_link(user: User) -> datetime | None:
    """Until when the user's link is good; None when there is none, it was used or is over, or they signed in since."""
    made_at = user.password_link_at
    if made_at is None or (user.last_login is not None and user.last_login >= made_at):
        return None
    return made_at + LIFE if made_at + LIFE > timezone.now() else None
