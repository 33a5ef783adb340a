from django.conf import settings
from django.db import migrations, models
from django.db.models.functions import Length

from plaqueview.core.indexes import AddIndexBesideWriters
from plaqueview.patients.search import LONGEST_LINE_BYTES


def shorten_lines(apps, _schema_editor):
    """As `search_line` does since: PostgreSQL's B-tree takes no row above 2,704 bytes."""
    rows = apps.get_model("studies", "Study").objects
    for row in rows.alias(length=Length("search_text")).filter(length__gt=LONGEST_LINE_BYTES // 4).iterator():
        line = row.search_text.encode()[:LONGEST_LINE_BYTES].decode(errors="ignore").rstrip()
        rows.filter(pk=row.pk).exclude(search_text=line).update(search_text=line)


class Migration(migrations.Migration):
    """Nobody waits while they are made."""

    atomic = False

    dependencies = [
        ('accounts', '0001_version_0_1'),
        ('patients', '0004_indexes_of_large_archives'),
        ('studies', '0003_sealed_identifiers'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunPython(shorten_lines, migrations.RunPython.noop),
        AddIndexBesideWriters(
            model_name='series',
            index=models.Index(fields=['series_instance_uid'], name='series_by_uid'),
        ),
        AddIndexBesideWriters(
            model_name='series',
            index=models.Index(fields=['modality', 'study'], name='series_by_modality'),
        ),
        AddIndexBesideWriters(
            model_name='study',
            index=models.Index(fields=['site', 'received_at', 'id'], include=('search_text', 'patient_name', 'accession_number', 'study_date'), name='study_search'),
        ),
        AddIndexBesideWriters(
            model_name='study',
            index=models.Index(fields=['site', 'accession_number'], name='study_by_accession'),
        ),
        AddIndexBesideWriters(
            model_name='study',
            index=models.Index(fields=['site', 'reading', 'received_at', 'id'], include=('study_date', 'patient'), name='study_follow_up'),
        ),
        AddIndexBesideWriters(
            model_name='study',
            index=models.Index(fields=['patient', 'study_date', 'received_at'], name='study_by_visit'),
        ),
    ]
