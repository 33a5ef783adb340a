from django.db import migrations, models

from plaqueview.core.indexes import AddIndexBesideWriters


class Migration(migrations.Migration):
    """Nobody waits while they are made."""

    atomic = False

    dependencies = [
        ('accounts', '0001_version_0_1'),
        ('patients', '0003_sealed_identifiers'),
    ]

    operations = [
        AddIndexBesideWriters(
            model_name='patient',
            index=models.Index(fields=['site', 'patient_id'], name='patient_by_patient_id'),
        ),
        AddIndexBesideWriters(
            model_name='patient',
            index=models.Index(fields=['site', 'id'], include=('search_text',), name='patient_search'),
        ),
    ]
