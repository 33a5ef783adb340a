from django.db import migrations

from plaqueview.audit.append_only import InstallAppendOnly


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]
    operations = [InstallAppendOnly()]
