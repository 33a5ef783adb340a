"""Frozen sets of approved versions, and the side of training on which each patient stands for good."""

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from plaqueview.accounts.models import Site, User
from plaqueview.annotations.models import Annotation
from plaqueview.core.leases import lapsed_at, lease_while
from plaqueview.core.models import Record
from plaqueview.patients.models import Patient


class Side(models.TextChoices):
    TRAIN = "train", "the network learns from it"
    VALIDATION = "validation", "is watched while it learns"
    TEST = "test", "judges candidate and champion"


class LabelSource(models.TextChoices):
    """What the class of a lesion rests on; a class that rests on nothing is unknown to training."""

    POST_GADOLINIUM = "post_gadolinium", "enhances after gadolinium"
    PRIOR = "prior", "new or larger than in a prior study"
    READER_OPINION = "reader_opinion", "a reader's opinion against, or without, the network's"
    AI_CONFIRMED = "ai_confirmed", "a reader's opinion that agrees with what the network had said"
    NONE = "none", "nobody confirmed it"


class PatientSide(Record):
    """The patient's side and pseudonym, by a keyed hash when first met, kept whatever becomes of the key or the shares.

    Rows of one person at two sites, under one identifier of one issuer, share both.
    """

    patient = models.OneToOneField(Patient, on_delete=models.PROTECT, related_name="training_side")
    pseudonym = models.CharField(max_length=24, db_index=True)
    side = models.CharField(max_length=20, choices=Side)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(side__in=Side.values), name="patient_side_is_known")]


class SnapshotState(models.TextChoices):
    QUEUED = "queued"
    BUILDING = "building"
    READY = "ready", "frozen"
    FAILED = "failed"
    WITHDRAWN = "withdrawn", "lacks a patient who was erased, and is not used any more"


class SnapshotQuerySet(models.QuerySet["DatasetSnapshot"]):
    def visible_to(self, user: User) -> Self:
        """The snapshots of which every site is the user's."""
        return self.exclude(sites__in=Site.objects.exclude(pk__in=user.site_ids()))

    def claimable(self, now: datetime) -> Self:
        """Queued, or with a worker whose lease has lapsed because it died."""
        return self.filter(Q(state=SnapshotState.QUEUED) | lapsed_at(now, SnapshotState.BUILDING))


class DatasetSnapshot(Record):
    """A frozen set of studies with their labels, de-identified.

    `rules` is `training.rules.InclusionRules` as JSON; `sha256` is of the manifest, which names the hash of every file.
    `counts` is by side: patients, studies, slices, lesions by class and by source of the class.
    """

    sites = models.ManyToManyField(Site, related_name="snapshots")
    rules = models.JSONField()
    state = models.CharField(max_length=20, choices=SnapshotState, default=SnapshotState.QUEUED)
    reason = models.TextField(blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    counts = models.JSONField(default=dict)
    excluded_count = models.PositiveIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    finished_at = models.DateTimeField(null=True)
    lease_token = models.UUIDField(null=True)
    lease_expires_at = models.DateTimeField(null=True)

    objects = SnapshotQuerySet.as_manager()

    class Meta:
        ordering = ["-created"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=SnapshotState.values), name="snapshot_state_is_known"),
            lease_while(SnapshotState.BUILDING, name="snapshot_lease_while_building"),
            models.CheckConstraint(condition=~Q(state=SnapshotState.READY) | ~Q(sha256=""), name="snapshot_has_hash"),
            models.CheckConstraint(
                condition=~Q(state=SnapshotState.FAILED) | ~Q(reason=""), name="snapshot_failed_has_a_reason"
            ),
        ]


class SnapshotStudy(Record):
    """One approved version that a snapshot looked at: its files, or why it is not in.

    `patient` and `study` are pseudonyms. The files lie in `core.storage`, named by content; `image_sha256` is of the
    voxels alone, so that one image under two names is found. `lesions` is a list of number, class as trained, source,
    voxel_count and volume_ml.
    """

    snapshot = models.ForeignKey(DatasetSnapshot, on_delete=models.PROTECT, related_name="studies")
    annotation = models.ForeignKey(Annotation, on_delete=models.PROTECT, related_name="+")
    patient = models.CharField(max_length=24)
    study = models.CharField(max_length=24)
    exclusion = models.CharField(max_length=500, blank=True, help_text="Empty: it is in.")
    side = models.CharField(max_length=20, choices=Side, blank=True)
    scanner = models.CharField(max_length=150, blank=True)
    flair_key = models.CharField(max_length=120, blank=True)
    labels_key = models.CharField(max_length=120, blank=True)
    image_sha256 = models.CharField(max_length=64, blank=True)
    slices = models.PositiveIntegerField(default=0)
    lesions = models.JSONField(default=list)

    class Meta:
        ordering = ["patient", "study"]
        constraints = [
            models.UniqueConstraint(fields=["snapshot", "annotation"], name="snapshot_study_once"),
            models.CheckConstraint(
                condition=(Q(exclusion="") & ~Q(side="") & ~Q(flair_key="") & ~Q(labels_key="")) | ~Q(exclusion=""),
                name="snapshot_study_is_in_with_its_files",
            ),
        ]
