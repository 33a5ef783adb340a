"""How each user likes to work."""

import json
from collections.abc import Mapping, Sequence

from django.db import transaction

from plaqueview.accounts.models import Preferences, User
from plaqueview.core.errors import DeniedError, TooLargeError

Keys = Mapping[str, Sequence[str]]

MAX_BYTES = 16 * 1024


def keys_of(user: User) -> Keys:
    """By command, the keys that run it, where the user chose other ones."""
    preferences = Preferences.objects.filter(user=user).first()
    return preferences.keys if preferences else {}


@transaction.atomic
def save_keys(*, actor: User, keys: Keys) -> None:
    """The user's keys are these and no others.

    A token that was narrowed to some actions moves no keys: they lead a reader's hand to all of them.

    Raises: DeniedError; TooLargeError beyond 16 KiB of JSON.
    """
    if actor.token_scopes is not None:
        raise DeniedError("a token with scopes cannot change the user's preferences; sign in")
    size_bytes = len(json.dumps(keys).encode())
    if size_bytes > MAX_BYTES:
        raise TooLargeError(f"the keys take {size_bytes} bytes, at most {MAX_BYTES} are kept")
    Preferences.objects.update_or_create(user=actor, defaults={"keys": keys})
