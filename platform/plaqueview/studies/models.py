"""Study, series, instance, and the uploads that bring them."""

from django.conf import settings
from django.db import models
from django.db.models import Case, F, Value, When
from django.utils import timezone

from plaqueview.accounts.models import Site, User
from plaqueview.core.identifier_keys import ring, sealed_length
from plaqueview.core.models import Record
from plaqueview.core.sealed_fields import InForm, SealedCharField, SealedJSONField
from plaqueview.patients.finding import repeated_for_search
from plaqueview.patients.models import Patient, of_sites


class StudyState(models.TextChoices):
    """Where a study stands between its first instance and its approved annotation."""

    RECEIVING = "receiving"
    INCOMPLETE = "incomplete"
    NO_FLAIR = "no_flair"
    QUEUED = "queued"
    RUNNING = "running"
    READY = "ready"
    FAILED = "failed"
    IN_REVIEW = "in_review"
    APPROVED = "approved"


# What readers have brought a study to: neither a job nor a new series takes it away.
UNDER_READERS = {StudyState.IN_REVIEW, StudyState.APPROVED}


class ReadingState(models.TextChoices):
    """Where a study stands in the reading queue; one that waits for its network stands nowhere."""

    NONE = "", "not to be read yet"
    UNREAD = "unread", "waits for a reader"
    READ = "read", "a reader's version is in review or approved"
    DOUBLE = "double", "two readers and an adjudicator read it blinded"


class StudyQuerySet(models.QuerySet["Study"]):
    def visible_to(self, user: User) -> "StudyQuerySet":
        """The studies of the user's sites."""
        return self.filter(of_sites(user))

    def of_each_site(self, user: User) -> list["StudyQuerySet"]:
        """The same, each site's by themselves: the order of an index is that of one site."""
        return [self.filter(site=site_id) for site_id in user.site_ids()]


class SeriesQuerySet(models.QuerySet["Series"]):
    def visible_to(self, user: User) -> "SeriesQuerySet":
        """The series of the user's sites."""
        return self.filter(study__site__in=user.sites.all())


class InstanceQuerySet(models.QuerySet["Instance"]):
    def visible_to(self, user: User) -> "InstanceQuerySet":
        """The instances of the user's sites."""
        return self.filter(site__in=user.sites.all())


class UploadQuerySet(models.QuerySet["Upload"]):
    def visible_to(self, user: User) -> "UploadQuerySet":
        """The uploads into the user's sites."""
        return self.filter(site__in=user.sites.all())


