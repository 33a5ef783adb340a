"""The answers that are kept for who repeats a request, once something that they tell of is erased."""

from collections.abc import Collection

from plaqueview.core.models import IdempotentRequest
from plaqueview.core.stored_keys import rows_with


def forget_answers(ids: Collection[object]) -> None:
    """Answers whose location names one of these say no more than where it was; a repeated request does nothing anew."""
    names = set(map(str, ids))
    kept = IdempotentRequest.objects.exclude(location="").values_list("pk", "location")
    found = [pk for pk, location in kept.iterator() if not names.isdisjoint(location.split("/"))]
    for some in rows_with(IdempotentRequest, found):
        some.update(body=None)
