from django.db import migrations, models

from plaqueview.audit.append_only import InstallAppendOnly
from plaqueview.audit.models import event_kinds


class Migration(migrations.Migration):
    """A new kind of event is a line of code: it no longer makes the largest table anew."""

    dependencies = [("audit", "0001_version_0_1")]

    operations = [
        migrations.RemoveConstraint(model_name="auditevent", name="audit_kind_is_known"),
        migrations.AlterField(
            model_name="auditevent", name="kind", field=models.CharField(choices=event_kinds, max_length=40)
        ),
        InstallAppendOnly(),
    ]
