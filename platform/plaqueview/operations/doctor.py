"""What `plaqueview manage doctor` asks, in this order; the checks of `/readyz` are among them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Final

from django.core import checks
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from kombu.exceptions import OperationalError

from plaqueview.celery import celery_app
from plaqueview.core import copies, health
from plaqueview.core.errors import UnavailableError
from plaqueview.core.queue import DEFAULT_QUEUE, INFERENCE_QUEUE, TRAINING_QUEUE
from plaqueview.operations.clocks import check_clocks
from plaqueview.operations.readiness import READINESS
from plaqueview.operations.sealing import Census

# Celery's clock writes down what it has sent every ten seconds or so: CELERY_BEAT_SYNC_EVERY.
ERRANDS_ARE_SEEN_WITHIN: Final = timedelta(minutes=1)


@dataclass(frozen=True)
class Examination:
    """A check, what is true when it passes, and what to do when it does not; one without need only tells.

    `tell` says more of what is true than `claim` can.
    """

    name: str
    check: health.Check
    claim: str
    advice: str
    is_needed: bool = True
    tell: Callable[[], str] | None = None


@dataclass(frozen=True)
class Finding:
    """`problem` is empty when the check passed."""

    examination: Examination
    problem: str
    told: str = ""

    @property
    def is_failure(self) -> bool:
        return bool(self.problem) and self.examination.is_needed

    @property
    def line(self) -> str:
        one = self.examination
        mark = "FAIL" if self.is_failure else "note" if self.problem else "ok"
        return f"{mark:4}  {one.name:18}  " + (
            f"{self.problem}: {one.advice}" if self.problem else self.told or one.claim
        )


def examine() -> Iterator[Finding]:
    """Each finding, as soon as it is there."""
    for examination in (*OF_SETTINGS_AND_STORES, *_of_identifiers(Census()), *OF_WORK):
        problem = health.problem_of(examination.check)
        yield Finding(examination, problem, "" if problem or examination.tell is None else examination.tell())


def check_settings() -> None:
    """Raises: UnavailableError with Django's own errors."""
    _require_none_of(checks.ERROR, checks.CRITICAL + 1)


def check_settings_for_patients() -> None:
    """Raises: UnavailableError with what Django advises against where patients are."""
    _require_none_of(checks.WARNING, checks.ERROR)


def _require_none_of(lowest: int, below: int) -> None:
    messages = checks.run_checks(include_deployment_checks=True)
    found = [message for message in messages if lowest <= message.level < below and not message.is_silenced()]
    if found:
        raise UnavailableError("; ".join(f"{message.id} {message.msg.splitlines()[0]}" for message in found))


def check_queues() -> None:
    """Raises: UnavailableError when the broker of the tasks, which may be another than the cache's, is away."""
    try:
        with celery_app.connection_for_write() as connection:
            connection.ensure_connection(max_retries=1, timeout=int(health.BROKER_TIMEOUT_S))
    except (OperationalError, OSError) as error:
        raise UnavailableError("the broker of the tasks does not answer") from error


def check_erasing() -> None:
    """Raises: UnavailableError when the storage bucket keeps what is removed from it, or refuses to say."""
    there = copies.bucket()
    if there is not None and there.keeps_versions():
        raise UnavailableError("the storage bucket keeps versions of what is erased from it")


def check_errands() -> None:
    """Raises: UnavailableError when no task was sent by the clock of late."""
    since = timezone.now() - ERRANDS_ARE_SEEN_WITHIN
    if not PeriodicTask.objects.filter(last_run_at__gte=since).exists():
        minutes = ERRANDS_ARE_SEEN_WITHIN.total_seconds() / 60
        raise UnavailableError(f"no task was sent on time within {minutes:g} min")


def _worker_of(queue: str, advice: str, *, is_needed: bool = True) -> Examination:
    worker = health.worker_of_queue(queue)
    claim = f"a worker serves the queue {queue}"
    return Examination(f"worker {queue}", partial(health.require_beat, worker), claim, advice, is_needed)


def _ready(name: str, claim: str, advice: str) -> Examination:
    return Examination(name, READINESS[name], claim, advice)


def _of_identifiers(census: Census) -> tuple[Examination, ...]:
    return (
        Examination(
            "identifiers",
            census.check_that_all_open,
            "what names patients can be read",
            "give PLAQUEVIEW_IDENTIFIER_KEYS that key back; nobody else has it",
            tell=census.tell,
        ),
        Examination(
            "sealing",
            census.check_that_all_are_in_form,
            "every row is as the first of PLAQUEVIEW_IDENTIFIER_KEYS wants it",
            "run `plaqueview manage seal_identifiers`",
            is_needed=False,
        ),
    )


START_A_WORKER: Final = "start one, and read its log"

OF_SETTINGS_AND_STORES: Final = (
    Examination("settings", check_settings, "no errors", "correct the environment file"),
    Examination(
        "settings for care",
        check_settings_for_patients,
        "nothing that Django advises against",
        "correct these before patients' studies come in",
        is_needed=False,
    ),
    _ready(
        "database",
        "answers and has every migration",
        "start it, compare PLAQUEVIEW_DATABASE_URL, then run `plaqueview manage migrate`",
    ),
    _ready("broker", "answers", "start Redis or Valkey, and compare PLAQUEVIEW_REDIS_URL"),
    Examination("queues", check_queues, "the broker of the tasks answers", "compare PLAQUEVIEW_BROKER_URL"),
    _ready(
        "storage",
        "takes a file and has room",
        "make room, give PLAQUEVIEW_STORAGE_DIR to the user of these processes, or compare PLAQUEVIEW_S3_*",
    ),
    Examination("erasing", check_erasing, "the storage keeps nothing of it", "turn the bucket's versions off"),
)
OF_WORK: Final = (
    Examination("clock", check_clocks, "that of database and broker", "have every machine follow one time server"),
    _worker_of(DEFAULT_QUEUE, START_A_WORKER),
    _worker_of(INFERENCE_QUEUE, START_A_WORKER),
    _worker_of(TRAINING_QUEUE, "only retraining needs one", is_needed=False),
    Examination("errands", check_errands, "the clock of the tasks runs", "start `celery beat`, once"),
    _ready("model", "new studies have a champion", "start a worker of the queue inference, or promote a version"),
)
