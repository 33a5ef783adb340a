"""The worker's task in shadow, in this process, with real weights."""

import pytest

from inference_worker import shadow_tasks, tasks
from inference_worker.prediction import shipped_weights
from plaqueview.inference import services as inference
from plaqueview.monitoring import services
from plaqueview.monitoring.models import ReadingState, ShadowReading, StudyMeasures
from plaqueview.studies.models import Study
from tests.inference.heads import settled_head
from tests.monitoring.scenes import make_candidate
from tests.training.scenes import make_admin

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("weights", "state", "reason"),
    [
        (None, ReadingState.SUCCEEDED, ""),
        (b"no graph", ReadingState.FAILED, "no ONNX graph that loads"),
    ],
)
def test_a_shadow_reads_what_the_champion_has_read_or_fails_by_itself(weights, state, reason):
    study = settled_head()
    model = make_candidate(weights=weights or shipped_weights().read_bytes())
    services.start_shadow(model_id=model.pk, actor=make_admin())
    tasks.segment.apply(args=[str(inference.request(study_id=study.pk, actor=None).pk)], throw=True)
    services.tend()
    reading, before = ShadowReading.objects.get(), Study.objects.values().get()

    shadow_tasks.read_in_shadow.apply(args=[str(reading.pk)], throw=True)

    reading.refresh_from_db()
    assert (reading.state, reason in reading.reason) == (state, True)
    assert Study.objects.values().get() == before
    measures = StudyMeasures.objects.get()
    assert (measures.slice_mm, measures.pixel_mm, measures.note, measures.intensity_contrast > 1.0) == (
        8.0,
        2.2,
        "",
        True,
    )
    if state == ReadingState.SUCCEEDED:
        assert (reading.against_champion["dice"], reading.against_champion["lesion_f1"]) == (1.0, 1.0)
