from django.db import migrations, models

REGIONS = ["periventricular", "juxtacortical", "infratentorial", "deep_white_matter", "not_determined"]
NOTE = "The version is older than the telling of regions."


def say_why(apps, editor):
    """Versions that are there have no region map, and nobody will make one."""
    apps.get_model("annotations", "Annotation").objects.update(region_note=NOTE)
    studies = apps.get_model("studies", "Study").objects.exclude(annotation_summary=None)
    for study in studies.only("annotation_summary", "active_count", "inactive_count").iterator():
        unknown = {"inactive": study.inactive_count, "active": study.active_count}
        counts = {region: unknown if region == "not_determined" else {"inactive": 0, "active": 0} for region in REGIONS}
        regions = {"state": "not_determined", "note": NOTE, "counts": counts, "rule": "", "dissemination": ""}
        study.annotation_summary = {**study.annotation_summary, "regions": regions}
        study.save(update_fields=["annotation_summary"])


class Migration(migrations.Migration):
    dependencies = [("annotations", "0005_approvals_by_time"), ("studies", "0001_initial")]
    operations = [
        migrations.AddField("annotation", "region_map_key", models.CharField(blank=True, default="", max_length=200)),
        migrations.AddField("annotation", "region_rule", models.CharField(blank=True, default="", max_length=600)),
        migrations.AddField("annotation", "region_note", models.CharField(blank=True, default="", max_length=300)),
        migrations.AddField(
            "annotation",
            "region_counts",
            models.JSONField(default=dict, help_text="By region and class; empty until the regions are known."),
        ),
        migrations.AddField(
            "lesion",
            "region",
            models.CharField(
                choices=[(region, region) for region in REGIONS], default="not_determined", max_length=20
            ),
        ),
        migrations.AddConstraint(
            "lesion",
            models.CheckConstraint(condition=models.Q(("region__in", REGIONS)), name="lesion_region_is_known"),
        ),
        migrations.RunPython(say_why, migrations.RunPython.noop),
    ]
