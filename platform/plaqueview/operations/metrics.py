"""Figures for Prometheus, read from database and broker at each scrape, so that every process gives the same answer."""

import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import numpy as np
from django.conf import settings
from django.db import DatabaseError
from django.db.models import Count, Model
from kombu.exceptions import OperationalError
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from plaqueview import __version__
from plaqueview.celery import celery_app
from plaqueview.core import clock, health
from plaqueview.core.queue import DEFAULT_QUEUE, INFERENCE_QUEUE, TRAINING_QUEUE
from plaqueview.inference.models import InferenceJob, JobState
from plaqueview.operations.readiness import READINESS
from plaqueview.outbox.models import Transfer, TransferState
from plaqueview.registry.models import ModelVersion, Stage
from plaqueview.studies.models import Study, StudyState
from plaqueview.training.models import RunState, TrainingRun

QUEUES = (DEFAULT_QUEUE, INFERENCE_QUEUE, TRAINING_QUEUE)
RECENT = timedelta(hours=1)
NOBODY_ANSWERS = (DatabaseError, OperationalError, OSError)

Figures = Callable[[], Iterator[Metric]]


def exposition() -> bytes:
    """All figures in Prometheus' text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Installation())
    return generate_latest(registry)


class _Installation(Collector):
    def collect(self) -> Iterator[Metric]:
        """The figures of each part that answers; `plaqueview_check_ok` says which does not."""
        for figures in FIGURES:
            try:
                yield from list(figures())
            except NOBODY_ANSWERS:
                continue


def _checks() -> Iterator[Metric]:
    yield InfoMetricFamily("plaqueview_build", "The version that runs.", value={"version": __version__})
    passed = GaugeMetricFamily("plaqueview_check_ok", "1: the check of /readyz passes.", labels=["check"])
    for name, check in READINESS.items():
        passed.add_metric([name], float(not health.problem_of(check)))
    yield passed


def _queues() -> Iterator[Metric]:
    waiting = GaugeMetricFamily("plaqueview_queue_tasks", "Tasks that no worker has taken yet.", labels=["queue"])
    with celery_app.connection_for_read() as connection:
        connection.ensure_connection(max_retries=1, timeout=int(health.BROKER_TIMEOUT_S))
        for queue in QUEUES:
            waiting.add_metric([queue], _length(connection, queue))
    yield waiting


def _length(connection: Any, queue: str) -> float:  # Any: kombu has no types
    """A queue that nothing waits in does not exist. One channel for all, since opening it takes longer than asking;
    where RabbitMQ closes it because there is no such queue, its client opens it again.
    """
    try:
        return float(connection.default_channel.queue_declare(queue, passive=True).message_count)
    except connection.channel_errors:
        return 0.0


def _states() -> Iterator[Metric]:
    yield _by_state("plaqueview_studies", "Studies by state.", Study, StudyState.values)
    yield _by_state("plaqueview_jobs", "Inferences by state.", InferenceJob, JobState.values)
    yield _by_state("plaqueview_transfers", "Transfers to remote nodes by state.", Transfer, TransferState.values)
    yield _by_state("plaqueview_training_runs", "Training runs by state.", TrainingRun, RunState.values)


def _by_state(name: str, help_text: str, model: type[Model], states: list[str]) -> Metric:
    """Also of the states in which nothing is, so that a graph shows 0 and no gap."""
    rows = model._default_manager.order_by().values_list("state").annotate(count=Count("*"))  # noqa: SLF001 (Django's name)
    counts = dict(rows)
    metric = GaugeMetricFamily(name, help_text, labels=["state"])
    for state in states:
        metric.add_metric([state], counts.get(state, 0))
    return metric


def _job_seconds() -> Iterator[Metric]:
    """From the first claim to the end. No histogram: to erase a patient lowers its counts, which Prometheus takes for a
    restart.
    """
    times = InferenceJob.objects.order_by().filter(state=JobState.SUCCEEDED, started_at__gte=clock.now() - RECENT)
    pairs = times.values_list("started_at", "finished_at")
    took_s = [(finished - started).total_seconds() for started, finished in pairs if started and finished]
    help_text = "Seconds of the inferences that began within an hour and succeeded."
    metric = GaugeMetricFamily("plaqueview_job_seconds", help_text, labels=["statistic"])
    if took_s:
        median, high = np.percentile(took_s, (50, 95))
        for statistic, value in (("median", median), ("p95", high), ("mean", np.mean(took_s))):
            metric.add_metric([statistic], float(value))
    yield metric


def _champion() -> Iterator[Metric]:
    champion = ModelVersion.objects.filter(stage=Stage.CHAMPION).first()
    if champion is not None:
        labels = {"name": champion.name, "version": champion.version, "sha256": champion.sha256}
        yield InfoMetricFamily("plaqueview_champion", "The model that reads new studies.", value=labels)


def _storage() -> Iterator[Metric]:
    free_bytes = shutil.disk_usage(settings.STORAGE_DIR).free
    yield GaugeMetricFamily("plaqueview_storage_free_bytes", "Free bytes of the storage's disk.", value=free_bytes)
    reserve = "Free bytes below which the storage refuses new studies."
    yield GaugeMetricFamily("plaqueview_storage_reserve_bytes", reserve, value=settings.DISK_RESERVE_BYTES)


FIGURES: tuple[Figures, ...] = (_checks, _queues, _states, _job_seconds, _champion, _storage)
