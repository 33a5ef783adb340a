"""When it is worth a look among all versions of a department for those that nothing was done about yet."""

from collections.abc import Callable, Collection
from typing import Final

from plaqueview.audit.following import happened_since, last_sequence
from plaqueview.audit.models import EventKind
from plaqueview.core.remembering import recalled, remember

IN_VAIN_FOR_S: Final = 3600


def look(find: Callable[[], int], *, kinds: Collection[EventKind]) -> None:
    """`find` does some of what is due and says of how many. Where that was none, it is asked again once an event of
    these kinds has been recorded, or after an hour. Without the cache it is asked every time.
    """
    key = f"monitoring:in_vain:{find.__name__}"
    reached = last_sequence()
    if _is_in_vain(key, reached, kinds):
        return
    if find() == 0:
        remember(key, reached, for_s=IN_VAIN_FOR_S)


def _is_in_vain(key: str, reached: int, kinds: Collection[EventKind]) -> bool:
    """Not so where the last look was further along the chain than it reaches: the tables are those of a backup."""
    last = recalled(key)
    return last is not None and last <= reached and not happened_since(last, kinds)
