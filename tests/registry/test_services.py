"""The registry knows the weights that ship, once, and has at most one champion."""

import pytest
from django.db import IntegrityError, transaction

from plaqueview.audit.models import AuditEvent, EventKind
from plaqueview.core.errors import ConflictError
from plaqueview.registry.models import ModelVersion, Origin, Stage
from plaqueview.registry.services import register_shipped
from tests.inference.scenes import shipped

pytestmark = pytest.mark.django_db


def test_the_first_version_becomes_the_champion():
    model = register_shipped(shipped("1.0"))

    assert model.stage == Stage.CHAMPION
    assert model.facts == {"metrics": {"dice": 0.5}}
    assert model.caveat == "Trained on phantoms."


def test_registering_twice_changes_nothing():
    first = register_shipped(shipped("1.0"))

    second = register_shipped(shipped("1.0"))

    assert second == first
    assert ModelVersion.objects.count() == 1
    assert AuditEvent.objects.filter(kind=EventKind.MODEL_REGISTERED).count() == 1


def test_a_newer_shipped_version_takes_the_place_of_a_shipped_champion():
    old = register_shipped(shipped("1.0"))

    new = register_shipped(shipped("1.1"))

    old.refresh_from_db()
    assert (old.stage, new.stage) == (Stage.RETIRED, Stage.CHAMPION)


def test_an_older_worker_that_starts_again_does_not_bring_its_version_back():
    register_shipped(shipped("1.0"))
    register_shipped(shipped("1.1"))

    register_shipped(shipped("1.0"))

    assert ModelVersion.objects.get(stage=Stage.CHAMPION).version == "1.1"


def test_a_champion_that_was_trained_here_stays():
    trained = register_shipped(shipped("1.0"))
    ModelVersion.objects.filter(pk=trained.pk).update(origin=Origin.TRAINED)

    new = register_shipped(shipped("1.1"))

    trained.refresh_from_db()
    assert (trained.stage, new.stage) == (Stage.CHAMPION, Stage.CANDIDATE)


def test_changed_weights_under_a_known_version_are_refused():
    register_shipped(shipped("1.0"))

    with pytest.raises(ConflictError, match="changed weights need a new version"):
        register_shipped(shipped("1.0", weights=b"other weights"))

    assert ModelVersion.objects.count() == 1


def test_the_database_holds_to_one_champion():
    register_shipped(shipped("1.0"))
    other = register_shipped(shipped("1.1"))

    with pytest.raises(IntegrityError, match=r"model_one_champion|stage"), transaction.atomic():
        ModelVersion.objects.exclude(pk=other.pk).update(stage=Stage.CHAMPION)
