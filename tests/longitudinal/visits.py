"""Patients with several visits, the lesions of which are known."""

from datetime import date

import numpy as np

from plaqueview.accounts.models import Site
from plaqueview.annotations import services as annotations
from plaqueview.annotations.files import store_masks
from plaqueview.annotations.models import Annotation
from plaqueview.imaging.brightened_spots import spots_of
from plaqueview.imaging.brightening import BrighteningRule
from plaqueview.imaging.lesions import CountingRule, measure_lesions
from plaqueview.imaging.segmentation import Segmentation
from plaqueview.imaging.volume import Volume
from plaqueview.inference.journal import reference_to
from plaqueview.longitudinal import services
from plaqueview.longitudinal.models import Registration
from plaqueview.studies.models import Study
from tests.imaging.phantoms import labels_on, paint_sphere
from tests.inference.scenes import AFFINE, SHAPE, make_model, make_study

STILL = (1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0)
OLD, LASTING, NEW = ((-8.0, -8.0, -4.0), 4.5), ((8.0, -8.0, 0.0), 4.5), ((0.0, 8.0, 4.0), 5.5)


def visits(count: int = 2, *, site: Site | None = None) -> list[Study]:
    """A patient's settled studies, the newest first, a year apart."""
    newest = make_study(site=site, uid="1.2.3")
    studies = [newest, *(make_study(site=newest.site, uid=f"1.2.3{number}") for number in range(1, count))]
    for number, study in enumerate(studies):
        study.patient, study.study_date = newest.patient, date(2024 - number, 3, 14)
        study.save()
    return studies


def read_with(study: Study, *spheres) -> Annotation:
    """The network has found these lesions: ((x, y, z) mm, radius mm)."""
    labels = labels_on(SHAPE, AFFINE)
    for centre_mm, radius_mm in spheres:
        paint_sphere(labels, centre_mm=centre_mm, radius_mm=radius_mm, label=1)
    table = measure_lesions(labels, None, rule=CountingRule())
    nothing = np.zeros(SHAPE, np.float32)
    segmentation = Segmentation(
        Volume(table.class_labels(), labels.affine), np.ones(SHAPE, np.bool_), nothing, nothing, table, {}, ()
    )
    prediction = annotations.Prediction(segmentation, store_masks(segmentation), reference_to(make_model()))
    annotation = annotations.create_predicted(study_id=study.pk, series_id=study.flair_series_id, prediction=prediction)
    study.refresh_from_db()
    return annotation


def claimed(study: Study, prior: Study, *, worker: str = "worker-1") -> services.Claim:
    registration = services.request(study_id=study.pk, prior_id=prior.pk, actor=None)
    claim = services.claim(registration_id=registration.pk, worker=worker)
    assert claim is not None
    return claim


def brightened_in(*spheres, note: str = "") -> services.Brightening:
    """These spheres became brighter: ((x, y, z) mm, radius mm)."""
    spots = labels_on(SHAPE, AFFINE)
    for centre_mm, radius_mm in spheres:
        paint_sphere(spots, centre_mm=centre_mm, radius_mm=radius_mm, label=1)
    return services.Brightening(SHAPE, BrighteningRule().sentence, spots_of(spots), note)


def registered(study: Study, prior: Study, matrix=STILL, *, brightening=None) -> Registration:
    claim = claimed(study, prior)
    found = services.Found(
        matrix, similarity_before=0.5, similarity=0.9, seconds=1.5, brightening=brightening or brightened_in()
    )
    services.complete(claim, found=found)
    return Registration.objects.get(pk=claim.registration_id)
