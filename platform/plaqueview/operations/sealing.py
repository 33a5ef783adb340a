"""What names patients is brought into the form that the first of the identifier keys wants, while the system serves.

Source: docs/decisions/0046-sealed-identifiers.md
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final
from uuid import UUID

from django.db import IntegrityError, connection, models, transaction
from django.db.models import Count, Q, QuerySet

from plaqueview.audit.models import EventKind
from plaqueview.audit.services import record
from plaqueview.core.errors import UnavailableError
from plaqueview.core.identifier_keys import CLEAR, ring
from plaqueview.core.sealed_fields import EMPTY, InForm, models_with_sealed_fields, sealed_fields

AT_ONCE: Final = 500
FORM: Final = "form_of_{}"

# By table, how many rows hold a value in each form; who holds values in two counts for both.
RowsByForm = Mapping[str, Counter[str]]


@dataclass
class Brought:
    """What became of a table's rows: how many from which form, and which two rows are one patient."""

    table: str
    rows: int = 0
    from_forms: Counter[str] = field(default_factory=Counter)
    unopened: Counter[str] = field(default_factory=Counter)
    doubled: list[UUID] = field(default_factory=list)


def rows_by_form() -> RowsByForm:
    return {model._meta.db_table: _forms_of(model) for model in models_with_sealed_fields()}  # noqa: SLF001  # Django's public name


class Census:
    """What is true of all rows together. They are counted once, when the first asks: that reads every one of them."""

    @cached_property
    def forms(self) -> Mapping[str, int]:
        return sum(rows_by_form().values(), Counter())

    def check_that_all_open(self) -> None:
        """Raises: UnavailableError when a row is sealed under a key that is not here."""
        unopened = {form: count for form, count in self.forms.items() if form not in _readable()}
        if unopened:
            parts = ", ".join(f"{count} rows are sealed under key {form}" for form, count in sorted(unopened.items()))
            raise UnavailableError(f"{parts}, which is not here")

    def check_that_all_are_in_form(self) -> None:
        """Raises: UnavailableError when a row is clear though there is a key, or under a later one of them."""
        waiting = {form: count for form, count in self.forms.items() if form != ring().form}
        if waiting:
            raise UnavailableError(f"{rows_text(waiting)}, and new ones are {form_text(ring().form)}")

    def tell(self) -> str:
        kept = "sealed" if ring().seals else "clear, no key is in use"
        return f"{kept}: {rows_text(self.forms) or 'there are no rows yet'}"


def rows_text(forms: Mapping[str, int]) -> str:
    """How many rows are in each form; empty where there are none."""
    return ", ".join(f"{count} rows {form_text(form)}" for form, count in sorted(forms.items()))


def form_text(form: str) -> str:
    return CLEAR if form == CLEAR else f"under key {form}"


def bring_into_form() -> Iterator[Brought]:
    """Every row is in the current form; what came of each table, after every batch.

    A batch is a transaction, and one that ended is never done again: who stops it goes on from there.
    """
    rows = 0
    for model in models_with_sealed_fields():
        brought = Brought(model._meta.db_table)  # noqa: SLF001  # Django's public name
        last: UUID | None = None
        while (last := _bring_some(model, last, brought)) is not None:
            yield brought
        rows += brought.rows
        yield brought
    if rows:
        record(
            EventKind.IDENTIFIERS_SEALED,
            actor=None,
            object_type="database",
            object_id="",
            site_id=None,
            details={"form": ring().form, "rows": rows},
        )


def forget_what_was() -> None:
    """The database keeps nothing of the values that were written over, as far as it can be told to."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("VACUUM")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        else:  # what it has learned of the commonest values goes; the files' free space is VACUUM FULL's
            tables = [_quoted(model._meta.db_table) for model in models_with_sealed_fields()]  # noqa: SLF001  # Django's public name
            cursor.execute(f"VACUUM (ANALYZE) {', '.join(tables)}")


@transaction.atomic
def _bring_some(model: type[models.Model], last: UUID | None, brought: Brought) -> UUID | None:
    """The next rows after `last` are in the current form; the id of the last of them, None when there was none."""
    waiting = _waiting(model).order_by("pk")
    after = waiting if last is None else waiting.filter(pk__gt=last)
    if issubclass(model, InForm):
        after = after.select_related(*model.form_needs) if model.form_needs else after
    rows = list(after.select_for_update(of=("self",))[:AT_ONCE])
    sealed = [one.name for one in sealed_fields(model)]
    columns = dict.fromkeys(sealed)
    for row in rows:
        _count(row, sealed, brought)
        if isinstance(row, InForm):
            columns |= dict.fromkeys(row.bring_into_form())
    _write(model, rows, list(columns), brought)
    return rows[-1].pk if rows else None


def _waiting(model: type[models.Model]) -> QuerySet[Any]:  # Any: rows of whichever table
    is_waiting = model.out_of_form() if issubclass(model, InForm) else Q()
    for one in sealed_fields(model):
        is_waiting |= ~Q(**{f"{FORM.format(one.name)}__in": [EMPTY, ring().form]})
    return _with_forms(model).filter(is_waiting)


def _with_forms(model: type[models.Model]) -> QuerySet[Any]:  # Any: rows of whichever table
    return model._base_manager.annotate(**{FORM.format(one.name): one.form() for one in sealed_fields(model)})  # noqa: SLF001  # Django's public name


def _count(row: Any, columns: list[str], brought: Brought) -> None:  # Any: a row with its forms
    forms = {getattr(row, FORM.format(column)) for column in columns} - {EMPTY, ring().form}
    unopened = forms - _readable()
    brought.unopened.update(unopened)
    brought.from_forms.update(forms - unopened or ({CLEAR} if not unopened else set()))
    brought.rows += not unopened


def _write(model: type[models.Model], rows: list[Any], columns: list[str], brought: Brought) -> None:  # Any: as above
    """What cannot be opened is written as it was. A statement a row, prepared once: `bulk_update` takes longer."""
    fields = [one for one in model._meta.concrete_fields if one.name in columns]  # noqa: SLF001  # Django's public name
    names = ", ".join(f"{_quoted(str(one.column))} = %s" for one in fields)
    statement = f"UPDATE {_quoted(model._meta.db_table)} SET {names} WHERE {_quoted('id')} = %s"  # noqa: S608, SLF001  # our own names
    values = [
        [one.get_db_prep_save(getattr(row, one.attname), connection) for one in (*fields, model._meta.pk)]  # noqa: SLF001  # Django's public name
        for row in rows
    ]
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.executemany(statement, values)
    except IntegrityError:  # two rows are one patient: while a process had other keys, it did not find the first
        if len(rows) == 1:
            brought.doubled.append(rows[0].pk)
            return
        for row in rows:
            _write(model, [row], columns, brought)


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)


def _forms_of(model: type[models.Model]) -> Counter[str]:
    names = [FORM.format(one.name) for one in sealed_fields(model)]
    counted: Counter[str] = Counter()
    for *forms, count in _with_forms(model).order_by().values_list(*names).annotate(rows=Count("pk")):
        counted.update(dict.fromkeys(set(forms) - {EMPTY}, count))
    if issubclass(model, InForm) and ring().seals:
        has_no_other = Q(*(~Q(**{name: CLEAR}) for name in names))
        counted += Counter({CLEAR: _with_forms(model).filter(has_no_other, model.out_of_form()).count()})
    return counted


def _readable() -> set[str]:
    return {CLEAR, *ring().key_ids}
