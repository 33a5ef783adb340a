"""A reader at a study, and the edge of the machine: what would go to the listeners."""

import pytest

from plaqueview.annotations import comments, drafts, journal
from plaqueview.core.access import Role
from plaqueview.studies import summaries
from tests.accounts.people import make_user
from tests.annotations.rooms import Room
from tests.annotations.scenes import Desk, desk_of, make_desk, without_small_inactive


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


@pytest.fixture
def room(desk) -> Room:
    others = [desk_of(desk.study, desk.prediction) for _ in range(3)]
    return Room(desk, *others, make_user(Role.ADMIN, site=desk.study.site, username="chief"))


@pytest.fixture
def blinded(room) -> Room:
    assert room.begin().status_code == 201
    return room


@pytest.fixture
def adjudicated(blinded) -> Room:
    blinded.ana.submitted()
    blinded.bor.submitted(without_small_inactive())
    return blinded
