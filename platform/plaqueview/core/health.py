"""Alive, and ready: each part is really asked.

Workers beat on their own: `core.tasks` writes a key for every queue that a worker serves, each time Celery sends the
worker's heartbeat, also while a long task runs.
"""

import logging
import time
from collections.abc import Callable, Mapping
from functools import cache as cache_for_process
from http import HTTPStatus
from typing import ClassVar

from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views import View
from django.views.decorators.http import require_safe
from redis import Redis
from redis.exceptions import RedisError

from plaqueview.core.errors import UnavailableError
from plaqueview.core.queue import DEFAULT_QUEUE, INFERENCE_QUEUE
from plaqueview.core.storage import probe, require_free_space

logger = logging.getLogger(__name__)

Check = Callable[[], None]

BEAT_LIFETIME_S = 20
BROKER_TIMEOUT_S = 2.0


def beat(name: str) -> None:
    """`name` counts as alive for the next `BEAT_LIFETIME_S` seconds."""
    cache.set(_beat_key(name), time.time(), timeout=BEAT_LIFETIME_S)


def require_beat(name: str) -> None:
    """Raises: UnavailableError when `name` has not beaten within its lifetime."""
    if cache.get(_beat_key(name)) is None:
        raise UnavailableError(f"no {name} was heard of within {BEAT_LIFETIME_S} s")


def check_database() -> None:
    """Raises: UnavailableError when the database does not answer or lacks migrations."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        require_migrations()
    except DatabaseError as error:
        raise UnavailableError("the database does not answer") from error


@cache_for_process
def require_migrations() -> None:
    """Asked until it is true once: a later process may add migrations while this one still serves.

    Raises: UnavailableError when the database lacks migrations that this process knows.
    """
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing:
        raise UnavailableError(f"the database lacks {len(missing)} migrations; run `plaqueview manage migrate`")


def check_broker() -> None:
    """Raises: UnavailableError when the broker does not answer a ping in time."""
    try:
        with Redis.from_url(
            settings.REDIS_URL, socket_connect_timeout=BROKER_TIMEOUT_S, socket_timeout=BROKER_TIMEOUT_S
        ) as broker:
            broker.ping()
    except (RedisError, OSError) as error:
        raise UnavailableError("the broker does not answer") from error


def check_storage() -> None:
    """Raises: UnavailableError when the storage has too little room or refuses a file."""
    try:
        require_free_space(0)
        probe()
    except OSError as error:
        raise UnavailableError("the storage directory cannot be written") from error


def check_worker() -> None:
    """Raises: UnavailableError when a queue that readers wait for has no worker, or the broker is away."""
    try:
        for queue in (DEFAULT_QUEUE, INFERENCE_QUEUE):
            require_beat(worker_of_queue(queue))
    except (RedisError, OSError) as error:
        raise UnavailableError("the broker does not answer, so workers cannot be heard") from error


def worker_of_queue(queue: str) -> str:
    """The name under which the workers of a queue beat."""
    return f"worker of the queue {queue}"


@require_safe
def alive(_request: HttpRequest) -> JsonResponse:
    """The process answers; says nothing of the parts it needs."""
    return JsonResponse({"status": "alive"})


class Readiness(View):
    """200 when every check passes, else 503; the body has each check's outcome."""

    http_method_names = ["get", "head", "options"]
    checks: ClassVar[Mapping[str, Check]] = {}

    def get(self, request: HttpRequest) -> JsonResponse:
        outcomes = {name: _outcome(name, check) for name, check in self.checks.items()}
        is_ready = all(outcome["is_ok"] for outcome in outcomes.values())
        return JsonResponse(
            {"status": "ready" if is_ready else "not_ready", "checks": outcomes},
            status=HTTPStatus.OK if is_ready else HTTPStatus.SERVICE_UNAVAILABLE,
            headers={"Cache-Control": "no-store"},
        )


def problem_of(check: Check) -> str:
    """Why the check does not pass, without secrets; empty when it does."""
    try:
        check()
    except UnavailableError as error:
        return error.detail
    except (DatabaseError, RedisError, OSError) as error:
        return f"this check failed itself: {type(error).__name__}"
    return ""


def _outcome(name: str, check: Check) -> dict[str, object]:
    started = time.perf_counter()
    problem = problem_of(check)
    if problem:
        logger.warning("not ready: %s: %s", name, problem)
    return {"is_ok": not problem, "detail": problem, "milliseconds": round(1000 * (time.perf_counter() - started), 1)}


def _beat_key(name: str) -> str:
    return "health:" + name.replace(" ", "_")
