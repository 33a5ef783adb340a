"""The edge of the machine: what would go to the broker."""

import pytest

from plaqueview.annotations import journal as annotation_journal
from plaqueview.celery import celery_app
from plaqueview.inference import journal
from plaqueview.studies import summaries


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
    """Every event that was to be announced, whether its transaction commits or not."""
    events: list[dict] = []
    for module in (journal, annotation_journal, summaries):
        monkeypatch.setattr(module, "announce", lambda event, **_places: events.append(dict(event)))
    return events
