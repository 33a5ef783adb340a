"""What is kept out of the log."""

import logging

READINESS_PATH = "/readyz"


class WithoutReadiness(logging.Filter):
    """A probe that finds a part missing asks every second; `core.health` says what is missing, Django need not."""

    def filter(self, record: logging.LogRecord) -> bool:
        request = getattr(record, "request", None)
        return record.name != "django.request" or getattr(request, "path", "") != READINESS_PATH
