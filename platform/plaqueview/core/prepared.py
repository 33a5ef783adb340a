"""Queries whose SQL is built once: building it takes several times as long as the database takes to answer."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, Generic, NamedTuple, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.models.query import get_related_populators

Row = TypeVar("Row", bound=models.Model)
Fields = TypeVar("Fields", bound=NamedTuple)


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
        self._plan: _ObjectPlan | None = None

    def rows(self, **values: object) -> list[Row]:
        """The rows for these values, each as the queryset would have given it."""
        if self._plan is None:
            self._plan = _ObjectPlan(self._build())
        return self._plan.rows(values)


class PreparedTuples(Generic[Fields]):
    """The same for rows that are only read: tuples of the fields that the class names, for a tenth of the time."""

    def __init__(self, kind: type[Fields], build: Callable[[], "models.QuerySet[Any]"]) -> None:  # Any: of any model
        self._kind, self._build = kind, build
        self._plan: _Plan | None = None

    def rows(self, **values: object) -> list[Fields]:
        if self._plan is None:
            self._plan = _Plan(self._build().values_list(*self._kind._fields))
        return [self._kind._make(row) for row in self._plan.tuples(values)]


class _Plan:
    """What Django makes of a queryset each time that it is asked."""

    def __init__(self, queryset: "models.QuerySet[Any]") -> None:  # Any: the plan of any model
        self._compiler = queryset.query.get_compiler(using=DEFAULT_DB_ALIAS)
        self._sql, self._parameters = self._compiler.as_sql()
        self._columns: Final = [column for column, _, _ in self._compiler.select]
        self._converters = list(self._compiler.get_converters(self._columns).items())

    def tuples(self, values: dict[str, object]) -> Iterable[tuple[Any, ...]]:
        """The rows for these values. What stands several times in a column is converted once, and is one object."""
        columns: list[Sequence[Any]] = list(zip(*self._fetched(values), strict=True))
        for place, (converters, column) in self._converters if columns else ():
            known = {one: self._converted(one, converters, column) for one in set(columns[place])}
            columns[place] = [known[one] for one in columns[place]]
        return zip(*columns, strict=True)

    def _fetched(self, values: dict[str, object]) -> list[tuple[Any, ...]]:
        connection = connections[DEFAULT_DB_ALIAS]
        parameters = [
            one.output_field.get_db_prep_value(values[one.name], connection) if isinstance(one, Slot) else one
            for one in self._parameters
        ]
        with connection.cursor() as cursor:
            cursor.execute(self._sql, parameters)
            fetched: list[tuple[Any, ...]] = cursor.fetchall()
            return fetched

    @staticmethod
    def _converted(value: Any, converters: Iterable[Callable[..., Any]], column: object) -> Any:
        for convert in converters:
            value = convert(value, column, connections[DEFAULT_DB_ALIAS])
        return value


class _ObjectPlan(_Plan):
    """The same, for rows that become objects of their model, each with values of its own."""

    def __init__(self, queryset: "models.QuerySet[Any]") -> None:  # Any: as above
        super().__init__(queryset)
        self._model = self._compiler.klass_info["model"]
        first, last = self._compiler.klass_info["select_fields"][0], self._compiler.klass_info["select_fields"][-1]
        self._fields = slice(first, last + 1)
        self._names = [column.target.attname for column in self._columns[self._fields]]
        joined = self._compiler.klass_info, self._compiler.select, DEFAULT_DB_ALIAS
        self._related = get_related_populators(*joined)  # type: ignore[call-arg]  # the stubs are of a later Django

    def rows(self, values: dict[str, object]) -> list[Any]:
        return [self._object_of(list(row)) for row in self._fetched(values)]

    def _object_of(self, values: list[Any]) -> models.Model:
        for place, (converters, column) in self._converters:
            values[place] = self._converted(values[place], converters, column)
        row = self._model.from_db(DEFAULT_DB_ALIAS, self._names, values[self._fields])
        for related in self._related:
            related.populate(values, row)
        return row  # type: ignore[no-any-return]  # of the model that the compiler names