class Study(InForm, Record):
    """A study and what the worklist shows of it.

    The columns below `state` repeat what the floors above know (current annotation, latest job), written only by
    `studies.services`, so that a page of the worklist is one query in the order of an index. `patient_name` and
    `search_text` repeat what names the patient only where that is not sealed.
    """

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="studies")
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="studies")
    study_instance_uid = models.CharField(max_length=64)
    study_date = models.DateField(null=True)
    study_time = models.TimeField(null=True)
    accession_number = models.CharField(max_length=64, blank=True)
    study_description = models.CharField(max_length=256, blank=True)
    institution_name = models.CharField(max_length=256, blank=True)
    patient_name = models.CharField(max_length=324, blank=True)
    search_text = models.CharField(max_length=1100, blank=True, help_text="What a search looks at, case-folded.")

    received_at = models.DateTimeField(default=timezone.now)
    last_received_at = models.DateTimeField(default=timezone.now)
    is_settled = models.BooleanField(default=False, help_text="False while instances wait for a look at the whole.")
    instance_count = models.PositiveIntegerField(default=0)
    series_count = models.PositiveIntegerField(default=0)

    flair_series = models.ForeignKey("studies.Series", on_delete=models.SET_NULL, null=True, related_name="+")
    flair_sha256 = models.CharField(max_length=64, blank=True, help_text="Over the instances chosen; tells a change.")
    flair_overridden_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    series_choice = SealedJSONField(default=dict, help_text="Reason and candidates with score and reasons.")

    state = models.CharField(max_length=20, choices=StudyState, default=StudyState.RECEIVING)
    state_reason = SealedCharField(max_length=sealed_length(1000), blank=True)
    latest_job_id = models.UUIDField(null=True)
    job_summary = models.JSONField(null=True)
    current_annotation_id = models.UUIDField(null=True)
    annotation_summary = models.JSONField(null=True)
    active_count = models.PositiveIntegerField(null=True)
    inactive_count = models.PositiveIntegerField(null=True)
    active_volume_ml = models.FloatField(null=True)
    inactive_volume_ml = models.FloatField(null=True)
    counting_rule = models.CharField(max_length=300, blank=True)
    teaching_score = models.FloatField(null=True, help_text="0 to 1: what labelling the study would teach the network.")
    teaching_parts = models.JSONField(default=list, help_text="The reasons for the score, the strongest first.")

    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    is_under_double_reading = models.BooleanField(default=False)
    reading = models.GeneratedField(
        expression=Case(
            When(is_under_double_reading=True, then=Value(ReadingState.DOUBLE)),
            When(state=StudyState.READY, current_annotation_id__isnull=False, then=Value(ReadingState.UNREAD)),
            When(state__in=[StudyState.IN_REVIEW, StudyState.APPROVED], then=Value(ReadingState.READ)),
            default=Value(ReadingState.NONE),
        ),
        output_field=models.CharField(max_length=8, choices=ReadingState),
        db_persist=True,
    )

    form_needs = ("patient",)
    objects = StudyQuerySet.as_manager()

    class Meta:
        ordering = ["-received_at", "id"]
        indexes = [
            # The site first: a department's worklist is then a walk along one index, also for its count.
            models.Index(fields=["site", "received_at", "id"], name="study_by_received_at"),
            models.Index(fields=["site", "study_date", "id"], name="study_by_study_date"),
            models.Index(fields=["site", "patient_name", "id"], name="study_by_patient_name"),
            models.Index(fields=["site", "state", "received_at", "id"], name="study_by_state"),
            models.Index(fields=["site", "active_count", "id"], name="study_by_active_count"),
            models.Index(fields=["site", "inactive_count", "id"], name="study_by_inactive_count"),
            models.Index(fields=["site", "assigned_to", "received_at", "id"], name="study_by_reader"),
            models.Index(fields=["site", "reading", "received_at", "id"], name="study_by_reading"),
            # In the order of the queue: `studies.queue`.
            models.Index(
                F("site"),
                F("reading"),
                F("assigned_to"),
                F("active_count").desc(),
                (F("active_volume_ml") + F("inactive_volume_ml")).desc(),
                F("received_at"),
                F("id"),
                name="study_queue",
            ),
            models.Index(
                fields=["site", "reading", "teaching_score", "id"],
                condition=models.Q(teaching_score__isnull=False),
                name="study_by_teaching",
            ),
            models.Index(fields=["last_received_at"], condition=models.Q(is_settled=False), name="study_unsettled"),
            # What is looked for in the middle of a text no index finds: it is read in one that has the texts as well,
            # in the order of the worklist. `studies.keeping` says how long they may be.
            models.Index(
                fields=["site", "received_at", "id"],
                include=["search_text", "patient_name", "accession_number", "study_date"],
                name="study_search",
            ),
            models.Index(fields=["site", "accession_number"], name="study_by_accession"),
            # `studies.filters.FollowUpFilter`: what was read, and whether its patient has a newer study.
            models.Index(
                fields=["site", "reading", "received_at", "id"],
                include=["study_date", "patient"],
                name="study_follow_up",
            ),
            models.Index(fields=["patient", "study_date", "received_at"], name="study_by_visit"),
            # `studies.follow_up`: each patient's newest study of a site, and whether it was read.
            models.Index(
                fields=["site", "patient", "study_date", "received_at", "id"],
                include=["reading"],
                name="study_newest",
            ),
            # To count what a search finds: narrower than the one whose order its pages have.
            models.Index(fields=["site"], include=["search_text"], name="study_words"),
            # Of all sites at once: what waits, and how many there are in each state.
            models.Index(fields=["state"], name="study_state"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["site", "study_instance_uid"], name="study_once_per_site"),
            models.CheckConstraint(condition=models.Q(state__in=StudyState.values), name="study_state_is_known"),
        ]

    @classmethod
    def out_of_form(cls) -> models.Q:
        is_repeated = ~models.Q(patient_name="")
        return is_repeated if ring().seals else ~is_repeated & ~models.Q(patient__name="")

    def bring_into_form(self) -> list[str]:
        repeated = repeated_for_search(self.patient, self.accession_number, self.study_description)
        self.patient_name, self.search_text = repeated["patient_name"], repeated["search_text"]
        return list(repeated)


class SeriesSource(models.TextChoices):
    DICOM = "dicom"
    NIFTI = "nifti"


class Series(Record):
    """A series; its attributes are those of the first instance received.

    A series made from a NIfTI file keeps the file, byte for byte, under `source_key`. What `headers_key` names is
    derived from the instances' files, and may be missing or of fewer of them: `studies.kept_headers`.
    """

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="series")
    series_instance_uid = models.CharField(max_length=64)
    series_number = models.IntegerField(null=True)
    modality = models.CharField(max_length=16, blank=True)
    series_description = SealedCharField(max_length=sealed_length(256), blank=True)
    attributes = SealedJSONField(default=dict, help_text="The DICOM attributes that the choice of series looks at.")
    instance_count = models.PositiveIntegerField(default=0)
    slice_count = models.PositiveIntegerField(null=True)
    rows = models.PositiveIntegerField(null=True)
    columns = models.PositiveIntegerField(null=True)
    spacing_mm = models.JSONField(null=True, help_text="Between (slices, rows, columns).")
    is_complete = models.BooleanField(null=True, help_text="None until the study was settled.")
    problems = models.JSONField(default=list, help_text="What completeness found, as sentences.")
    quality = models.JSONField(null=True, help_text="`imaging.image_quality.ImageQuality` and when; null until then.")
    source = models.CharField(max_length=8, choices=SeriesSource, default=SeriesSource.DICOM)
    source_key = models.CharField(max_length=120, blank=True)
    source_name = SealedCharField(max_length=sealed_length(255), blank=True)
    headers_key = models.CharField(
        max_length=120, blank=True, default="", db_default="", help_text="Its instances' headers as DICOM JSON."
    )

    objects = SeriesQuerySet.as_manager()

    class Meta:
        ordering = ["series_number", "id"]
        indexes = [
            models.Index(fields=["series_instance_uid"], name="series_by_uid"),
            models.Index(fields=["modality", "study"], name="series_by_modality"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["study", "series_instance_uid"], name="series_once_per_study"),
            models.CheckConstraint(condition=models.Q(source__in=SeriesSource.values), name="series_source_is_known"),
        ]


