"""The AsyncAPI document says what the code does."""

from pathlib import Path

import pytest
import yaml
from django.conf import settings

from plaqueview.enhancement.models import EnhancementState
from plaqueview.feed import consumers
from plaqueview.inbox.models import FetchState
from plaqueview.inference.models import JobStage, JobState
from plaqueview.longitudinal.models import RegistrationState
from plaqueview.outbox.models import TransferState
from plaqueview.registry.models import Stage
from plaqueview.studies.models import StudyState, UploadState
from plaqueview.training.models import RunStage, RunState, SnapshotState
from tests.schemas import validator_of

DOCUMENT = yaml.safe_load((Path(__file__).parents[2] / "docs" / "asyncapi.yaml").read_text(encoding="utf-8"))
MESSAGES = DOCUMENT["components"]["messages"]

ID = "5f0c5ab6-7a55-4a3c-9d06-0c3f3a0f5f51"


def is_documented(message: dict) -> bool:
    schema = {**MESSAGES[message["type"]]["payload"], "components": DOCUMENT["components"]}
    return validator_of(schema).is_valid(message)


@pytest.mark.parametrize(
    ("message", "field", "states"),
    [
        ("study.changed", "state", StudyState),
        ("job.progress", "state", JobState),
        ("job.progress", "stage", JobStage),
        ("upload.progress", "state", UploadState),
        ("registration.changed", "state", RegistrationState),
        ("enhancement.changed", "state", EnhancementState),
        ("transfer.changed", "state", TransferState),
        ("fetch.changed", "state", FetchState),
        ("snapshot.changed", "state", SnapshotState),
        ("run.progress", "state", RunState),
        ("run.progress", "stage", RunStage),
        ("model.changed", "stage", Stage),
    ],
)
def test_every_state_is_documented(message, field, states):
    assert MESSAGES[message]["payload"]["properties"][field]["enum"] == states.values


@pytest.mark.parametrize(
    "message",
    [
        {"type": "subscribe", "topic": "worklist"},
        {"type": "subscribe", "topic": "training"},
        {"type": "subscribe", "topic": "study", "study": ID},
        {"type": "unsubscribe", "topic": "upload", "upload": ID},
        {"type": "ping"},
        {"type": "presence", "study": ID, "is_editing": True},
        {"type": "presence.changed", "study": ID, "readers": [{"reader": "ana", "is_editing": False}]},
        {"type": "error", "code": "not_found", "detail": "no such study"},
        {"type": "annotation.changed", "study": ID, "annotation": ID, "version": 1},
        {"type": "draft.changed", "study": ID, "draft": ID, "revision": 0, "author": "neurologist"},
        {"type": "comment.changed", "study": ID, "comment": ID},
    ],
)
def test_what_is_said_is_valid_by_the_document(message):
    assert is_documented(message)


@pytest.mark.parametrize(
    "message",
    [
        {"type": "subscribe", "topic": "patients"},
        {"type": "subscribe", "topic": "study"},
        {"type": "presence", "study": ID},
        {"type": "presence.changed", "study": ID, "readers": ["ana"]},
        {"type": "study.changed", "study": ID, "state": "lost"},
        {"type": "job.progress", "job": ID, "study": ID, "state": "running", "stage": "network", "progress": 2},
    ],
)
def test_what_is_never_said_is_not(message):
    assert not is_documented(message)


def test_a_presence_lasts_as_long_as_the_document_says():
    seconds = f"{settings.FEED_PRESENCE_S:g} seconds"

    assert seconds in " ".join(MESSAGES["presence"]["summary"].split())


def test_the_limits_are_those_of_the_code():
    description = DOCUMENT["channels"]["feed"]["description"]

    assert f"at most {consumers.MAX_TOPICS} topics" in description
    assert f"at most {consumers.MAX_MESSAGE_CHARACTERS:,} characters" in description
    assert str(consumers.NOT_SIGNED_IN) in description
    assert str(consumers.RIGHTS_CHANGED) in description
