"""How studies, series, patients and uploads look over REST."""

from typing import Any

from rest_framework import serializers

from plaqueview.accounts.api import SiteSerializer
from plaqueview.imaging.deidentify import PROFILE
from plaqueview.patients.models import Patient
from plaqueview.studies.models import Deidentification, Series, SeriesSource, Study, StudyState
from plaqueview.studies.reading import StudySummary
from plaqueview.studies.teaching_serializers import TeachingSerializer, teaching_of

JSON = dict[str, Any]  # Any: what a serializer gives to a renderer

SERIES_ATTRIBUTES = ("scanning_sequence", "inversion_time_ms", "echo_time_ms", "repetition_time_ms")


class LesionCountsSerializer(serializers.Serializer[JSON]):
    active = serializers.IntegerField()
    inactive = serializers.IntegerField()


class LesionVolumesSerializer(serializers.Serializer[JSON]):
    active = serializers.FloatField()
    inactive = serializers.FloatField()


class ModelReferenceSerializer(serializers.Serializer[JSON]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    version = serializers.CharField()
    sha256 = serializers.CharField()


class RegionCountsSerializer(serializers.Serializer[JSON]):
    """Lesions by region, and by class in each."""

    periventricular = LesionCountsSerializer()
    juxtacortical = LesionCountsSerializer(help_text="Or cortical.")
    infratentorial = LesionCountsSerializer()
    deep_white_matter = LesionCountsSerializer(help_text="And deep grey matter.")
    not_determined = LesionCountsSerializer()


class RegionSummarySerializer(serializers.Serializer[JSON]):
    """Where the lesions lie. Pending until the worker has told the regions, some seconds after the counts."""

    state = serializers.ChoiceField(["pending", "determined", "not_determined"])
    note = serializers.CharField(help_text="Why the regions are not determined.")
    counts = RegionCountsSerializer()
    rule = serializers.CharField(help_text="When a lesion belongs to a region.")
    dissemination = serializers.CharField(
        help_text="In how many brain locations of McDonald 2017 there is a lesion; never a diagnosis."
    )


class AnnotationSummarySerializer(serializers.Serializer[JSON]):
    """The current annotation as `studies.summaries` keeps it."""

    id = serializers.UUIDField()
    study = serializers.UUIDField()
    series = serializers.UUIDField()
    version = serializers.IntegerField()
    state = serializers.CharField()
    author = serializers.CharField(allow_null=True)
    model = ModelReferenceSerializer(allow_null=True)
    created = serializers.DateTimeField()
    lesion_counts = LesionCountsSerializer()
    lesion_volumes_ml = LesionVolumesSerializer()
    counting_rule = serializers.CharField()
    claim = serializers.CharField()
    unconfirmed_active_count = serializers.IntegerField(help_text="Active lesions that no reader has confirmed.")
    warnings = serializers.ListField(child=serializers.CharField())
    regions = RegionSummarySerializer()


class JobSummarySerializer(serializers.Serializer[JSON]):
    """The latest job as `studies.summaries` keeps it."""

    id = serializers.UUIDField()
    study = serializers.UUIDField()
    series = serializers.UUIDField(allow_null=True)
    state = serializers.CharField()
    progress = serializers.FloatField(help_text="0 to 1.")
    stage = serializers.CharField()
    reason = serializers.CharField()
    attempts = serializers.IntegerField()
    requested_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    requested_by = serializers.CharField(allow_null=True)
    model = ModelReferenceSerializer(allow_null=True)
    annotation = serializers.UUIDField(allow_null=True)


class PatientReferenceSerializer(serializers.Serializer[Patient]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    patient_id = serializers.CharField()
    birth_date = serializers.DateField(allow_null=True)
    sex = serializers.CharField()


class StudySerializer(serializers.Serializer[Study]):
    """A row of the worklist."""

    id = serializers.UUIDField()
    study_instance_uid = serializers.CharField()
    patient = PatientReferenceSerializer()
    study_date = serializers.DateField(allow_null=True)
    study_time = serializers.TimeField(allow_null=True)
    accession_number = serializers.CharField()
    study_description = serializers.CharField()
    institution_name = serializers.CharField()
    state = serializers.ChoiceField(StudyState.choices)
    state_reason = serializers.CharField(help_text="Why the study is in this state, for the reader.")
    received_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField(source="modified")
    instance_count = serializers.IntegerField()
    series_count = serializers.IntegerField()
    flair_series = serializers.UUIDField(source="flair_series_id", allow_null=True)
    assigned_to = serializers.CharField(allow_null=True, help_text="The username of who is to read the study.")
    is_under_double_reading = serializers.BooleanField(help_text="Two readers and an adjudicator read it blinded.")
    annotation = AnnotationSummarySerializer(source="annotation_summary", allow_null=True)
    job = JobSummarySerializer(source="job_summary", allow_null=True)
    lesion_counts = LesionCountsSerializer(allow_null=True)
    lesion_volumes_ml = LesionVolumesSerializer(allow_null=True)
    counting_rule = serializers.CharField(allow_null=True, help_text="What counts as one lesion.")
    teaching = TeachingSerializer(allow_null=True, help_text="Only in the worklist of who may retrain.")

    def to_representation(self, study: Study) -> JSON:
        """By hand: a page of 200 rows through the framework's fields takes as long as its query ten times over."""
        patient = study.patient
        return {
            "id": str(study.pk),
            "study_instance_uid": study.study_instance_uid,
            "patient": {
                "id": str(patient.pk),
                "name": patient.name,
                "patient_id": patient.patient_id,
                "birth_date": patient.birth_date,
                "sex": patient.sex,
            },
            "study_date": study.study_date,
            "study_time": study.study_time,
            "accession_number": study.accession_number,
            "study_description": study.study_description,
            "institution_name": study.institution_name,
            "state": study.state,
            "state_reason": study.state_reason,
            "received_at": study.received_at,
            "updated_at": study.modified,
            "instance_count": study.instance_count,
            "series_count": study.series_count,
            "flair_series": str(study.flair_series_id) if study.flair_series_id else None,
            "assigned_to": study.assigned_to.get_username() if study.assigned_to else None,
            "is_under_double_reading": study.is_under_double_reading,
            "annotation": study.annotation_summary,
            "job": study.job_summary,
            **lesions_of(study),
            "teaching": teaching_of(study) if self.context.get("shows_teaching") else None,
        }


def lesions_of(study: Study | None) -> JSON:
    """Counts, volumes and their rule; each None before there is a result."""
    if study is None or study.active_count is None:
        return {"lesion_counts": None, "lesion_volumes_ml": None, "counting_rule": None}
    return {
        "lesion_counts": {"active": study.active_count, "inactive": study.inactive_count},
        "lesion_volumes_ml": {"active": study.active_volume_ml, "inactive": study.inactive_volume_ml},
        "counting_rule": study.counting_rule,
    }


class CompletenessSerializer(serializers.Serializer[Series]):
    is_complete = serializers.BooleanField(allow_null=True, help_text="Null until the study was looked at as a whole.")
    problems = serializers.ListField(child=serializers.CharField())


class SeriesSerializer(serializers.ModelSerializer[Series]):
    study = serializers.UUIDField(source="study_id")
    spacing_mm = serializers.ListField(
        child=serializers.FloatField(), allow_null=True, help_text="Between slices, rows, columns."
    )
    completeness = CompletenessSerializer(source="*")
    source = serializers.ChoiceField(SeriesSource.choices)  # type: ignore[assignment]  # the framework's own attribute
    scanning_sequence = serializers.SerializerMethodField()
    inversion_time_ms = serializers.SerializerMethodField()
    echo_time_ms = serializers.SerializerMethodField()
    repetition_time_ms = serializers.SerializerMethodField()

    class Meta:
        model = Series
        fields = [
            "id", "study", "series_instance_uid", "series_number", "modality", "series_description", "instance_count",
            "slice_count", "rows", "columns", "spacing_mm", "completeness", "source", *SERIES_ATTRIBUTES,
        ]  # fmt: skip

    def get_scanning_sequence(self, series: Series) -> list[str]:
        return list(series.attributes.get("scanning_sequence", ()))

    def get_inversion_time_ms(self, series: Series) -> float | None:
        return series.attributes.get("inversion_time_ms")

    def get_echo_time_ms(self, series: Series) -> float | None:
        return series.attributes.get("echo_time_ms")

    def get_repetition_time_ms(self, series: Series) -> float | None:
        return series.attributes.get("repetition_time_ms")


class PriorSerializer(serializers.Serializer[Study]):
    id = serializers.UUIDField()
    study_date = serializers.DateField(allow_null=True)


class CandidateSerializer(serializers.Serializer[JSON]):
    series = serializers.UUIDField()
    score = serializers.IntegerField()
    is_excluded = serializers.BooleanField()
    reasons = serializers.ListField(child=serializers.CharField())


class SeriesChoiceSerializer(serializers.Serializer[JSON]):
    reason = serializers.CharField()
    overridden_by = serializers.CharField(allow_null=True, help_text="The reader who chose another series.")
    candidates = CandidateSerializer(many=True)


class PostContrastSeriesSerializer(serializers.Serializer[JSON]):
    series = serializers.UUIDField()
    reason = serializers.CharField()


class T1PairSerializer(serializers.Serializer[JSON]):
    """The T1s before and after contrast agent whose difference is looked at; null and null, and why, without them."""

    before = serializers.UUIDField(allow_null=True)
    after = serializers.UUIDField(allow_null=True)
    reason = serializers.CharField()


class WithheldAttributeSerializer(serializers.Serializer[JSON]):
    attribute = serializers.CharField(help_text="By its keyword; `private`: all that a vendor added.")
    outcome = serializers.CharField()
    count = serializers.IntegerField()


class DeidentificationSerializer(serializers.Serializer[Deidentification]):
    """What was not kept of a study that came from a node whose studies are de-identified on arrival."""

    node = serializers.UUIDField(source="node_id")
    profile = serializers.SerializerMethodField()
    instances = serializers.IntegerField(source="instance_count")
    silent_instances = serializers.IntegerField(
        source="silent_count", help_text="Those that do not say whether words are burned into them."
    )
    attributes = WithheldAttributeSerializer(many=True)

    def get_profile(self, row: Deidentification) -> str:
        return PROFILE


class StudyDetailSerializer(StudySerializer):
    """A study with its series, their choice, and the patient's earlier studies."""

    priors = PriorSerializer(many=True)
    series_choice = SeriesChoiceSerializer()
    post_contrast_series = PostContrastSeriesSerializer(
        allow_null=True, help_text="The T1 after contrast agent; null where there is none, or more than one is as good."
    )
    t1_pair = T1PairSerializer(allow_null=True, help_text="Null where the series were chosen by an earlier release.")
    deidentification = DeidentificationSerializer(
        allow_null=True, help_text="Null unless the study came from a node that is de-identified."
    )
    series = SeriesSerializer(many=True)

    def to_representation(self, study: Study) -> JSON:
        reader = study.flair_overridden_by
        post_contrast = study.series_choice.get("post_contrast")
        withheld: Deidentification | None = getattr(study, "deidentification", None)
        return {
            **super().to_representation(study),
            "priors": PriorSerializer(self.context["priors"], many=True).data,
            "series_choice": {
                "reason": study.series_choice.get("reason", ""),
                "overridden_by": reader.get_username() if reader else None,
                "candidates": study.series_choice.get("candidates", []),
            },
            "post_contrast_series": post_contrast if post_contrast and post_contrast["series"] else None,
            "t1_pair": study.series_choice.get("t1_pair"),
            "deidentification": DeidentificationSerializer(withheld).data if withheld else None,
            "series": SeriesSerializer(study.series.all(), many=True).data,
        }


class OverrideSerializer(serializers.Serializer[JSON]):
    flair_series = serializers.UUIDField(help_text="An MR series of the study.")


class SliceSerializer(serializers.Serializer[JSON]):
    index = serializers.IntegerField()
    sop_instance_uid = serializers.CharField()
    instance_number = serializers.IntegerField(allow_null=True)
    frame = serializers.IntegerField(help_text="From 1, as in WADO-RS.")
    position_mm = serializers.ListField(child=serializers.FloatField(), allow_null=True, help_text="x, y, z in LPS.")


class WindowSerializer(serializers.Serializer[JSON]):
    center = serializers.FloatField()
    width = serializers.FloatField()


class SeriesSlicesSerializer(serializers.Serializer[JSON]):
    series = serializers.UUIDField()
    study_instance_uid = serializers.CharField()
    series_instance_uid = serializers.CharField()
    slices = SliceSerializer(many=True)
    affine = serializers.ListField(
        child=serializers.FloatField(),
        allow_null=True,
        help_text="4x4, row by row: (slice, row, column, 1) to mm, LPS; null where the slices make no volume.",
    )
    shape = serializers.ListField(child=serializers.IntegerField(), allow_null=True, help_text="Slices, rows, columns.")
    window = WindowSerializer(allow_null=True)
    problems = serializers.ListField(child=serializers.CharField(), help_text="Why the slices make no volume.")


class SummarySerializer(serializers.Serializer[StudySummary]):
    studies_by_state = serializers.DictField(child=serializers.IntegerField())
    studies = serializers.IntegerField()
    patients = serializers.IntegerField()


class PatientSerializer(serializers.Serializer[Patient]):
    """A patient with the counts of the newest study that has a result; needs `studies`, by patient, in its context."""

    id = serializers.UUIDField()
    patient_id = serializers.CharField()
    issuer_of_patient_id = serializers.CharField()
    name = serializers.CharField()
    birth_date = serializers.DateField(allow_null=True)
    sex = serializers.CharField()
    site = SiteSerializer()
    study_count = serializers.IntegerField()
    latest_study = PriorSerializer(allow_null=True)
    lesion_counts = LesionCountsSerializer(allow_null=True)
    lesion_volumes_ml = LesionVolumesSerializer(allow_null=True)
    counting_rule = serializers.CharField(allow_null=True)

    def to_representation(self, patient: Patient) -> JSON:
        studies: list[Study] = self.context["studies"][patient.pk]
        with_result = next((study for study in studies if study.active_count is not None), None)
        return {
            "id": str(patient.pk),
            "patient_id": patient.patient_id,
            "issuer_of_patient_id": patient.issuer_of_patient_id,
            "name": patient.name,
            "birth_date": patient.birth_date,
            "sex": patient.sex,
            "site": {"id": str(patient.site.pk), "name": patient.site.name},
            "study_count": len(studies),
            "latest_study": PriorSerializer(studies[0]).data if studies else None,
            **lesions_of(with_result),
        }


class PatientDetailSerializer(PatientSerializer):
    hold_reason = serializers.CharField(help_text="Why nothing of the patient may be deleted; empty: no hold.")
    studies = StudySerializer(many=True)

    def to_representation(self, patient: Patient) -> JSON:
        studies = StudySerializer(self.context["studies"][patient.pk], many=True).data
        return {**super().to_representation(patient), "hold_reason": patient.hold_reason, "studies": studies}
