"""The versions of the network."""

from django.db import models
from django.db.models import Q

from plaqueview.core.models import Record


class Stage(models.TextChoices):
    """Where a version stands on its way to the readers."""

    CANDIDATE = "candidate", "known, and reads nothing"
    SHADOW = "shadow", "reads along, unseen by readers"
    CHAMPION = "champion", "reads new studies"
    RETIRED = "retired", "read studies once; its results keep its stamp"


class Origin(models.TextChoices):
    SHIPPED = "shipped", "came with the software"
    TRAINED = "trained", "was trained here"
    IMPORTED = "imported", "came as a signed file"


class ModelVersion(Record):
    """Weights that have a name, a version and a hash, with the card that says what they are good for.

    `sha256` is of the file that inference runs. `caveat` is the sentence that stands beside every result of it; `card`
    is Markdown for a person, `facts` is the same for a program (configuration, training data, parity, metrics).
    The keys are those of `core.storage`; a version that ships has none, its files lie beside the worker's code.
    """

    name = models.CharField(max_length=100)
    version = models.CharField(max_length=50)
    sha256 = models.CharField(max_length=64, unique=True)
    preprocessing_version = models.CharField(max_length=50)
    stage = models.CharField(max_length=20, choices=Stage)
    origin = models.CharField(max_length=20, choices=Origin)
    card = models.TextField()
    facts = models.JSONField(default=dict)
    caveat = models.TextField(blank=True)
    onnx_key = models.CharField(max_length=200, blank=True)
    safetensors_key = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["-created"]
        constraints = [
            models.UniqueConstraint(fields=["name", "version"], name="model_version_once"),
            models.UniqueConstraint(fields=["stage"], condition=Q(stage=Stage.CHAMPION), name="model_one_champion"),
            models.UniqueConstraint(fields=["stage"], condition=Q(stage=Stage.SHADOW), name="model_one_shadow"),
            models.CheckConstraint(condition=Q(stage__in=Stage.values), name="model_stage_is_known"),
            models.CheckConstraint(condition=Q(origin__in=Origin.values), name="model_origin_is_known"),
        ]
