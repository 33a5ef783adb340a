"""Stored bytes whose rows go: each is named in a row of its own until it is out of its place.

So it is found again when the bucket refused, or the process was killed, between the commit and the bytes.
"""

from collections.abc import Collection
from uuid import UUID

from django.db import transaction

from plaqueview.core.aside import set_aside
from plaqueview.core.models import UnnamedBytes
from plaqueview.core.stored_keys import kept_among, rows_with


def let_go(keys: Collection[str]) -> None:
    """Bytes under these keys that no row names any more are set aside with the commit of the caller's transaction.

    What cannot be set aside then stays for `let_go_again`, and whoever committed hears nothing of it.
    """
    rows = UnnamedBytes.objects.bulk_create(UnnamedBytes(key=key) for key in set(keys))
    found = {row.pk: row.key for row in rows}
    transaction.on_commit(lambda: _set_aside(found), robust=True)


def let_go_again() -> None:
    """What was let go and is still in its place is set aside. Raises: UnavailableError when the bucket refuses."""
    _set_aside(dict(UnnamedBytes.objects.values_list("pk", "key")))


def _set_aside(keys: dict[UUID, str]) -> None:
    """The same bytes may be another site's as well, and then stay; only the rows that were seen before go."""
    set_aside(set(keys.values()) - kept_among(keys.values()))
    for some in rows_with(UnnamedBytes, keys):
        some.delete()
