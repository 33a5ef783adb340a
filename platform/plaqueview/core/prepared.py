"""Queries whose SQL is built once: building it takes several times as long as the database takes to answer."""

from collections.abc import Callable, Iterable
from typing import Any, Final, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.models.query import get_related_populators

Row = TypeVar("Row", bound=models.Model)


class Slot(models.Expression):
    """Where a value of each call stands; the field says in which form the database has it."""

    def __init__(self, name: str, field: "models.Field[Any, Any]") -> None:  # Any: whatever the field takes and gives
        super().__init__(output_field=field)
        self.name = name

    def as_sql(self, _compiler: object, _connection: object) -> tuple[str, tuple[Any]]:  # Any: it stands for its value
        return "%s", (self,)


class Prepared(Generic[Row]):
    """A queryset with slots, which `rows` fills in. Its rules stay those of the queryset that it was built of."""

    def __init__(self, build: Callable[[], "models.QuerySet[Row]"]) -> None:
        self._build = build
        self._plan: _Plan | None = None

    def rows(self, **values: object) -> list[Row]:
        """The rows for these values, each as the queryset would have given it."""
        if self._plan is None:
            self._plan = _Plan(self._build())
        return self._plan.rows(values)


class _Plan:
    """What Django makes of a queryset each time that it is asked."""

    def __init__(self, queryset: "models.QuerySet[Any]") -> None:  # Any: the plan of any model
        compiler = queryset.query.get_compiler(using=DEFAULT_DB_ALIAS)
        self._sql, self._parameters = compiler.as_sql()
        columns: Final = [column for column, _, _ in compiler.select]
        self._converters = list(compiler.get_converters(columns).items())
        self._model = compiler.klass_info["model"]
        first, last = compiler.klass_info["select_fields"][0], compiler.klass_info["select_fields"][-1]
        self._fields = slice(first, last + 1)
        self._names = [column.target.attname for column in columns[self._fields]]
        joined = compiler.klass_info, compiler.select, DEFAULT_DB_ALIAS
        self._related = get_related_populators(*joined)  # type: ignore[call-arg]  # the stubs are of a later Django

    def rows(self, values: dict[str, object]) -> list[Any]:
        connection = connections[DEFAULT_DB_ALIAS]
        parameters = [
            one.output_field.get_db_prep_value(values[one.name], connection) if isinstance(one, Slot) else one
            for one in self._parameters
        ]
        with connection.cursor() as cursor:
            cursor.execute(self._sql, parameters)
            return [self._object_of(self._converted(row, connection)) for row in cursor.fetchall()]

    def _converted(self, row: Iterable[Any], connection: object) -> list[Any]:
        values = list(row)
        for place, (converters, column) in self._converters:
            for convert in converters:
                values[place] = convert(values[place], column, connection)
        return values

    def _object_of(self, values: list[Any]) -> models.Model:
        row = self._model.from_db(DEFAULT_DB_ALIAS, self._names, values[self._fields])
        for related in self._related:
            related.populate(values, row)
        return row  # type: ignore[no-any-return]  # of the model that the compiler names
