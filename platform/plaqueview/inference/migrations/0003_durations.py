from django.db import migrations, models

from plaqueview.core.indexes import AddIndexBesideWriters


class Migration(migrations.Migration):
    """Nobody waits while it is made."""

    atomic = False

    dependencies = [
        ('inference', '0002_indexes_of_large_archives'),
    ]

    operations = [
        AddIndexBesideWriters(
            model_name='inferencejob',
            index=models.Index(condition=models.Q(('state', 'succeeded')), fields=['started_at'], include=('finished_at',), name='job_duration'),
        ),
    ]
