"""New studies are read by the champion; what was read before keeps its stamp."""

import pytest

from inference_worker import tasks
from inference_worker.prediction import shipped_weights
from plaqueview.annotations.models import Annotation
from plaqueview.core.storage import store_bytes
from plaqueview.inference import services as inference
from plaqueview.registry.models import Origin
from plaqueview.registry.services import NewModel, make_champion, register_new, register_shipped
from plaqueview.studies.models import Study
from tests.inference.heads import settled_head

pytestmark = pytest.mark.django_db(transaction=True)


def read(study: Study) -> Annotation:
    job = inference.request(study_id=study.pk, actor=None)
    tasks.segment.apply(args=[str(job.pk)], throw=True)
    return Annotation.objects.get(study=study)


def test_a_promoted_model_reads_the_next_study():
    shipped = register_shipped(tasks.reader().shipped)
    before = read(settled_head())
    trained = register_new(
        NewModel(
            name=shipped.name,
            version="trained-1",
            sha256="1" * 64,
            preprocessing_version=shipped.preprocessing_version,
            card="# A card",
            facts={},
            caveat="Trained here.",
            onnx_key=store_bytes([shipped_weights().read_bytes()], kind="models").key,
            safetensors_key="",
        ),
        origin=Origin.TRAINED,
    )
    make_champion(trained)

    after = read(settled_head(patient_id="P2"))

    assert (after.model_id, after.model_version, after.warnings[-1]) == (trained.pk, "trained-1", "Trained here.")
    before.refresh_from_db()
    assert (before.model_id, before.model_version) == (shipped.pk, shipped.version)
    assert after.counts == before.counts
