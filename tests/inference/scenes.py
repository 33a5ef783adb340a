"""Studies that have settled, models that are registered, and segmentations of known content."""

import hashlib

import numpy as np
from django.utils import timezone

from plaqueview.accounts.models import Site
from plaqueview.accounts.services import create_site
from plaqueview.imaging.lesions import CountingRule, measure_lesions
from plaqueview.imaging.segmentation import Segmentation
from plaqueview.imaging.volume import Volume
from plaqueview.inference import services
from plaqueview.inference.leases import Claim
from plaqueview.patients.models import Patient
from plaqueview.registry.models import ModelVersion
from plaqueview.registry.services import ShippedModel, register_shipped
from plaqueview.studies.models import Series, Study, StudyState
from tests.imaging.phantoms import axial_affine, labels_on, paint_sphere

SHAPE = (6, 32, 32)
AFFINE = axial_affine(spacing_mm=(4.0, 1.0, 1.0), origin_mm=(-16.0, -16.0, -12.0))


def make_model(version: str = "1.0", *, name: str = "phantom-reader") -> ModelVersion:
    return register_shipped(shipped(version, name=name))


def shipped(version: str = "1.0", *, name: str = "phantom-reader", weights: bytes | None = None) -> ShippedModel:
    content = weights if weights is not None else f"{name} {version}".encode()
    return ShippedModel(
        name=name,
        version=version,
        sha256=hashlib.sha256(content).hexdigest(),
        preprocessing_version="five-steps-1",
        card="# A card",
        facts={"metrics": {"dice": 0.5}},
        caveat="Trained on phantoms.",
    )


def make_study(*, site: Site | None = None, uid: str = "1.2.3", state: StudyState = StudyState.QUEUED) -> Study:
    """A settled study whose one series is its FLAIR."""
    site = site or create_site(name=f"Site {Site.objects.count()}")
    patient = Patient.objects.create(site=site, patient_id=f"P-{uid}", name="Novak^Ana")
    study = Study.objects.create(
        site=site, patient=patient, study_instance_uid=uid, state=state, is_settled=True, received_at=timezone.now()
    )
    choose_flair(study, add_series(study, f"{uid}.1"))
    return study


def add_series(study: Study, uid: str, **fields) -> Series:
    return Series.objects.create(
        study=study, series_instance_uid=uid, modality="MR", slice_count=SHAPE[0], **{"is_complete": True, **fields}
    )


def choose_flair(study: Study, series: Series, *, content: str = "as first received") -> None:
    """What settling, or a reader's override, leaves in the study."""
    study.flair_series = series
    study.flair_sha256 = hashlib.sha256(f"{series.pk} {content}".encode()).hexdigest()
    study.save()


def segmentation(*, warnings: tuple[str, ...] = ()) -> Segmentation:
    """Two inactive spheres and one active one, with a probability of 0.75 inside."""
    labels = labels_on(SHAPE, AFFINE)
    paint_sphere(labels, centre_mm=(-8.0, -8.0, -4.0), radius_mm=4.5, label=1)
    paint_sphere(labels, centre_mm=(8.0, -8.0, 0.0), radius_mm=3.5, label=1)
    paint_sphere(labels, centre_mm=(0.0, 8.0, 4.0), radius_mm=5.5, label=2)
    probability = np.where(labels.voxels > 0, np.float32(0.75), np.float32(0.0))
    table = measure_lesions(labels, probability, rule=CountingRule())
    return Segmentation(
        labels=Volume(table.class_labels(), labels.affine),
        brain_mask=np.ones(SHAPE, np.bool_),
        plaque_probability=probability,
        active_probability=np.where(labels.voxels == 2, probability, np.float32(0.0)),
        lesions=table,
        seconds={"preprocessing": 0.5, "network": 1.25},
        warnings=warnings,
        computation="float32 on the CPU",
    )


def claimed(study: Study, *, worker: str = "worker-1", actor=None) -> Claim:
    """The study's job, requested and claimed."""
    model = ModelVersion.objects.first() or make_model()
    job = services.request(study_id=study.pk, actor=actor)
    claim = services.claim(job_id=job.pk, worker=worker, model_id=model.pk)
    assert claim is not None
    return claim
