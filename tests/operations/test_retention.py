"""What the department's rule of retention erases by itself: the oldest, one by one, and nobody who is held."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from plaqueview.core.access import Role
from plaqueview.core.errors import ConflictError
from plaqueview.operations import erasure, retention
from plaqueview.operations.retention import Applied, apply_retention
from plaqueview.patients.models import Patient
from plaqueview.patients.services import hold
from plaqueview.studies.models import Study
from plaqueview.training.models import TrainingRun
from tests.api.scene import make_place
from tests.studies.dicom_files import receive_series, series

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def store(settings, tmp_path):
    """Nothing lies in it but these places'."""
    settings.STORAGE_DIR = tmp_path / "storage"


@pytest.fixture
def place(empty_broker):
    """A patient of whom everything was made."""
    return make_place("Ljubljana")


def test_retention_erases_the_old_and_leaves_the_held(place, settings, capsys):
    other = make_place("Maribor")
    held = make_place("Koper")
    hold(patient_id=held.study.patient_id, reason="A claim.", actor=held.users[Role.ADMIN])
    long_ago = timezone.now() - timedelta(days=3651)
    Study.objects.filter(patient__in=[place.study.patient_id, held.study.patient_id]).update(last_received_at=long_ago)
    TrainingRun.objects.all().delete()
    settings.RETENTION_DAYS = 3650

    call_command("apply_retention", "--dry-run")
    call_command("apply_retention")

    said = capsys.readouterr().out.splitlines()
    assert said == [
        f"{place.study.patient_id} last received {long_ago:%Y-%m-%d}",
        "1 patients erased, 0 wait for work on them to end",
    ]
    left = set(Patient.objects.values_list("pk", flat=True))
    assert left == {other.study.patient_id, held.study.patient_id}


@pytest.fixture
def three_due(place, settings, monkeypatch):
    """Patients in the order in which retention takes them, and a list of what happens once the first is erased."""
    settings.RETENTION_DAYS = 3650
    TrainingRun.objects.all().delete()
    patients = [place.study.patient, *(make_place(name).study.patient for name in ("Maribor", "Koper"))]
    for number, patient in enumerate(patients):
        patient.studies.update(last_received_at=timezone.now() - timedelta(days=4000 - number))
    meanwhile: list[Callable[[], object]] = []

    def erase_then(**wanted) -> erasure.Erasure:
        erased = erasure.erase(**wanted)
        while meanwhile:
            meanwhile.pop()()
        return erased

    monkeypatch.setattr(retention, "erase", erase_then)
    return patients, meanwhile


def test_who_receives_a_study_before_their_turn_is_not_erased(three_due):
    (_, second, _), meanwhile = three_due
    new_study = series(3, patient_id=second.patient_id)
    meanwhile.append(lambda: receive_series(new_study, site=second.site))

    applied = apply_retention()

    assert applied == Applied(erased=2, waiting=0)
    assert list(Patient.objects.all()) == [second]
    assert second.studies.count() == 3


def test_who_is_gone_before_their_turn_stops_nobody(three_due):
    (_, second, _), meanwhile = three_due
    why = {"reason": "The patient asked for it.", "is_reauthenticated": True, "actor": None}
    meanwhile.append(lambda: erasure.erase(patient_id=second.pk, **why))

    applied = apply_retention()

    assert applied == Applied(erased=2, waiting=0)
    assert not Patient.objects.exists()


def test_who_has_to_wait_for_long_does_not_keep_the_next(three_due, monkeypatch):
    (first, _, third), _ = three_due

    def erase_unless_first(*, patient_id, **wanted) -> erasure.Erasure:
        if patient_id == first.pk:
            raise ConflictError("a training run is at work")
        return erasure.erase(patient_id=patient_id, **wanted)

    monkeypatch.setattr(retention, "erase", erase_unless_first)
    monkeypatch.setattr(retention, "MOST_AT_ONCE", 1)

    applied = apply_retention()

    assert applied == Applied(erased=1, waiting=1)
    assert set(Patient.objects.all()) == {first, third}


def test_without_a_rule_nobody_is_erased(place):
    Study.objects.update(last_received_at=timezone.now() - timedelta(days=36500))

    assert apply_retention() == Applied(erased=0, waiting=0)
    with pytest.raises(CommandError, match="PLAQUEVIEW_RETENTION_DAYS is 0"):
        call_command("apply_retention")
