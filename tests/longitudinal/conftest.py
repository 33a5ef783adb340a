"""The edge of the machine: what would go to who looks on."""

import pytest

from plaqueview.longitudinal import journal


@pytest.fixture
def announced(monkeypatch) -> list[dict]:
    """Every event of a registration, whether its transaction commits or not."""
    events: list[dict] = []
    monkeypatch.setattr(journal, "announce", lambda event, **places: events.append({**event, **places}))
    return events
