from django.db import migrations
from django.db.models import F

KEY = "unconfirmed_active_count"


def count_predictions(apps, editor):
    """No reader has confirmed what a network alone has said."""
    apps.get_model("annotations", "Annotation").objects.filter(author=None).update(**{KEY: F("active_count")})
    studies = apps.get_model("studies", "Study").objects.exclude(annotation_summary=None)
    for study in studies.only("annotation_summary", "active_count").iterator():
        study.annotation_summary = {**study.annotation_summary, KEY: study.active_count}
        study.save(update_fields=["annotation_summary"])


class Migration(migrations.Migration):
    dependencies = [("annotations", "0002_drafts_review_comments"), ("studies", "0001_initial")]
    operations = [migrations.RunPython(count_predictions, migrations.RunPython.noop)]
