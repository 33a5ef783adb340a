"""The second factor beside the password: codes of an authenticator app (RFC 6238), passkeys, and recovery codes.

A passkey also opens a session by itself: it asks its owner for a finger, a face or a number, so it is two factors.

django-allauth keeps and checks them; here stands what the department adds: they are sealed in the database, every
change leaves an audit event, and where `PLAQUEVIEW_SECOND_FACTOR` is "required" a session without one opens nothing.
"""

from typing import Any, Final

from allauth.account.adapter import get_adapter
from allauth.mfa import signals
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.sessions.backends.base import SessionBase
from django.db import transaction
from django.http import HttpRequest

from plaqueview.accounts.models import User
from plaqueview.accounts.sign_in_methods import is_by_provider
from plaqueview.audit import services as audit
from plaqueview.audit.models import EventKind
from plaqueview.core.errors import ConflictError
from plaqueview.core.sealing import Seal

SEAL: Final = Seal(
    "plaqueview.accounts.second_factor",
    "the second factor was kept under another secret key; `remove_second_factor` takes it from the account",
)
# In the session, so that only its first request asks the database.
SEEN: Final = "second_factor_seen"


class SecondFactorAdapter(DefaultMFAAdapter):
    def encrypt(self, text: str) -> str:
        return SEAL.close(text)

    def decrypt(self, encrypted_text: str) -> str:
        return SEAL.open(encrypted_text)


def is_wanting(user: AbstractBaseUser, session: SessionBase) -> bool:
    """The department requires a second factor, and the account of this session has none yet.

    Whoever came from the hospital's own page of sign-in was asked there.
    """
    if not settings.SECOND_FACTOR_REQUIRED or session.get(SEEN) or is_by_provider(session):
        return False
    if not is_mfa_enabled(user):
        return True
    session[SEEN] = True
    return False


@transaction.atomic
def remove(user: User) -> None:
    """The account has its password alone again, for a reader whose phone and recovery codes are both lost.

    Somebody at the machine does it. Raises: ConflictError when there is no second factor to remove.
    """
    removed, _ = Authenticator.objects.filter(user=user).delete()
    if not removed:
        raise ConflictError(f"the account {user.username} has no second factor")
    audit.record(EventKind.SECOND_FACTOR_REMOVED, actor=None, object_type="user", object_id=user.pk)


def _record_added(*, user: User, authenticator: Authenticator, **_: Any) -> None:  # Any: what else the library says
    _record(EventKind.SECOND_FACTOR_ADDED, user, authenticator)


def _record_removed(*, request: HttpRequest, user: User, authenticator: Authenticator, **_: Any) -> None:
    request.session.pop(SEEN, None)
    _record(EventKind.SECOND_FACTOR_REMOVED, user, authenticator)


def _record(kind: EventKind, user: User, authenticator: Authenticator) -> None:
    details = {"type": authenticator.type}
    audit.record(kind, actor=user, object_type="user", object_id=user.pk, details=details)


def _record_failure(*, request: HttpRequest, user: User, **_: Any) -> None:
    """The password was right and the code was not: somebody may know the password."""
    details = {"address": get_adapter().get_client_ip(request), "factor": "second"}
    audit.record(EventKind.SIGN_IN_FAILED, actor=None, object_type="user", object_id=user.pk, details=details)


# The library tells of changes by signals only; whatever serves its routes imports this module as its adapter.
signals.authenticator_added.connect(_record_added)
signals.authenticator_reset.connect(_record_added)
signals.authenticator_removed.connect(_record_removed)
signals.authentication_failed.connect(_record_failure)
