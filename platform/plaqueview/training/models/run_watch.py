"""What whoever watches a run sees beside its curves: the lines of its log, and slices with its present prediction."""

from django.db import models

from plaqueview.training.models.run import TrainingRun


class RunLine(models.Model):
    """One line of a run's log, of which the newest are kept."""

    run = models.ForeignKey(TrainingRun, on_delete=models.CASCADE, related_name="lines")
    at = models.DateTimeField()
    level = models.CharField(max_length=10)
    text = models.CharField(max_length=500)

    class Meta:
        ordering = ["run", "pk"]


class RunSample(models.Model):
    """One slice of the validation side, by pseudonym, with outlines as they were at `step`.

    `slice_png` is grey, on the network's grid, without the skull; `outlines` are closed lines in its pixels, x before
    y, by `expert`, `active` and `inactive`.
    """

    run = models.ForeignKey(TrainingRun, on_delete=models.CASCADE, related_name="samples")
    number = models.PositiveSmallIntegerField()
    study = models.CharField(max_length=60)
    slice_number = models.PositiveIntegerField()
    slice_png = models.BinaryField()
    step = models.PositiveIntegerField()
    outlines = models.JSONField()
    dice = models.FloatField(null=True)

    class Meta:
        ordering = ["run", "number"]
        constraints = [models.UniqueConstraint(fields=["run", "number"], name="run_sample_once")]
