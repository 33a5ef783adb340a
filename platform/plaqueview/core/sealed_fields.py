"""Columns whose values are sealed where the installation has a key for identifiers, and are what they were without one.

For migrations they are the plain columns that they are in the database.
"""

import json
from collections.abc import Sequence
from datetime import date
from typing import Any, ClassVar, Final

from django.apps import apps
from django.core.exceptions import FieldError
from django.db import models
from django.db.models import Case, Expression, F, Q, TextField, Value, When
from django.db.models.functions import Cast, Substr
from django.db.models.lookups import Exact, IsNull, Lookup

from plaqueview.core.identifier_keys import CLEAR, KEY_ID_LETTERS, MARK, UnopenedText, ring

EMPTY: Final = ""


class _Sealed(models.Field):  # type: ignore[type-arg]  # joined with the field that it seals
    """What all of them share: what the database holds of them, and that it cannot be searched by the database."""

    # How a sealed value begins as text of the database, and which values hold nothing that could be sealed.
    begins = MARK
    empties: tuple[str, ...] = (EMPTY,)

    @property
    def purpose(self) -> str:
        return f"{self.model._meta.db_table}.{self.column}"  # noqa: SLF001  # Django's public name

    def deconstruct(self) -> Any:  # Any: Django's own
        name, _path, args, kwargs = super().deconstruct()
        plain = next(one for one in type(self).__mro__ if one.__module__.startswith("django.db.models"))
        return name, f"django.db.models.{plain.__name__}", args, kwargs

    def get_lookup(self, lookup_name: str) -> "type[Lookup[Any]] | None":
        """Raises: FieldError for a question that the database cannot answer about what is sealed."""
        found = super().get_lookup(lookup_name)
        if not ring().is_used or found is IsNull:
            return found
        return self.lookup_when_sealed(lookup_name)

    def lookup_when_sealed(self, lookup_name: str) -> "type[Lookup[Any]]":
        raise FieldError(f"{self.purpose} is sealed: the database cannot look it up by {lookup_name}")

    def form(self) -> Expression:
        """In which form the value is kept: a key's id, `clear`, or empty where there is nothing to seal."""
        kept = Cast(F(self.name), TextField())
        start = Substr(kept, 1, len(self.begins), output_field=TextField())
        return Case(
            When(Q(**{f"{self.name}__isnull": True}), then=Value(EMPTY)),
            When(Exact(start, Value(self.begins)), then=Substr(kept, len(self.begins) + 1, KEY_ID_LETTERS)),
            *(When(Exact(kept, Value(empty)), then=Value(EMPTY)) for empty in self.empties),
            default=Value(CLEAR),
            output_field=TextField(),
        )


class SealedCharField(_Sealed, models.CharField):  # type: ignore[type-arg]  # the stubs take two types of Django's own
    """A text; `max_length` is that of the sealed one, by `sealed_length`."""

    def from_db_value(self, value: str | None, _expression: object, _connection: object) -> str | None:
        return ring().open(value, self.purpose) if value and value.startswith(MARK) else value

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:  # Any: an expression, or a text
        if isinstance(value, str):
            return self.sealed(value)
        return super().get_db_prep_save(value, connection)

    def sealed(self, text: str) -> str:
        return ring().seal(text, self.purpose)

    def lookup_when_sealed(self, lookup_name: str) -> "type[Lookup[Any]]":
        return IsEmpty if lookup_name == "exact" else super().lookup_when_sealed(lookup_name)


class SealedKeyField(SealedCharField):
    """A text that is found by being the same, and by nothing else; unique constraints hold."""

    def sealed(self, text: str) -> str:
        return ring().seal_alike(text, self.purpose)

    def lookup_when_sealed(self, lookup_name: str) -> "type[Lookup[Any]]":
        return SameInAnyForm if lookup_name == "exact" else super().lookup_when_sealed(lookup_name)


class IsEmpty(Exact):
    """No other value is found by being the same: each is sealed another time in another way."""

    def get_prep_lookup(self) -> Any:  # Any: Django's own
        if self.rhs != EMPTY:
            raise FieldError("what is sealed can be empty or not, and no more is known of it to the database")
        return super().get_prep_lookup()


class SameInAnyForm(Exact):
    """The value, clear or sealed under any of the keys."""

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:  # Any: Django's own
        if not isinstance(self.rhs, str):
            raise FieldError("what is sealed is compared with a text, and with no other column")
        field = self.lhs.output_field
        forms = ring().forms_of(self.rhs, field.purpose)
        column, parameters = self.process_lhs(compiler, connection)
        places = ", ".join(["%s"] * len(forms))
        return f"{column} IN ({places})", (*parameters, *forms)


class SealedDateField(SealedCharField):
    """A day, in the letters of ISO 8601. Where its key is not here, it is an `UnopenedText`."""

    def from_db_value(self, value: str | None, expression: object, connection: object) -> Any:  # Any: as it says
        text = super().from_db_value(value, expression, connection)
        return text if text is None or isinstance(text, UnopenedText) else date.fromisoformat(text)

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:  # Any: a day, or an expression
        return super().get_db_prep_save(value.isoformat() if isinstance(value, date) else value, connection)


class UnopenedObject(dict[str, Any]):  # Any: JSON
    """Stands for an object whose key is not here: an empty one, which is written back as it is stored."""

    def __init__(self, stored: UnopenedText) -> None:
        super().__init__()
        self.stored = stored


class SealedJSONField(_Sealed, models.JSONField):
    """An object; sealed it is one string of JSON."""

    begins = json.dumps(MARK)[:-1]
    empties = (EMPTY, "{}", "[]", "null")

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:  # Any: JSON
        found = super().from_db_value(value, expression, connection)
        if not isinstance(found, str) or not found.startswith(MARK):
            return found
        text = ring().open(found, self.purpose)
        return UnopenedObject(text) if isinstance(text, UnopenedText) else json.loads(text)

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:  # Any: JSON
        if isinstance(value, UnopenedObject):
            value = value.stored.stored
        elif value and isinstance(value, dict | list):
            value = self._sealed(value)
        return super().get_db_prep_save(value, connection)

    def _sealed(self, value: Any) -> Any:  # Any: JSON
        return ring().seal(json.dumps(value), self.purpose) if ring().seals else value


class InForm(models.Model):
    """A table in which more than the sealed columns depends on whether they are sealed."""

    # What is read along with each row to bring it into form.
    form_needs: ClassVar[Sequence[str]] = ()

    class Meta:
        abstract = True

    @classmethod
    def out_of_form(cls) -> Q:
        """The rows of which more than a sealed column has to be written anew."""
        raise NotImplementedError

    def bring_into_form(self) -> list[str]:
        """More columns are as the current form wants them; their names."""
        raise NotImplementedError


def sealed_fields(model: type[models.Model]) -> list[_Sealed]:
    return [one for one in model._meta.concrete_fields if isinstance(one, _Sealed)]  # noqa: SLF001  # Django's public name


def models_with_sealed_fields() -> list[type[models.Model]]:
    """Of whichever app: a new app's columns are found here without being known."""
    return [model for model in apps.get_models() if sealed_fields(model)]
