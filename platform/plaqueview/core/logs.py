"""What a log line carries, and what is kept out of it."""

import json
import logging
from contextvars import ContextVar
from datetime import UTC, datetime

from plaqueview.celery import celery_app

READINESS_PATH = "/readyz"
REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")


class WithoutReadiness(logging.Filter):
    """A probe that finds a part missing asks every second; `core.health` says what is missing, Django need not."""

    def filter(self, record: logging.LogRecord) -> bool:
        request = getattr(record, "request", None)
        return record.name != "django.request" or getattr(request, "path", "") != READINESS_PATH


class JSONFormatter(logging.Formatter):
    """A line is one JSON object of fixed fields.

    Libraries that write JSON take along whatever else a record holds, and Django puts the request there, whose address
    may name the patient that was searched for. Here nothing gets in that is not named below.
    """

    def format(self, record: logging.LogRecord) -> str:
        fields = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "request_id": REQUEST_ID.get(),
            **_task(),
            "traceback": self.formatException(record.exc_info) if record.exc_info else "",
        }
        return json.dumps({name: value for name, value in fields.items() if value}, ensure_ascii=False)


def _task() -> dict[str, object]:
    """The worker's task that speaks, with the ids that it was sent: that of a job among them."""
    task = celery_app.current_task
    if task is None:
        return {}
    request = task.request
    return {"task": task.name, "task_id": request.id, "task_args": list(map(str, request.args or ()))}
