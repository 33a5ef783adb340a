"""Rows by many ids at once."""

import json
from collections.abc import Sequence
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Lookup, Model, QuerySet

Row = TypeVar("Row", bound=Model)


class Among(Lookup):
    """`pk__among=ids`: one variable; `__in` binds one for each id, and databases take only so many."""

    lookup_name = "among"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:  # Any: Django's own
        column, parameters = self.process_lhs(compiler, connection)
        ids: list[UUID] = list(self.rhs)
        if connection.vendor == "postgresql":
            return f"{column} = ANY(%s)", (*parameters, ids)
        listed = "IN (SELECT value FROM json_each(%s))"
        return f"{column} {listed}", (*parameters, json.dumps([one.hex for one in ids]))


def rows_in_order(rows: QuerySet[Row], ids: Sequence[UUID]) -> list[Row]:
    """Of the rows those with these ids, in this order; one that has gone since is left out."""
    found = rows.in_bulk(ids)
    return [found[one] for one in ids if one in found]
