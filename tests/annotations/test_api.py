"""Annotations over REST: what a script gets, exactly, and what it does not."""

import gzip

import nibabel
import numpy as np
import pytest

from plaqueview.accounts.services import create_site
from plaqueview.annotations.models import Annotation
from plaqueview.audit.models import AuditEvent, EventKind
from plaqueview.core.access import Action, Role
from plaqueview.core.storage import store_bytes
from plaqueview.imaging import mask_codec
from plaqueview.imaging.lesion_sizes import SIZE_RULE
from plaqueview.imaging.nifti import encode_volume_nifti, read_volume_nifti
from plaqueview.imaging.volume import Volume, axial_reorientation
from plaqueview.inference import services
from plaqueview.studies.models import SeriesSource, Study
from tests.accounts.people import make_user, token_client
from tests.imaging.phantoms import axial_affine, rotated
from tests.inference.scenes import SHAPE, claimed, make_model, make_study, segmentation

pytestmark = pytest.mark.django_db


@pytest.fixture
def study() -> Study:
    return make_study()


@pytest.fixture
def annotation(study) -> Annotation:
    return services.complete(claimed(study), segmentation=segmentation(warnings=("The series is not axial.",)))


@pytest.fixture
def client(study):
    return token_client(make_user(Role.INTEGRATOR, site=study.site))


def test_the_versions_of_a_study_are_listed_newest_first(client, study, annotation):
    services.complete(claimed(study, actor=make_user(Role.NEUROLOGIST, site=study.site)), segmentation=segmentation())

    body = client.get(f"/api/v1/studies/{study.pk}/annotations").json()

    assert (body["count"], body["next"], body["previous"]) == (2, None, None)
    assert [row["version"] for row in body["results"]] == [2, 1]


def test_a_version_has_its_stamp_its_rule_and_its_counts_by_slice(client, study, annotation):
    body = client.get(f"/api/v1/annotations/{annotation.pk}").json()

    model = make_model()
    table = segmentation().lesions
    assert body.pop("created") is not None
    assert body.pop("lesion_volumes_ml") == pytest.approx(
        {"active": table.volumes_ml()["active"], "inactive": table.volumes_ml()["inactive"]}
    )
    assert body.pop("regions")["counts"]["not_determined"] == {"active": 1, "inactive": 2}
    assert body == {
        "id": str(annotation.pk),
        "study": str(study.pk),
        "series": str(study.flair_series_id),
        "version": 1,
        "state": "predicted",
        "author": None,
        "model": {"id": str(model.pk), "name": "phantom-reader", "version": "1.0", "sha256": model.sha256},
        "lesion_counts": {"active": 1, "inactive": 2},
        "counting_rule": table.rule.sentence,
        "claim": "AI-predicted, FLAIR only",
        "unconfirmed_active_count": 1,
        "notice": "Research use only, not a medical device.",
        "warnings": ["The series is not axial.", "Trained on phantoms."],
        "shape": list(SHAPE),
        "counts_by_size": {
            "small": {"active": 0, "inactive": 0},
            "medium": {"active": 0, "inactive": 2},
            "large": {"active": 1, "inactive": 0},
        },
        "size_rule": SIZE_RULE,
        "counts_by_slice": {kind.value: list(counts) for kind, counts in table.counts_by_slice().items()},
        "seconds": {"preprocessing": 0.5, "network": 1.25},
        "computation": "float32 on the CPU",
        "base": None,
        "base_version": None,
        "statements": [],
        "review": [],
    }


def test_the_lesions_of_a_study_are_those_of_its_current_version_by_class(client, study, annotation):
    everything = client.get(f"/api/v1/studies/{study.pk}/lesions").json()
    active = client.get(f"/api/v1/studies/{study.pk}/lesions?class=active").json()
    same = client.get(f"/api/v1/annotations/{annotation.pk}/lesions").json()

    assert (everything["count"], active["count"]) == (3, 1)
    assert same == everything
    row = active["results"][0]
    (lesion,) = (one for one in segmentation().lesions.lesions if one.lesion_class == "active")
    assert row.pop("id") == str(annotation.lesions.get(lesion_class="active").pk)
    assert row == {
        "number": lesion.number,
        "lesion_class": "active",
        "volume_ml": lesion.volume_ml,
        "longest_axis_mm": lesion.longest_axis_mm,
        "in_plane_axis_mm": lesion.in_plane_axis_mm,
        "voxel_count": lesion.voxel_count,
        "centroid_mm": list(lesion.centroid_mm),
        "centroid_index": list(lesion.centroid_index),
        "slice_indices": list(lesion.slice_indices),
        "mean_probability": 0.75,
        "region": "not_determined",
        "evidence": None,
    }


def test_an_unknown_class_is_refused_by_name(client, study, annotation):
    answer = client.get(f"/api/v1/studies/{study.pk}/lesions?class=old")

    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"field": "class", "detail": "one of inactive, active"}]


def test_a_study_without_a_result_has_no_lesions_resource(client, study):
    answer = client.get(f"/api/v1/studies/{study.pk}/lesions")

    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["detail"] == "the study has no annotation yet; it is queued"


