"""A prediction becomes a version of the study, whole, once, and for good."""

import pytest
from django.db import IntegrityError, transaction

from plaqueview.accounts.services import create_site
from plaqueview.annotations import services
from plaqueview.annotations.files import store_masks
from plaqueview.annotations.models import Annotation, AnnotationState, FrozenError, Lesion
from plaqueview.audit.models import AuditEvent, EventKind
from plaqueview.core.access import Action, Role
from plaqueview.core.errors import DeniedError, NotFoundError
from plaqueview.imaging.lesions import CountingRule
from plaqueview.inference.journal import reference_to
from plaqueview.studies.models import Study
from tests.accounts.people import make_user
from tests.inference.scenes import make_model, make_study, segmentation

pytestmark = pytest.mark.django_db


def predict(study: Study, **changes) -> Annotation:
    content = segmentation(**changes)
    return services.create_predicted(
        study_id=study.pk,
        series_id=study.flair_series_id,
        prediction=services.Prediction(content, store_masks(content), reference_to(make_model()), ("From the job.",)),
    )


def test_a_prediction_carries_counts_volumes_rule_and_stamp():
    study = make_study()

    annotation = predict(study, warnings=("From the network.",))

    table = segmentation().lesions
    assert (annotation.version, annotation.state) == (1, AnnotationState.PREDICTED)
    assert (annotation.active_count, annotation.inactive_count) == (1, 2)
    assert annotation.active_volume_ml == pytest.approx(table.volumes_ml()["active"])
    assert annotation.counting_rule == CountingRule().sentence
    assert annotation.shape == (6, 32, 32)
    assert annotation.warnings == ["From the network.", "From the job."]
    assert annotation.seconds == {"preprocessing": 0.5, "network": 1.25}
    assert annotation.computation == "float32 on the CPU"
    model = make_model()
    assert (annotation.model_name, annotation.model_version, annotation.model_sha256) == (
        model.name,
        model.version,
        model.sha256,
    )


def test_the_lesions_are_rows_with_the_measures_of_the_table():
    annotation = predict(make_study())

    measured = segmentation().lesions.lesions
    rows = list(annotation.lesions.order_by("number"))
    assert [row.number for row in rows] == [1, 2, 3]
    assert [row.lesion_class for row in rows] == [lesion.lesion_class.value for lesion in measured]
    assert [row.volume_ml for row in rows] == [lesion.volume_ml for lesion in measured]
    assert [row.slice_indices for row in rows] == [list(lesion.slice_indices) for lesion in measured]
    assert [row.centroid_mm for row in rows] == [list(lesion.centroid_mm) for lesion in measured]
    assert [row.mean_probability for row in rows] == [0.75, 0.75, 0.75]


def test_the_study_shows_the_newest_version():
    study = make_study()
    predict(study)

    second = predict(study)

    study.refresh_from_db()
    assert second.version == 2
    assert study.current_annotation_id == second.pk
    assert (study.active_count, study.inactive_count) == (1, 2)
    assert study.annotation_summary["claim"] == "AI-predicted, FLAIR only"
    assert study.annotation_summary["model"]["sha256"] == make_model().sha256


def test_creating_is_on_record():
    study = make_study()

    annotation = predict(study)

    event = AuditEvent.objects.get(kind=EventKind.ANNOTATION_CREATED)
    assert (event.object_id, event.site_id, event.actor_name) == (str(annotation.pk), study.site_id, "system")


def test_an_annotation_and_its_lesions_cannot_be_changed_or_deleted():
    annotation = predict(make_study())
    annotation.active_count = 7

    for change in (
        annotation.save,
        annotation.delete,
        annotation.lesions.first().save,
        annotation.lesions.first().delete,
    ):
        with pytest.raises(FrozenError):
            change()

    assert Annotation.objects.get().active_count == 1
    assert Lesion.objects.count() == 3


def test_the_database_holds_to_one_origin_and_one_number():
    annotation = predict(make_study())

    for fields in ({"model_id": None}, {"version": 0}, {"state": "perfect"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Annotation.objects.filter(pk=annotation.pk).update(**fields)
    with pytest.raises(IntegrityError), transaction.atomic():
        Lesion.objects.filter(number=2).update(number=1)


def test_reading_is_on_record_and_stays_within_the_site():
    study = make_study()
    annotation = predict(study)
    insider = make_user(Role.NEUROLOGIST, site=study.site)
    outsider = make_user(Role.NEUROLOGIST, site=create_site(name="Elsewhere"))

    assert services.read(annotation_id=annotation.pk, actor=insider, part="mask") == annotation
    with pytest.raises(NotFoundError):
        services.read(annotation_id=annotation.pk, actor=outsider, part="mask")
    with pytest.raises(NotFoundError):
        services.read_current(study_id=study.pk, actor=outsider, part="lesions")
    with pytest.raises(NotFoundError):
        services.read_versions(study_id=study.pk, actor=outsider)

    event = AuditEvent.objects.get(kind=EventKind.ANNOTATION_READ)
    assert (event.actor_id, event.details) == (insider.pk, {"study": str(study.pk), "part": "mask"})


def test_a_token_without_the_action_reads_nothing():
    study = make_study()
    annotation = predict(study)
    user = make_user(Role.NEUROLOGIST, site=study.site)
    user.token_scopes = frozenset({Action.STUDY_READ})

    for read in (
        lambda: services.read(annotation_id=annotation.pk, actor=user, part="mask"),
        lambda: services.read_current(study_id=study.pk, actor=user, part="lesions"),
        lambda: services.read_versions(study_id=study.pk, actor=user),
    ):
        with pytest.raises(DeniedError):
            read()

    assert not AuditEvent.objects.filter(kind=EventKind.ANNOTATION_READ).exists()


def test_no_annotation_yet_is_not_no_lesions():
    study = make_study()
    reader = make_user(Role.NEUROLOGIST, site=study.site)

    with pytest.raises(NotFoundError, match="no annotation yet; it is queued"):
        services.read_current(study_id=study.pk, actor=reader, part="lesions")
