"""What the network and the readers say of a study, one version after the other."""

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q

from plaqueview.accounts.models import User
from plaqueview.annotations.models.double_reading import BlindedReading
from plaqueview.core.models import Record
from plaqueview.imaging.lesion_class import LesionClass
from plaqueview.imaging.lesion_sizes import SizeClass, size_of
from plaqueview.imaging.regions import Region
from plaqueview.studies.models import Series, Study


class AnnotationState(models.TextChoices):
    PREDICTED = "predicted", "said by a network, seen by no reader"
    SUBMITTED = "submitted", "waits for review"
    APPROVED = "approved", "reviewed and frozen"
    RETURNED = "returned", "sent back to its author"


class Evidence(models.TextChoices):
    """What a reader's word on the class of a lesion rests on."""

    POST_GADOLINIUM = "post_gadolinium", "enhances after gadolinium"
    PRIOR = "prior", "new or larger than in a prior study"
    READER_OPINION = "reader_opinion", "the reader's opinion"


class FrozenError(TypeError):
    """What is written once was to be changed or deleted; a correction is a new version."""


class FrozenRecord(models.Model):
    """A row that is written once."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:  # Any: passed on to Django as they come
        if not self._state.adding:
            raise FrozenError(f"{self._meta.label} {self.pk} is written once; a correction is a new version")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:  # Any: as above
        raise FrozenError(f"{self._meta.label} {self.pk} is never deleted")


class AnnotationQuerySet(models.QuerySet["Annotation"]):
    def visible_to(self, user: User) -> Self:
        """The annotations of the studies that the user may see, without those that others have made blinded."""
        hidden = BlindedReading.objects.hidden_from(user).filter(annotation=OuterRef("pk"))
        return self.filter(~Exists(hidden), study__site__in=user.sites.all())


class Annotation(FrozenRecord, Record):
    """One version of a mask over one series, by a reader or by a model, never both.

    Only `state` moves after the first writing, by `annotations.review`, and the regions come once, by `region_maps`.
    `base` is the version that a reader started from, and `statements` what the reader said of single lesions:
    `annotations.statements` knows their shape. The model's name, version and hash are copied in, and how it was
    computed, so that a result keeps its stamp whatever becomes of the registry. `affine` is row-major, (slice, row,
    column) to mm in LPS, and with `slices`, `rows`, `columns` the grid of every mask; the masks themselves are files in
    `core.storage`: `mask_key` and `brain_mask_key` in the bytes of `imaging.mask_codec`, `probability_key` gzip of
    uint8, 0 to 255, in C order. `region_map_key` holds the region of each voxel (`imaging.regions`) in the bytes of the
    codec; or `region_note` says why there is none; until the worker has looked, both are empty.
    """

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="annotations")
    series = models.ForeignKey(Series, on_delete=models.PROTECT, related_name="annotations")
    version = models.PositiveIntegerField()
    state = models.CharField(max_length=20, choices=AnnotationState)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="annotations"
    )
    base = models.ForeignKey("annotations.Annotation", on_delete=models.PROTECT, null=True, related_name="+")
    model_id = models.UUIDField(null=True)
    model_name = models.CharField(max_length=100, blank=True)
    model_version = models.CharField(max_length=50, blank=True)
    model_sha256 = models.CharField(max_length=64, blank=True)
    computation = models.CharField(
        max_length=60,
        blank=True,
        default="",
        db_default="",
        help_text="In which precision the network ran, and on what; empty in a version from before that was kept.",
    )

    slices = models.PositiveIntegerField()
    rows = models.PositiveIntegerField()
    columns = models.PositiveIntegerField()
    affine = models.JSONField()
    mask_key = models.CharField(max_length=200)
    brain_mask_key = models.CharField(max_length=200, blank=True)
    probability_key = models.CharField(max_length=200, blank=True)
    region_map_key = models.CharField(max_length=200, blank=True, default="")
    region_rule = models.CharField(max_length=600, blank=True, default="")
    region_note = models.CharField(max_length=300, blank=True, default="")
    region_counts = models.JSONField(default=dict, help_text="By region and class; empty until the regions are known.")

    connectivity = models.PositiveSmallIntegerField()
    minimum_volume_mm3 = models.FloatField()
    counting_rule = models.CharField(max_length=300)
    active_count = models.PositiveIntegerField()
    inactive_count = models.PositiveIntegerField()
    active_volume_ml = models.FloatField()
    inactive_volume_ml = models.FloatField()
    unconfirmed_active_count = models.PositiveIntegerField(
        default=0, help_text="Active lesions that no reader has confirmed."
    )
    counts_by_slice = models.JSONField(help_text="By class, how many lesions touch each slice.")
    counts_by_size = models.JSONField(
        default=dict, help_text="By size and class; empty in a version from before sizes were measured."
    )
    statements = models.JSONField(default=list)
    warnings = models.JSONField(default=list)
    seconds = models.JSONField(default=dict, help_text="Time by step.")

    objects = AnnotationQuerySet.as_manager()

    class Meta:
        ordering = ["study", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["study", "version"], name="annotation_version_once_per_study"),
            models.CheckConstraint(condition=Q(version__gte=1), name="annotation_version_from_one"),
            models.CheckConstraint(condition=Q(state__in=AnnotationState.values), name="annotation_state_is_known"),
            models.CheckConstraint(
                condition=Q(author__isnull=True, model_id__isnull=False)
                | Q(author__isnull=False, model_id__isnull=True),
                name="annotation_by_reader_or_model",
            ),
            models.CheckConstraint(
                condition=~Q(state=AnnotationState.PREDICTED) | Q(author__isnull=True),
                name="annotation_predicted_has_no_author",
            ),
        ]

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.slices, self.rows, self.columns

    @property
    def counts(self) -> dict[LesionClass, int]:
        return {LesionClass.ACTIVE: self.active_count, LesionClass.INACTIVE: self.inactive_count}

    @property
    def volumes_ml(self) -> dict[LesionClass, float]:
        return {LesionClass.ACTIVE: self.active_volume_ml, LesionClass.INACTIVE: self.inactive_volume_ml}


class Lesion(FrozenRecord, Record):
    """One lesion of an annotation; the measures mean what `imaging.lesions.LesionMeasures` says.

    `region` is not determined until the version has its region map; `region_maps` writes it then, once.
    `evidence` is why a reader confirmed the class, with who and when; None until one does. `statement_kind` is what the
    readers of this version last did with the lesion (`annotations.statements`): empty where it is the network's word.
    """

    annotation = models.ForeignKey(Annotation, on_delete=models.PROTECT, related_name="lesions")
    number = models.PositiveIntegerField()
    lesion_class = models.CharField(max_length=20, choices=[(kind.value, kind.value) for kind in LesionClass])
    voxel_count = models.PositiveIntegerField()
    volume_ml = models.FloatField()
    longest_axis_mm = models.FloatField()
    in_plane_axis_mm = models.FloatField(null=True, help_text="Null in a version from before it was measured.")
    centroid_mm = models.JSONField()
    centroid_index = models.JSONField()
    slice_indices = models.JSONField()
    mean_probability = models.FloatField(null=True)
    region = models.CharField(
        max_length=20, choices=[(region.value, region.value) for region in Region], default=Region.NOT_DETERMINED.value
    )
    evidence = models.CharField(max_length=20, choices=Evidence, null=True)
    evidence_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    evidence_at = models.DateTimeField(null=True)
    statement_kind = models.CharField(max_length=20, blank=True, default="", db_default="")

    class Meta:
        ordering = ["annotation", "number"]
        constraints = [
            models.UniqueConstraint(fields=["annotation", "number"], name="lesion_number_once_per_annotation"),
            models.CheckConstraint(
                condition=Q(lesion_class__in=[kind.value for kind in LesionClass]), name="lesion_class_is_known"
            ),
            models.CheckConstraint(
                condition=Q(region__in=[region.value for region in Region]), name="lesion_region_is_known"
            ),
            models.CheckConstraint(
                condition=Q(evidence__isnull=True, evidence_by__isnull=True, evidence_at__isnull=True)
                | Q(evidence__in=Evidence.values, evidence_by__isnull=False, evidence_at__isnull=False),
                name="lesion_evidence_has_reader_and_time",
            ),
        ]

    @property
    def size(self) -> SizeClass | None:
        """None in a version from before sizes were measured."""
        return None if self.in_plane_axis_mm is None else size_of(self.in_plane_axis_mm)