def test_the_masks_are_the_arrays_of_the_segmentation(client, annotation):
    content = segmentation()

    labels = client.get(f"/api/v1/annotations/{annotation.pk}/mask")
    brain = client.get(f"/api/v1/annotations/{annotation.pk}/brain-mask")
    probability = client.get(f"/api/v1/annotations/{annotation.pk}/probability")

    np.testing.assert_array_equal(mask_codec.decode(labels.content), content.labels.voxels)
    np.testing.assert_array_equal(mask_codec.decode(brain.content), content.brain_mask)
    assert (probability.headers["Content-Encoding"], probability.headers["X-Shape"]) == ("gzip", "6,32,32")
    voxels = np.frombuffer(gzip.decompress(probability.content), np.uint8).reshape(SHAPE)
    np.testing.assert_array_equal(voxels, np.where(content.labels.voxels > 0, 191, 0))


def test_a_mask_is_fetched_once_and_by_nobody_else(client, annotation):
    address = f"/api/v1/annotations/{annotation.pk}/mask"
    first = client.get(address, headers={"accept": "image/png"})

    again = client.get(address, headers={"if-none-match": first.headers["ETag"]})

    assert first.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    assert first.headers["Content-Type"] == "application/octet-stream"
    assert first.headers["ETag"] == f'"{annotation.mask_key.rsplit("/", 1)[-1]}"'
    assert (again.status_code, again.content) == (304, b"")


def test_the_mask_of_a_dicom_series_is_a_nifti_on_the_grid_of_the_series(client, annotation, tmp_path):
    answer = client.get(f"/api/v1/annotations/{annotation.pk}/mask.nii.gz")

    volume = volume_in(answer, tmp_path)
    content = segmentation()
    np.testing.assert_array_equal(volume.voxels, content.labels.voxels)
    np.testing.assert_allclose(volume.affine, content.labels.affine, atol=1e-5)
    assert answer.headers["Content-Disposition"] == f'attachment; filename="annotation-{annotation.pk}.nii.gz"'
    assert answer.headers["Content-Type"] == "application/gzip"


def test_the_mask_of_a_nifti_lies_on_exactly_the_grid_of_the_nifti(client, study, annotation, tmp_path):
    """The source is sagittal, oblique and mirrored; the series is its axial reorientation."""
    mirrored = rotated(axial_affine((2.0, 1.5, 1.0)), 12.0) @ np.diag([1.0, -1.0, 1.0, 1.0])
    turned = mirrored[:, [2, 0, 1, 3]]
    content = segmentation()
    reorientation = axial_reorientation(turned)
    labels = reorientation.undo(content.labels.voxels)
    source = Volume(np.zeros(labels.shape, np.float32), turned)
    encoded = gzip.compress(encode_volume_nifti(source))
    series = annotation.series
    series.source, series.source_key = SeriesSource.NIFTI, store_bytes([encoded], kind="nifti").key
    series.save()

    answer = client.get(f"/api/v1/annotations/{annotation.pk}/mask.nii.gz")

    volume = volume_in(answer, tmp_path)
    assert volume.shape != SHAPE
    np.testing.assert_array_equal(volume.voxels, labels)
    header = nibabel.load(tmp_path / "mask.nii.gz").header
    expected = nibabel.Nifti1Image.from_bytes(gzip.decompress(encoded)).header
    np.testing.assert_array_equal(header.get_best_affine(), expected.get_best_affine())
    stamp = f"AI-predicted, FLAIR only; research use only; {make_model().sha256[:12]} 1.0 phantom-reader"
    assert header["descrip"].item().decode() == stamp[:80]


def volume_in(answer, folder) -> Volume:
    path = folder / "mask.nii.gz"
    path.write_bytes(answer.content)
    return read_volume_nifti(path)


@pytest.mark.parametrize("part", ["", "/mask", "/brain-mask", "/probability", "/mask.nii.gz", "/lesions"])
def test_another_site_and_a_narrow_token_read_nothing(study, annotation, part):
    stranger = token_client(make_user(Role.ADMIN, site=create_site(name="Elsewhere")))
    narrow = token_client(make_user(Role.NEUROLOGIST, site=study.site), Action.STUDY_READ)
    address = f"/api/v1/annotations/{annotation.pk}{part}"

    assert stranger.get(address).status_code == 404
    assert narrow.get(address).status_code == 403
    assert not AuditEvent.objects.filter(kind=EventKind.ANNOTATION_READ).exists()


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_nothing_here_is_written_over_rest(client, annotation, method):
    assert getattr(client, method)(f"/api/v1/annotations/{annotation.pk}").status_code in {403, 405}
    assert Annotation.objects.count() == 1


def test_every_part_that_was_read_is_on_record(client, study, annotation):
    for part in ("", "/mask", "/probability", "/lesions"):
        client.get(f"/api/v1/annotations/{annotation.pk}{part}")

    events = AuditEvent.objects.filter(kind=EventKind.ANNOTATION_READ).order_by("sequence")
    assert [event.details["part"] for event in events] == ["summary", "mask", "probability", "lesions"]
    assert {event.site_id for event in events} == {study.site_id}
