from django.db import migrations, models

from plaqueview.core.indexes import AddIndexBesideWriters


class Migration(migrations.Migration):
    """Nobody waits while they are made."""

    atomic = False

    dependencies = [
        ('studies', '0005_kept_headers'),
    ]

    operations = [
        AddIndexBesideWriters(
            model_name='study',
            index=models.Index(fields=['site', 'patient', 'study_date', 'received_at', 'id'], include=('reading',), name='study_newest'),
        ),
        AddIndexBesideWriters(
            model_name='study',
            index=models.Index(fields=['site'], include=('search_text',), name='study_words'),
        ),
        AddIndexBesideWriters(
            model_name='study',
            index=models.Index(fields=['state'], name='study_state'),
        ),
    ]
