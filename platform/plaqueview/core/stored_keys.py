"""Which stored bytes a row still names. A new app's columns are heard here without being known."""

from collections.abc import Collection, Iterator
from typing import Any, Final

from django.apps import apps
from django.db.models import CharField, Model, QuerySet

# SQLite binds no more variables in one statement than this allows for.
AT_ONCE: Final = 500


def key_columns(model: type[Model]) -> list[str]:
    """The columns of the model that name bytes in the store: text, called something `_key`."""
    fields = model._meta.concrete_fields  # noqa: SLF001  # Django's public name
    return [one.name for one in fields if one.name.endswith("_key") and isinstance(one, CharField)]


def kept_among(keys: Collection[str]) -> set[str]:
    """Those of the keys that any row names: the same bytes are stored once, whoever brings them."""
    return {key for model in apps.get_models() for key in _named_by(model, keys)}


def _named_by(model: type[Model], keys: Collection[str]) -> Iterator[str]:
    for column in key_columns(model):
        for some in rows_with(model, keys, column):
            yield from some.order_by().values_list(column, flat=True).distinct()


def rows_with(model: type[Model], values: Collection[Any], column: str = "pk") -> Iterator[QuerySet[Any]]:
    """The rows of the model in which the column is one of the values, as many at once as a statement can name."""
    named = list(values)
    for at in range(0, len(named), AT_ONCE):
        yield model._base_manager.filter(**{f"{column}__in": named[at : at + AT_ONCE]})  # noqa: SLF001  # Django's public name
