"""A lookup for many ids at once: `__in` binds a variable for each, and databases take only so many."""

import json
from typing import Any
from uuid import UUID

from django.db.models import Lookup


class Among(Lookup):
    """`pk__among=ids`: one variable, however many they are."""

    lookup_name = "among"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:  # Any: Django's own
        column, parameters = self.process_lhs(compiler, connection)
        ids: list[UUID] = list(self.rhs)
        if connection.vendor == "postgresql":
            return f"{column} = ANY(%s)", (*parameters, ids)
        listed = "IN (SELECT value FROM json_each(%s))"
        return f"{column} {listed}", (*parameters, json.dumps([one.hex for one in ids]))
