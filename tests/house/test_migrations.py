"""Processes of the version before serve while the tables become those of the next: each migration lets them."""

import pytest
from django.apps import apps
from django.db.migrations import (
    AddField,
    AddIndex,
    CreateModel,
    DeleteModel,
    Migration,
    RemoveField,
    RenameField,
    RenameModel,
)
from django.db.migrations.loader import MigrationLoader

from plaqueview.core.indexes import AddIndexBesideWriters

# What a process that does not know of it would still ask for.
TAKEN_AWAY = (DeleteModel, RemoveField, RenameField, RenameModel)


def later_migrations() -> list[Migration]:
    """Of our own apps, those that meet a table with rows and older processes at it."""
    ours = {config.label for config in apps.get_app_configs() if config.name.startswith("plaqueview.")}
    migrations = MigrationLoader(None, ignore_no_migrations=True).disk_migrations
    # Sorted: every process of a parallel run has to collect the same tests in the same order.
    return [migrations[app, name] for app, name in sorted(migrations) if app in ours and not name.startswith("0001_")]


@pytest.mark.parametrize("migration", later_migrations(), ids=str)
def test_an_older_process_can_still_read_and_write(migration):
    made_here = {operation.name_lower for operation in migration.operations if isinstance(operation, CreateModel)}
    added = [operation for operation in migration.operations if isinstance(operation, AddField)]

    assert [operation for operation in migration.operations if isinstance(operation, TAKEN_AWAY)] == []
    assert [
        f"{one.model_name}.{one.name} is neither null nor has a value in the database for rows of older processes"
        for one in added
        if one.model_name_lower not in made_here
        if not (one.field.null or one.field.many_to_many or one.field.has_db_default())
    ] == []


@pytest.mark.parametrize("migration", later_migrations(), ids=str)
def test_nobody_waits_for_an_index(migration):
    made_here = {operation.name_lower for operation in migration.operations if isinstance(operation, CreateModel)}
    indexes = [operation for operation in migration.operations if isinstance(operation, AddIndex)]
    of_large = [operation for operation in indexes if operation.model_name_lower not in made_here]

    assert [one.index.name for one in of_large if not isinstance(one, AddIndexBesideWriters)] == []
    assert not (of_large and migration.atomic)
