"""The worker's task on DICOM as it was received: from three series to the lesion that took up contrast agent."""

import numpy as np
import pytest

from inference_worker import enhancement_tasks
from inference_worker.tasks import NO_BRAIN
from plaqueview.accounts.services import create_site
from plaqueview.annotations import services as annotations
from plaqueview.annotations.files import store_masks
from plaqueview.core.access import Role
from plaqueview.enhancement import services
from plaqueview.enhancement.models import Enhancement
from plaqueview.imaging.lesions import CountingRule, measure_lesions
from plaqueview.imaging.segmentation import Segmentation
from plaqueview.imaging.volume import Volume
from plaqueview.inference.journal import reference_to
from plaqueview.studies import services as studies
from plaqueview.studies.models import Study
from tests.accounts.people import make_user
from tests.inference.heads import flair_datasets
from tests.inference.scenes import make_model
from tests.studies.dicom_files import T1, receive_series
from tests.worker.support import head_volume

pytestmark = pytest.mark.django_db

SHAPE, SPACING_MM = (12, 96, 96), (8.0, 2.2, 2.2)
SHIFT_MM = (6.0, -4.0, 9.0)
TAKEN_UP, DARK = (slice(5, 7), slice(62, 67), slice(30, 35)), (slice(5, 7), slice(62, 67), slice(58, 63))
FRAME_UID = "1.2.840.99.5"


def received_visit(frame_of_reference_uid: str = FRAME_UID) -> Study:
    """One head by FLAIR, by T1 while the table stood elsewhere, and by T1 after contrast agent, which one lesion took
    up.
    """
    head = head_volume(SHAPE, SPACING_MM)
    moved, bright = head.affine.copy(), head.voxels.copy()
    moved[:3, 3] += SHIFT_MM
    bright[TAKEN_UP] += 0.6 * head.voxels.max()
    site, series_of_visit = (
        create_site(name="Ljubljana"),
        (
            (head, {}),
            (Volume(head.voxels, moved), {**T1, "AcquisitionTime": "093000"}),
            (head.with_voxels(bright), {**T1, "SeriesDescription": "t1 mprage km", "AcquisitionTime": "095000"}),
        ),
    )
    for number, (volume, attributes) in enumerate(series_of_visit):
        datasets = flair_datasets(volume)
        for dataset in datasets:
            dataset.StudyInstanceUID = "1.2.840.99.6"
            dataset.FrameOfReferenceUID = FRAME_UID if number < 2 else frame_of_reference_uid
            for keyword, value in attributes.items():
                setattr(dataset, keyword, value)
        receive_series(datasets, site=site)
    study = Study.objects.get()
    studies.settle(study.pk)
    study.refresh_from_db()
    return study


def read_by_network(study: Study) -> None:
    """Two lesions and the brain."""
    head = head_volume(SHAPE, SPACING_MM)
    labels = np.zeros(SHAPE, np.uint8)
    labels[TAKEN_UP] = labels[DARK] = 1
    table = measure_lesions(head.with_voxels(labels), None, rule=CountingRule())
    nothing = np.zeros(SHAPE, np.float32)
    brain = head.voxels > 60.0
    segmentation = Segmentation(head.with_voxels(labels), brain, nothing, nothing, table, {}, ())
    prediction = annotations.Prediction(segmentation, store_masks(segmentation), reference_to(make_model()))
    annotations.create_predicted(study_id=study.pk, series_id=study.flair_series_id, prediction=prediction)


def searched(study: Study) -> Enhancement:
    services.request_for_study(study.pk)
    enhancement_tasks.find.apply(args=[str(Enhancement.objects.get().pk)], throw=True)
    return Enhancement.objects.get()


def test_the_lesion_that_took_up_the_agent_is_named():
    study = received_visit()
    read_by_network(study)

    row = searched(study)

    read = services.read_uptakes(study_id=study.pk, annotation_id=None, actor=make_user(Role.ADMIN, site=study.site))
    (uptake,) = read.uptakes
    assert (row.state, row.reason) == ("succeeded", "")
    assert row.similarity > 0.5
    slice_index, line, column = uptake.anchor
    assert (5 <= slice_index < 7, 62 <= line < 67, 30 <= column < 35) == (True, True, True)
    assert enhancement_tasks.find.apply(args=[str(row.pk)], throw=True).successful()  # sent twice, it is done once


def test_a_t1_of_another_frame_of_reference_is_not_compared():
    study = received_visit("1.2.840.99.55")
    read_by_network(study)

    row = searched(study)

    assert (row.state, row.reason) == (
        "failed",
        "the FLAIR and the T1 after contrast agent have no common frame of reference",
    )


def test_without_a_brain_nothing_is_told(monkeypatch):
    study = received_visit()
    read_by_network(study)
    study.annotations.update(brain_mask_key="")

    assert searched(study).reason == NO_BRAIN
