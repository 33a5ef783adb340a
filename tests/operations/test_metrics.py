"""Figures are those of database and broker, for whoever has the token; the dashboard asks for figures that exist."""

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from plaqueview.celery import celery_app
from plaqueview.core import health
from plaqueview.core.queue import INFERENCE_QUEUE
from plaqueview.inference import services
from plaqueview.inference.models import InferenceJob
from plaqueview.studies.models import StudyState
from tests.inference.scenes import claimed, make_model, make_study, segmentation

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).parents[2]
TOKEN = "only-for-tests-0123456789-metrics-token"
DASHBOARD = json.loads((ROOT / "deploy" / "grafana-dashboard.json").read_text(encoding="utf-8"))

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@pytest.fixture(autouse=True)
def installation(settings, tmp_path) -> None:
    settings.METRICS_TOKEN = TOKEN
    settings.STORAGE_DIR = tmp_path


def succeed_after(seconds: float, uid: str, *, began_ago_s: float = 0.0) -> None:
    services.complete(claimed(make_study(uid=uid)), segmentation=segmentation())
    began = timezone.now() - timedelta(seconds=began_ago_s)
    InferenceJob.objects.filter(study__study_instance_uid=uid).update(
        started_at=began, finished_at=began + timedelta(seconds=seconds)
    )


def scrape(token: str = TOKEN):
    return Client().get("/metrics", headers={"Authorization": f"Bearer {token}"})


def samples() -> Samples:
    families = text_string_to_metric_families(scrape().content.decode())
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def of(found: Samples, name: str, label: str) -> dict[str, float]:
    return {dict(labels)[label]: value for (sample, labels), value in found.items() if sample == name}


def test_the_figures_are_those_of_database_and_broker(settings):
    model = make_model()
    make_study(uid="1.2.1", state=StudyState.READY)
    make_study(uid="1.2.2", state=StudyState.FAILED)
    for _ in range(3):
        celery_app.send_task("inference.run", args=("id",), queue=INFERENCE_QUEUE, priority=9)
    health.beat(health.worker_of_queue(INFERENCE_QUEUE))

    found = samples()

    assert of(found, "plaqueview_queue_tasks", "queue") == {"default": 0, "inference": 3, "training": 0}
    assert of(found, "plaqueview_check_ok", "check") == {
        "database": 1, "broker": 1, "storage": 1, "worker": 0, "model": 1
    }  # fmt: skip
    states = dict.fromkeys(StudyState.values, 0) | {StudyState.READY.value: 1, StudyState.FAILED.value: 1}
    assert of(found, "plaqueview_studies", "state") == states
    assert set(of(found, "plaqueview_transfers", "state").values()) == {0}
    assert of(found, "plaqueview_champion_info", "sha256") == {model.sha256: 1}
    assert found["plaqueview_storage_free_bytes", ()] > 0
    assert of(found, "plaqueview_job_seconds", "statistic") == {}


def test_the_seconds_of_recent_jobs_are_told_and_an_erased_one_leaves_no_trace_in_them():
    succeed_after(3.0, "1.2.1", began_ago_s=3500.0)
    succeed_after(45.0, "1.2.2")
    succeed_after(9.0, "1.2.3", began_ago_s=3610.0)

    found = samples()

    assert of(found, "plaqueview_job_seconds", "statistic") == pytest.approx(
        {"median": 24.0, "p95": 42.9, "mean": 24.0}
    )
    assert of(found, "plaqueview_jobs", "state")["succeeded"] == 3

    InferenceJob.objects.filter(study__study_instance_uid="1.2.2").delete()

    assert of(samples(), "plaqueview_job_seconds", "statistic") == pytest.approx(
        {"median": 3.0, "p95": 3.0, "mean": 3.0}
    )


def test_a_broker_that_is_away_takes_its_figures_and_no_others(settings, monkeypatch):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": settings.REDIS_URL}}
    monkeypatch.setattr(celery_app.conf, "broker_read_url", settings.REDIS_URL)

    found = samples()

    assert of(found, "plaqueview_check_ok", "check")["broker"] == 0
    assert of(found, "plaqueview_queue_tasks", "queue") == {}
    assert of(found, "plaqueview_studies", "state") == dict.fromkeys(StudyState.values, 0)


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {TOKEN}"}])
def test_without_the_token_there_are_no_figures(header):
    answer = Client().get("/metrics", headers=header)

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="plaqueview metrics"'
    assert b"plaqueview_" not in answer.content


def test_without_the_setting_there_is_nothing_at_this_address(settings):
    settings.METRICS_TOKEN = ""

    assert scrape("").status_code == 404


def test_the_dashboard_asks_for_figures_that_exist_and_for_all_but_the_version():
    make_model()
    succeed_after(3.0, "1.2.1")
    asked = {
        name
        for panel in DASHBOARD["panels"]
        for target in panel["targets"]
        for name in re.findall(r"plaqueview_\w+", target["expr"])
    }
    given = {name for name, _ in samples()}

    assert asked - given == set()
    assert given - asked == {"plaqueview_build_info"}
