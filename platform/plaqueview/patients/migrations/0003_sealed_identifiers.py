from django.db import migrations, models


class Migration(migrations.Migration):
    """Room for what is sealed. The column `birth_date` stays as it is and is called otherwise in Python only."""

    dependencies = [
        ('patients', '0002_hold'),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RenameField('patient', 'birth_date', 'clear_birth_date'),
                migrations.AlterField(
                    model_name='patient',
                    name='clear_birth_date',
                    field=models.DateField(db_column='birth_date', null=True),
                ),
            ],
        ),
        migrations.AddField(
            model_name='patient',
            name='sealed_birth_date',
            field=models.CharField(max_length=134, null=True),
        ),
        migrations.AlterField(
            model_name='patient',
            name='name',
            field=models.CharField(blank=True, max_length=1798),
        ),
        migrations.AlterField(
            model_name='patient',
            name='patient_id',
            field=models.CharField(blank=True, max_length=390),
        ),
        migrations.AlterField(
            model_name='patient',
            name='search_text',
            field=models.CharField(blank=True, help_text='Name and identifier, case-folded.', max_length=2738),
        ),
    ]
