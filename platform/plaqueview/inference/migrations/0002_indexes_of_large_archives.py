from django.conf import settings
from django.db import migrations, models

from plaqueview.core.indexes import AddIndexBesideWriters


class Migration(migrations.Migration):
    """Nobody waits while they are made."""

    atomic = False

    dependencies = [
        ('annotations', '0001_version_0_1'),
        ('inference', '0001_version_0_1'),
        ('registry', '0001_version_0_1'),
        ('studies', '0002_deidentification'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        AddIndexBesideWriters(
            model_name='inferencejob',
            index=models.Index(fields=['-created'], include=('study',), name='job_by_time'),
        ),
        AddIndexBesideWriters(
            model_name='inferencejob',
            index=models.Index(fields=['state', '-created'], include=('study',), name='job_by_state'),
        ),
    ]
