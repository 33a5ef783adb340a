from django.db import migrations, models


class Migration(migrations.Migration):
    """Room for what is sealed."""

    dependencies = [
        ('studies', '0002_deidentification'),
    ]

    operations = [
        migrations.AlterField(
            model_name='series',
            name='series_description',
            field=models.CharField(blank=True, max_length=1414),
        ),
        migrations.AlterField(
            model_name='series',
            name='source_name',
            field=models.CharField(blank=True, max_length=1414),
        ),
        migrations.AlterField(
            model_name='study',
            name='state_reason',
            field=models.CharField(blank=True, max_length=5382),
        ),
        migrations.AlterField(
            model_name='uploadfile',
            name='name',
            field=models.CharField(max_length=5510),
        ),
    ]
