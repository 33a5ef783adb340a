"""Candidates that read along, and what they say of phantoms."""

from plaqueview.annotations.models import Annotation
from plaqueview.core.storage import store_bytes
from plaqueview.imaging.lesions import CountingRule, measure_lesions
from plaqueview.imaging.segmentation import Segmentation
from plaqueview.inference import services as inference
from plaqueview.registry.models import ModelVersion, Origin
from plaqueview.registry.services import NewModel, champion, register_new
from plaqueview.studies.models import Study
from tests.imaging.phantoms import labels_on, paint_sphere
from tests.inference.scenes import AFFINE, SHAPE, segmentation


def make_candidate(version: str = "trained-1", *, weights: bytes = b"weights") -> ModelVersion:
    """A model that was trained here."""
    new = NewModel(
        name="phantom-reader",
        version=version,
        sha256=version.ljust(64, "0"),
        preprocessing_version="five-steps-1",
        card="# A card",
        facts={},
        caveat="Trained here.",
        onnx_key=store_bytes([weights], kind="models").key,
        safetensors_key="",
    )
    return register_new(new, origin=Origin.TRAINED)


def read_by_champion(study: Study, found: Segmentation | None = None) -> Annotation:
    job = inference.request(study_id=study.pk, actor=None)
    reader = champion()
    assert reader is not None
    claim = inference.claim(job_id=job.pk, worker="worker-1", model_id=reader.pk)
    assert claim is not None
    return inference.complete(claim, segmentation=found or segmentation())


def other_segmentation() -> Segmentation:
    """As `segmentation()`, but the small inactive sphere is not there, and the large one is active."""
    known = segmentation()
    labels = labels_on(SHAPE, AFFINE)
    paint_sphere(labels, centre_mm=(-8.0, -8.0, -4.0), radius_mm=4.5, label=2)
    paint_sphere(labels, centre_mm=(0.0, 8.0, 4.0), radius_mm=5.5, label=2)
    table = measure_lesions(labels, None, rule=CountingRule())
    return Segmentation(
        labels=labels,
        brain_mask=known.brain_mask,
        plaque_probability=known.plaque_probability,
        active_probability=known.active_probability,
        lesions=table,
        seconds={"network": 2.5},
        warnings=(),
    )
