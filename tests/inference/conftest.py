"""The edge of the machine: what would go to who looks on."""

import pytest

from plaqueview.annotations import journal as annotation_journal
from plaqueview.inference import journal
from plaqueview.studies import summaries


@pytest.fixture
def announced(monkeypatch) -> list[dict]:
    """Every event that was to be announced, whether its transaction commits or not."""
    events: list[dict] = []
    for module in (journal, annotation_journal, summaries):
        monkeypatch.setattr(module, "announce", lambda event, **_places: events.append(dict(event)))
    return events
