"""The database itself refuses to change or delete an audit event.

A migration that alters the table of events ends with `InstallAppendOnly()`: SQLite alters a table by making it anew,
without its triggers.
"""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

INSTALL = {
    "sqlite": (
        (
            "CREATE TRIGGER audit_event_never_changes BEFORE UPDATE ON audit_auditevent "
            "BEGIN SELECT RAISE(ABORT, 'audit events are never changed'); END"
        ),
        (
            "CREATE TRIGGER audit_event_never_goes BEFORE DELETE ON audit_auditevent "
            "BEGIN SELECT RAISE(ABORT, 'audit events are never deleted'); END"
        ),
    ),
    "postgresql": (
        (
            "CREATE FUNCTION audit_event_refuse() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'audit events are never changed or deleted'; END $$"
        ),
        (
            "CREATE TRIGGER audit_event_append_only BEFORE UPDATE OR DELETE ON audit_auditevent "
            "FOR EACH ROW EXECUTE FUNCTION audit_event_refuse()"
        ),
    ),
}
REMOVE = {
    "sqlite": (
        "DROP TRIGGER IF EXISTS audit_event_never_changes",
        "DROP TRIGGER IF EXISTS audit_event_never_goes",
    ),
    "postgresql": (
        "DROP TRIGGER IF EXISTS audit_event_append_only ON audit_auditevent",
        "DROP FUNCTION IF EXISTS audit_event_refuse()",
    ),
}


# ruff: noqa: ARG001  (migrations call these with the state of the apps)
def install(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    """The triggers stand, whether they stood before or not."""
    vendor = editor.connection.vendor
    for statement in (*REMOVE[vendor], *INSTALL[vendor]):
        editor.execute(statement)


def remove(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    for statement in REMOVE[editor.connection.vendor]:
        editor.execute(statement)


class InstallAppendOnly(migrations.RunPython):
    def __init__(self) -> None:
        super().__init__(install, remove)

    def deconstruct(self) -> tuple[str, list[object], dict[str, object]]:
        return (self.__class__.__name__, [], {})
