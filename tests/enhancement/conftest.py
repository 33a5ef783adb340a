"""The edge of the machine: what would go to the broker, and to who looks on."""

import pytest

from plaqueview.celery import celery_app
from plaqueview.enhancement import journal


@pytest.fixture
def sent_tasks(monkeypatch) -> list[tuple[str, tuple[str, ...], str]]:
    """Every task that was sent: its name, its arguments, its queue."""
    sent: list[tuple[str, tuple[str, ...], str]] = []

    def send_task(name, args=(), queue="", **_options):
        sent.append((name, tuple(args), queue))

    monkeypatch.setattr(celery_app, "send_task", send_task)
    return sent


@pytest.fixture
def announced(monkeypatch) -> list[dict]:
    """Every event of a search, whether its transaction commits or not."""
    events: list[dict] = []
    monkeypatch.setattr(journal, "announce", lambda event, **places: events.append({**event, **places}))
    return events
