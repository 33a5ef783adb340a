"""Cutting a page of ids from the rows of several sites."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from plaqueview.accounts.models import User


@dataclass(frozen=True)
class IdsOfSites:
    """The ids of rows that are in order, by the id at last, to be cut into pages.

    The order of an index is that of one site: each site's are read in it, no more of them than the page needs, and
    merged. Asked for at once, all rows would be read and sorted for each page.
    """

    rows: QuerySet[Any]  # Any: studies or patients
    site_ids: Sequence[UUID]

    def count(self) -> int:
        return self.rows.count()

    def __getitem__(self, page: slice) -> list[UUID]:
        if not page.stop:
            return []
        order = [str(term) for term in self.rows.query.order_by]
        columns = dict.fromkeys(term.removeprefix("-") for term in order)
        sites = [self.rows.filter(site=site_id).values_list(*columns)[: page.stop] for site_id in self.site_ids]
        return [row[-1] for row in sites[0].union(*sites[1:], all=True).order_by(*order)[page]]


@dataclass(frozen=True)
class CountedIds:
    """Ids to be cut into pages, of which somebody knows by a shorter way how many there are."""

    ids: Any  # what `ids_of` gives
    counted: Callable[[], int]

    def count(self) -> int:
        return self.counted()

    def __getitem__(self, page: slice) -> Any:  # Any: as above
        return self.ids[page]


def ids_of(rows: QuerySet[Any], *, user: User) -> Any:  # Any: studies or patients; what a paginator takes
    """The ids of the user's rows in their order, to be cut into pages."""
    if not connection.features.supports_slicing_ordering_in_compound:
        return rows.values_list("pk", flat=True)
    site_ids = list(user.site_ids())
    return IdsOfSites(rows, site_ids) if len(site_ids) > 1 else rows.values_list("pk", flat=True)
