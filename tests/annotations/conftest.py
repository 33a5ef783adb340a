"""A reader at a study, and the edge of the machine: what would go to the listeners."""

import pytest

from plaqueview.annotations import comments, drafts, journal
from plaqueview.studies import summaries
from tests.annotations.scenes import Desk, make_desk


@pytest.fixture
def desk(db) -> Desk:
    return make_desk()


@pytest.fixture
def announced(monkeypatch) -> list[dict]:
    """Every event that was to be announced, whether its transaction commits or not."""
    events: list[dict] = []
    for module in (comments, drafts, journal, summaries):
        monkeypatch.setattr(module, "announce", lambda event, **_places: events.append(dict(event)))
    return events