class Instance(Record):
    """One SOP instance: where its bytes lie, as received, and the attributes that place it in a volume.

    Native pixel data start at `pixel_offset` of the stored file, so that a frame is a slice of it.
    """

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="+")
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="instances")
    series = models.ForeignKey(Series, on_delete=models.PROTECT, related_name="instances")
    sop_instance_uid = models.CharField(max_length=64)
    sop_class_uid = models.CharField(max_length=64)
    transfer_syntax_uid = models.CharField(max_length=64)
    instance_number = models.IntegerField(null=True)
    number_of_frames = models.PositiveIntegerField(default=1)
    rows = models.PositiveIntegerField(null=True)
    columns = models.PositiveIntegerField(null=True)
    attributes = models.JSONField(default=dict)
    storage_key = models.CharField(max_length=120)
    sha256 = models.CharField(max_length=64)
    size_bytes = models.PositiveBigIntegerField()
    pixel_offset = models.PositiveBigIntegerField(null=True)
    pixel_bytes = models.PositiveBigIntegerField(null=True)

    objects = InstanceQuerySet.as_manager()

    class Meta:
        ordering = ["instance_number", "sop_instance_uid"]
        constraints = [
            models.UniqueConstraint(fields=["site", "sop_instance_uid"], name="instance_once_per_site"),
        ]


class Deidentification(Record):
    """What was not kept of a study that came from a sender that is de-identified; its pseudonyms tell nothing of it.

    `attributes` is a list of attribute, outcome and count; `silent_count` is of instances that do not say whether words
    are burned into them.
    """

    study = models.OneToOneField(Study, on_delete=models.CASCADE, related_name="deidentification")
    node_id = models.UUIDField()
    edition = models.CharField(max_length=8, help_text="Of the table by which it was done.")
    attributes = models.JSONField(default=list)
    instance_count = models.PositiveIntegerField(default=0)
    silent_count = models.PositiveIntegerField(default=0)


class UploadState(models.TextChoices):
    """`receiving` until every byte is on the disk, `failed` when the files could not all be looked at."""

    RECEIVING = "receiving"
    PROCESSING = "processing"
    DONE = "done"
    FAILED = "failed"


class Upload(Record):
    """What one sender handed over at once: files, archives, NIfTI volumes.

    The lease says that a worker is at it; it runs out with the worker, and the next one continues.
    """

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="uploads")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="uploads")
    state = models.CharField(max_length=20, choices=UploadState, default=UploadState.RECEIVING)
    reason = models.CharField(max_length=1000, blank=True)
    progress = models.FloatField(default=0.0)
    lease_id = models.UUIDField(null=True)
    lease_expires_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Workers that took it since its last progress.")

    objects = UploadQuerySet.as_manager()

    class Meta:
        ordering = ["-created", "id"]
        indexes = [models.Index(fields=["state", "lease_expires_at"], name="upload_by_state")]
        constraints = [
            models.CheckConstraint(condition=models.Q(state__in=UploadState.values), name="upload_state_is_known"),
        ]


class FileOutcome(models.TextChoices):
    """What became of a file; `waiting` and `unpacked` are not final lines of the report."""

    WAITING = "waiting"
    UNPACKED = "unpacked"
    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    REJECTED = "rejected"


class UploadFile(Record):
    """One file of an upload, or one member of an archive in it, and its single outcome.

    `name` is what the sender called it, for the report only; no path is ever made from it. While the upload is not
    over, a file lies in the store under the upload's id and its own position.
    """

    upload = models.ForeignKey(Upload, on_delete=models.CASCADE, related_name="files")
    archive = models.ForeignKey("self", on_delete=models.CASCADE, null=True, related_name="members")
    position = models.PositiveIntegerField()
    name = SealedCharField(max_length=sealed_length(1024))
    size_bytes = models.PositiveBigIntegerField(default=0)
    outcome = models.CharField(max_length=20, choices=FileOutcome, default=FileOutcome.WAITING)
    reason = models.CharField(max_length=1000, blank=True)
    study = models.ForeignKey(Study, on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        ordering = ["created", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["upload", "position"], condition=models.Q(archive=None), name="upload_file_once"
            ),
            models.UniqueConstraint(fields=["archive", "position"], name="archive_member_once"),
            models.CheckConstraint(condition=models.Q(outcome__in=FileOutcome.values), name="file_outcome_is_known"),
        ]
