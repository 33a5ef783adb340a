from django.db import migrations, models

from plaqueview.core.indexes import AddIndexBesideWriters


class Migration(migrations.Migration):
    """Nobody waits while they are made."""

    atomic = False

    dependencies = [
        ('audit', '0002_kinds_by_name'),
    ]

    operations = [
        AddIndexBesideWriters(
            model_name='auditevent',
            index=models.Index(fields=['object_id', '-sequence'], name='audit_by_object_id'),
        ),
        AddIndexBesideWriters(
            model_name='auditevent',
            index=models.Index(fields=['actor_name', '-sequence'], name='audit_by_actor_name'),
        ),
        AddIndexBesideWriters(
            model_name='auditevent',
            index=models.Index(fields=['occurred_at'], name='audit_by_time'),
        ),
    ]
