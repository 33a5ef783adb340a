"""The edge of the machine: what would go to who looks on."""

import pytest

from plaqueview.enhancement import journal


@pytest.fixture
def announced(monkeypatch) -> list[dict]:
    """Every event of a search, whether its transaction commits or not."""
    events: list[dict] = []
    monkeypatch.setattr(journal, "announce", lambda event, **places: events.append({**event, **places}))
    return events
